import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EXIT, type ExitCode } from './exit.js';
import type { Io } from './io.js';

/** Waits before a process that died soon is started again: first and longest; milliseconds. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/** A process that lived so long did not die of what it was started with; milliseconds. */
const SOON_MS = 30_000;

/** What a parent and its worker processes say to each other. */
const READY = 'ready';
const STOP = 'stop';

const PROGRAM = fileURLToPath(new URL('../../bin/tempered', import.meta.url));

/** Several worker processes of one command: each is started again when it dies, all end together. */
export class WorkerProcesses {
  private readonly children = new Map<number, ChildProcess>();
  private readonly ready = new Set<number>();
  private readonly stopping = new AbortController();
  private code: ExitCode = EXIT.ok;

  constructor(
    private readonly io: Io,
    private readonly count: number,
    /** Arguments of one such process, `worker` first. */
    private readonly args: readonly string[],
  ) {}

  /** Runs them until {@link stop}, or until one can't start at all. Returns the command's exit code. */
  async run(): Promise<ExitCode> {
    const kill = (): void => {
      for (const child of this.children.values()) child.kill('SIGKILL');
    };
    // A second Ctrl-C, or our own failure: nothing must stay behind.
    process.on('exit', kill);
    try {
      await Promise.all(Array.from({ length: this.count }, (_, i) => this.keep(i + 1)));
      return this.code;
    } finally {
      process.off('exit', kill);
    }
  }

  /** Asks all of them to let their prompts in flight finish, and to end. */
  stop(): void {
    this.stopping.abort();
    for (const child of this.children.values()) if (child.connected) child.send(STOP);
  }

  /** One place, filled again and again. */
  private async keep(place: number): Promise<void> {
    const { signal } = this.stopping;
    for (let soon = 0; !this.isStopping();) {
      const startedAt = Date.now();
      const end = await this.live(place);
      if (this.isStopping()) return;
      if (!end.wasReady && soon === 0) {
        this.code = EXIT.usage;
        this.stop();
        return;
      }
      this.io.warn(`Worker process ${place} ended (${end.how}); another takes its place.`);
      this.tell();
      soon = Date.now() - startedAt < SOON_MS ? soon + 1 : 1;
      const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (soon - 1));
      await sleep(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One process from start to end. In a group of its own: Ctrl-C reaches it through us alone. */
  private async live(place: number): Promise<{ readonly wasReady: boolean; readonly how: string }> {
    const child = fork(PROGRAM, this.args, { detached: true, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.children.set(place, child);
    let wasReady = false;
    child.once('message', () => {
      wasReady = true;
      this.ready.add(place);
      this.tell();
    });
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on('line', (line) => this.io.warn(`[${place}] ${line}`));
    }
    const how = await ended(child);
    this.children.delete(place);
    this.ready.delete(place);
    return { wasReady, how };
  }

  private isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private tell(): void {
    this.io.say(`  processes: ${this.ready.size} of ${this.count} running`);
  }
}

/** How a process ended, in words. */
function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `exit code ${code ?? 'unknown'}` : `killed by ${signal}`),
    );
  });
}

/** What a worker process hears of its parent; undefined in a worker that has none. */
export interface ParentProcess {
  /** Tells it that this process works. */
  ready(): void;
  /** Resolves when it wants this process to end, or is gone. */
  readonly wantsEnd: Promise<void>;
}

/** The parent that started this process by {@link WorkerProcesses}. */
export function parentProcess(): ParentProcess | undefined {
  if (process.send === undefined) return undefined;
  return {
    ready: () => process.send?.(READY),
    wantsEnd: new Promise((resolve) => {
      process.once('message', () => resolve());
      process.once('disconnect', () => resolve());
    }),
  };
}
