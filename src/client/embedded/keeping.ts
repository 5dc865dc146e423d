import { existsSync } from 'node:fs';
import { copyFile, rm, stat, truncate } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { TemperedError } from '../../task/errors.js';
import { errorCode, explainWrite } from '../data/fileErrors.js';
import { lockDatabase } from './fileLock.js';
import { freePorts, type Ports, takenPort } from './ports.js';
import { endProcess, isRunning, type ProcessId } from './processes.js';
import { becomesReady, launchServer, openWorkflows } from './serverProcess.js';
import { lastUsed, readState, type ServerFiles, type ServerState, writeState } from './serverState.js';

/** How often the server is looked at; milliseconds. */
const TICK_MS = 500;

/** How often the log's size and, while nobody uses the server, its open workflows are looked at; milliseconds. */
const SLOW_TICK_MS = 60_000;

/** The log is cut when it is longer; bytes. One older log is kept beside it. */
const MAX_LOG_BYTES = 5 * 1024 * 1024;

/** Time the server has to end by itself; milliseconds. */
const GRACE_MS = 10_000;

/** Waits before a server that ended is started again; milliseconds. After the last one its keeper gives up. */
const RESTART_WAITS_MS = [0, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000];

/** A server that ran this long was no failed start; milliseconds. */
const STEADY_MS = 60_000;

/** Ends of a keeper, as exit codes. */
export const KEEPER_EXIT = { stopped: 0, failed: 1, locked: 3 } as const;

/** Keeps one folder's server running until it is told to stop, nobody uses it any more, or the folder is gone. */
export class Keeper {
  private readonly stopping = new AbortController();
  private state: ServerState;
  private readySince = 0;
  private failures = 0;
  private slowTickAt = 0;

  constructor(
    private readonly files: ServerFiles,
    private readonly program: string,
    private readonly idleMs: number,
    own: ProcessId,
  ) {
    this.state = { status: 'starting', keeper: own, server: null, port: 0, uiPort: 0, isNew: true, error: null };
  }

  /** Ends {@link run}. */
  stop(): void {
    this.stopping.abort();
  }

  /** Starts or takes over the server and keeps it. Returns the exit code. */
  async run(): Promise<number> {
    const release = lockDatabase(this.files.lock);
    if (release === undefined) return KEEPER_EXIT.locked;
    const { ino } = await stat(this.files.lock);
    try {
      await this.begin(await readState(this.files));
      while (!this.stopping.signal.aborted && (await this.isOurs(ino)) && (await this.isWanted())) await this.tick();
      await this.endServer('stopped', ino);
      return KEEPER_EXIT.stopped;
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      this.state = { ...this.state, error: recorded(explainWrite(this.files.state, error)) };
      await this.endServer('failed', ino);
      return KEEPER_EXIT.failed;
    } finally {
      release();
    }
  }

  private async begin(previous: ServerState | undefined): Promise<void> {
    if (previous === undefined) return this.beginNew();
    const { port, uiPort, isNew, server } = previous;
    const adopted = server !== null && isRunning(server) ? server : null;
    await this.record({ port, uiPort, isNew, server: adopted });
    if (adopted !== null) {
      // Its keeper was killed, it was not: whoever uses it need not notice.
      if (await becomesReady(adopted, previous, this.stopping.signal)) return this.ready();
      await endProcess(adopted, GRACE_MS);
    }
    const taken = await takenPort(previous);
    if (taken !== undefined) throw portTaken(taken, this.files);
    await this.launch(previous);
  }

  private async beginNew(): Promise<void> {
    const isNew = !existsSync(this.files.database);
    for await (const ports of freePorts(this.files.folder)) {
      await this.record({ ...ports, isNew });
      try {
        await this.launch(ports);
        return;
      } catch (error) {
        // Unless another program took the port between our look and the server's.
        if ((await takenPort(ports)) === undefined) throw error;
      }
    }
    throw noPorts();
  }

  private async launch(ports: Ports): Promise<void> {
    if (this.state.isNew) await removeDatabase(this.files);
    const { id, lastWords } = await launchServer(this.program, this.files, ports);
    await this.record({ status: 'starting', server: id ?? null });
    if (id !== undefined && (await becomesReady(id, ports, this.stopping.signal))) return this.ready();
    if (this.stopping.signal.aborted) return;
    if (id !== undefined) await endProcess(id, GRACE_MS);
    const words = await lastWords();
    throw new TemperedError('network', `The Temporal server did not start. Its last words: ${words || '(none)'}`, {
      remedy: `The whole log is ${this.files.log}.`,
    });
  }

  private async ready(): Promise<void> {
    this.readySince = Date.now();
    await this.record({ status: 'ready', isNew: false });
  }

  private async tick(): Promise<void> {
    await sleep(TICK_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    if (this.stopping.signal.aborted) return;
    const { server } = this.state;
    if (server === null || !isRunning(server)) await this.restart();
    if ((await sizeOf(this.files.log)) > MAX_LOG_BYTES) await cutLog(this.files.log);
  }

  private async restart(): Promise<void> {
    if (Date.now() - this.readySince > STEADY_MS) this.failures = 0;
    const wait = RESTART_WAITS_MS[this.failures];
    this.failures += 1;
    await this.record({ status: 'starting', server: null });
    await sleep(wait ?? 0, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    if (this.stopping.signal.aborted) return;
    try {
      const taken = await takenPort(this.state);
      if (taken !== undefined) throw portTaken(taken, this.files);
      await this.launch(this.state);
    } catch (error) {
      if (wait === undefined) throw error;
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    }
  }

  /** Whether the folder is still the one that was locked: it may have been removed, or made again. */
  private async isOurs(ino: number): Promise<boolean> {
    try {
      return (await stat(this.files.lock)).ino === ino;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** Whether a client used the server lately, or workflows are open. */
  private async isWanted(): Promise<boolean> {
    const now = Date.now();
    if (now - (await lastUsed(this.files)) < this.idleMs || now < this.slowTickAt) return true;
    if (this.state.status !== 'ready') return true;
    this.slowTickAt = now + Math.min(SLOW_TICK_MS, this.idleMs);
    return (await openWorkflows(this.state.port)) > 0;
  }

  private async endServer(status: 'stopped' | 'failed', ino: number): Promise<void> {
    const { server } = this.state;
    if (server !== null) await endProcess(server, GRACE_MS);
    if (await this.isOurs(ino)) await this.record({ status, server: null });
  }

  private async record(change: Partial<ServerState>): Promise<void> {
    this.state = { ...this.state, ...change };
    await writeState(this.files, this.state);
  }
}

function recorded(error: unknown): ServerState['error'] {
  if (error instanceof TemperedError) {
    return { category: error.category, message: error.message, remedy: error.options.remedy ?? '' };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { category: 'unknown', message: `The keeper of the Temporal server failed: ${message}`, remedy: '' };
}

function portTaken(port: number, files: ServerFiles): TemperedError {
  return new TemperedError('input', `Port ${port}, on which this folder's Temporal server runs, is taken.`, {
    remedy: `End the program that listens on it. Or remove ${files.state}: then other ports are chosen.`,
  });
}

function noPorts(): TemperedError {
  return new TemperedError('input', 'No port is free for the embedded Temporal server.', {
    remedy: 'End other Temporal servers (`tempered down` in their folders), or let TEMPORAL_ADDRESS name one.',
  });
}

async function removeDatabase({ database }: ServerFiles): Promise<void> {
  for (const file of [database, `${database}-wal`, `${database}-shm`]) await rm(file, { force: true });
}

async function sizeOf(file: string): Promise<number> {
  return existsSync(file) ? (await stat(file)).size : 0;
}

/** The server keeps its file open, so the log is emptied in place. On a full disk the old one is not kept. */
async function cutLog(file: string): Promise<void> {
  try {
    await copyFile(file, `${file}.1`);
  } catch (error) {
    if (errorCode(error) !== 'ENOSPC') throw error;
    await rm(`${file}.1`, { force: true });
  }
  await truncate(file);
}
