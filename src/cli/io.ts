import { once } from 'node:events';

/** Where a command's words go: people read one stream, programs the other. */
export class Io {
  constructor(
    /** With `--json`: stdout carries the result object, words for people go to stderr. */
    readonly json: boolean,
    private readonly stdout: NodeJS.WriteStream = process.stdout,
    private readonly stderr: NodeJS.WriteStream = process.stderr,
  ) {}

  /** The stream people read. */
  get people(): NodeJS.WriteStream {
    return this.json ? this.stderr : this.stdout;
  }

  /** True when a person sits at a terminal: a panel may be drawn, and waiting for them makes sense. */
  get interactive(): boolean {
    return this.people.isTTY && process.stdin.isTTY;
  }

  /** Columns of the stream people read; 120 when it is no terminal. */
  get width(): number {
    return this.people.isTTY ? this.people.columns : 120;
  }

  /** A line for people. */
  say(line = ''): void {
    this.people.write(`${line}\n`);
  }

  /** A line for people that must not mix with data on stdout. */
  warn(line: string): void {
    this.stderr.write(`${line}\n`);
  }

  /** A line of data on stdout; waits while its reader is slow. */
  async data(line: string): Promise<void> {
    if (!this.stdout.write(`${line}\n`)) await once(this.stdout, 'drain');
  }

  /** The command's result: the last line of stdout with `--json`, nothing without. */
  result(value: object): void {
    if (this.json) this.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** Waits until all was written. */
  async flush(): Promise<void> {
    await Promise.all([flushed(this.stdout), flushed(this.stderr)]);
  }
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => {
      resolve();
    });
  });
}
