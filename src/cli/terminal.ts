/** Colours, or none: for pipes, dumb terminals and NO_COLOR. */
export interface Paint {
  /** Bold. */
  bold(text: string): string;
  /** Green. */
  green(text: string): string;
}

const PLAIN: Paint = { bold: (text) => text, green: (text) => text };
const COLOURS: Paint = {
  bold: (text) => `\u001b[1m${text}\u001b[22m`,
  green: (text) => `\u001b[32m${text}\u001b[39m`,
};

/** What fits a stream: https://no-color.org and `TERM=dumb` are respected. */
export function paintFor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Paint {
  const plain = !stream.isTTY || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return plain ? PLAIN : COLOURS;
}

/** A block of lines at the terminal's end that is drawn over itself. */
export class LiveBlock {
  private drawn = 0;

  constructor(private readonly stream: NodeJS.WriteStream) {}

  /** Draws the lines in place of those drawn before. */
  draw(lines: readonly string[]): void {
    const up = this.drawn === 0 ? '' : `\u001b[${this.drawn}F`;
    this.stream.write(`${up}${lines.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`);
    this.drawn = lines.length;
  }
}
