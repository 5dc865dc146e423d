import { spawn } from 'node:child_process';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { TemperedError } from '../../task/errors.js';
import { explainWrite } from '../data/fileErrors.js';
import { KEEPER_EXIT } from './keeping.js';
import { isListening } from './ports.js';
import { endProcess, isRunning } from './processes.js';
import { obtainProgram } from './program.js';
import { childEnvironment, scriptArguments, SCRIPTS_FOLDER } from './scripts.js';
import {
  existingServerFiles,
  readState,
  type ServerFiles,
  serverFiles,
  type ServerState,
  touch,
} from './serverState.js';

/** Longest wait for the server; milliseconds. */
const START_LIMIT_MS = 90_000;

const POLL_MS = 50;

/** Wait before a lock somebody holds is tried again; milliseconds. */
const LOCKED_WAIT_MS = 500;

/** Time a keeper has to end its server and itself; milliseconds. */
const STOP_LIMIT_MS = 15_000;

/** Characters of the log's end that tell why a keeper failed. */
const SAID_KEPT = 1500;

/** Free space without which no server starts: its empty database; bytes. */
const NEEDED_BYTES = 1 << 20;

/** How often a client says that it uses the server; milliseconds. */
const USE_MS = 60_000;

/** Where an embedded server is. */
export interface EmbeddedServer {
  /** `host:port` of its gRPC. */
  readonly address: string;
  /** Its web UI. */
  readonly uiUrl: string;
  /** The server's process. */
  readonly pid: number;
}

/** How an embedded server is started. */
export interface EnsureOptions {
  /** Its folder; made if need be. Default `.tempered`. */
  readonly folder?: string | undefined;
  /** Environment in which the program is looked for. Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Told what takes long. Default: nobody. */
  readonly onProgress?: ((line: string) => void) | undefined;
  /** Minutes without clients and open workflows after which it stops. Default 30. */
  readonly idleMinutes?: number | undefined;
}

/**
 * The folder's embedded server: found, or started in the background on the ports and state it had. Any number of
 * processes may ask at once; one server runs. Throws `input` for a folder that can't be written, ports or a database
 * in others' hands or a program that can't be had; `network` when it does not start.
 */
export async function ensureServer(
  options: EnsureOptions = {},
): Promise<EmbeddedServer & { readonly started: boolean }> {
  const { folder = '.tempered', env = process.env, onProgress = () => undefined, idleMinutes = 30 } = options;
  const files = await serverFiles(folder);
  let deadline = Date.now() + START_LIMIT_MS;
  let spawned: SpawnedKeeper | undefined;
  while (Date.now() < deadline) {
    const state = await readState(files);
    const isKept = state !== undefined && isRunning(state.keeper);
    const server = isKept ? await reachable(state) : undefined;
    if (server !== undefined) {
      await touch(files);
      return { ...server, started: state?.keeper.pid === spawned?.pid };
    }
    if (spawned === undefined && !isKept) {
      const program = await obtainProgram({ env, onProgress });
      onProgress(`Starting the Temporal server of ${files.folder}`);
      spawned = await spawnKeeper(files, program, idleMinutes * 60_000, env);
      deadline = Date.now() + START_LIMIT_MS;
    } else if (spawned?.exitCode() === KEEPER_EXIT.locked) {
      // Somebody was faster; or holds the lock where its process can't be seen.
      spawned = undefined;
      await sleep(LOCKED_WAIT_MS);
    } else if (spawned?.exitCode() !== undefined) {
      throw await keeperFailed(files, spawned.pid);
    }
    await sleep(POLL_MS);
  }
  throw new TemperedError('network', `The Temporal server of ${files.folder} can't be reached from here.`, {
    remedy: `If another machine or container uses this folder, take another one. See ${files.log}.`,
  });
}

/** The folder's running server; undefined when none runs. Nothing is started. */
export async function serverStatus(folder: string): Promise<EmbeddedServer | undefined> {
  const files = await existingServerFiles(folder);
  return files === undefined ? undefined : reachable(await readState(files));
}

/** Ends the folder's server; its state is kept. Returns false when none ran. */
export async function stopServer(folder: string): Promise<boolean> {
  const files = await existingServerFiles(folder);
  const state = files === undefined ? undefined : await readState(files);
  if (files === undefined || state === undefined) return false;
  const keeperRan = isRunning(state.keeper);
  await endProcess(state.keeper, STOP_LIMIT_MS);
  // A keeper that was killed, now or before, leaves its server.
  const server = (await readState(files))?.server ?? null;
  const serverRan = server !== null && isRunning(server);
  if (serverRan) await endProcess(server, STOP_LIMIT_MS);
  return keeperRan || serverRan;
}

/** Keeps an embedded server from being idle until the returned function is called. Does not keep the process alive. */
export async function useServer(folder: string): Promise<() => void> {
  const files = await serverFiles(folder);
  const timer = setInterval(() => void touch(files).catch(() => undefined), USE_MS);
  timer.unref();
  return () => clearInterval(timer);
}

async function reachable(state: ServerState | undefined): Promise<EmbeddedServer | undefined> {
  if (state?.status !== 'ready' || state.server === null) return undefined;
  const { server, port, uiPort } = state;
  if (!isRunning(server) || !(await isListening(port))) return undefined;
  return { address: `127.0.0.1:${port}`, uiUrl: `http://127.0.0.1:${uiPort}`, pid: server.pid };
}

/** A keeper this process started. */
interface SpawnedKeeper {
  readonly pid: number;
  /** How it ended; undefined while it runs. */
  exitCode(): number | undefined;
}

async function spawnKeeper(
  files: ServerFiles,
  program: string,
  idleMs: number,
  env: NodeJS.ProcessEnv,
): Promise<SpawnedKeeper> {
  const log = await open(files.log, 'a');
  try {
    const child = spawn(process.execPath, scriptArguments('keeper', files.folder, program, String(idleMs)), {
      cwd: SCRIPTS_FOLDER,
      env: childEnvironment(env),
      stdio: ['ignore', log.fd, log.fd],
      // It outlives this command and does not hear its Ctrl-C.
      detached: true,
    });
    let exit: number | undefined;
    child.once('exit', (code) => (exit = code ?? KEEPER_EXIT.failed));
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.unref();
    return { pid: child.pid ?? 0, exitCode: () => exit };
  } finally {
    await log.close();
  }
}

async function keeperFailed(files: ServerFiles, pid: number): Promise<TemperedError> {
  const state = await readState(files);
  if (state?.keeper.pid === pid && state.error !== null) {
    const { category, message, remedy } = state.error;
    return new TemperedError(category, message, remedy === '' ? {} : { remedy });
  }
  await assertSpace(files);
  const log = await readFile(files.log, 'utf8');
  const remedy = `The log is ${files.log}.`;
  return new TemperedError('network', `The Temporal server could not be started: ${log.slice(-SAID_KEPT).trim()}`, {
    remedy,
  });
}

/** A full disk keeps a keeper from telling what is wrong. Throws `input` when it is full. */
async function assertSpace(files: ServerFiles): Promise<void> {
  const probe = `${files.state}.probe`;
  try {
    await writeFile(probe, Buffer.alloc(NEEDED_BYTES));
  } catch (error) {
    throw explainWrite(files.state, error);
  } finally {
    await rm(probe, { force: true });
  }
}
