import { setTimeout as sleep } from 'node:timers/promises';
import type { Io } from './io.js';
import { EXIT } from './exit.js';

/** Signals that ask a command to end. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Ctrl-C: the first asks the command to save and leave, the second ends it at once. */
export class Interrupt {
  private readonly controller = new AbortController();
  private readonly first = new Promise<void>((resolve) => {
    this.controller.signal.addEventListener('abort', () => {
      resolve();
    });
  });
  private readonly listener = (): void => {
    this.heard();
  };

  constructor(
    private readonly io: Io,
    /** Said at the first Ctrl-C. */
    public message: string,
  ) {
    for (const signal of SIGNALS) process.on(signal, this.listener);
  }

  /** Aborted by the first Ctrl-C. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Whether Ctrl-C was pressed. */
  get asked(): boolean {
    return this.controller.signal.aborted;
  }

  /** Resolves at the first Ctrl-C. */
  wait(): Promise<void> {
    return this.first;
  }

  /** Waits this long, or until the first Ctrl-C. Milliseconds. */
  async sleep(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.signal });
    } catch (error) {
      if (!this.asked) throw error;
    }
  }

  /** Stops listening. */
  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.listener);
  }

  private heard(): void {
    if (this.asked) process.exit(EXIT.stopped);
    this.io.warn(`\n${this.message} Ctrl-C again leaves at once.`);
    this.controller.abort();
  }
}
