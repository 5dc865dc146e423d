import { TemperedError } from '../../task/errors.js';
import { isSpace, readJsonLines } from './jsonLines.js';
import { readJson } from './jsonText.js';
import { type ReadRecord, RecordBytes, type RecordPage, tooLong } from './record.js';
import { utf8Chunks } from './source.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const NEWLINE = 0x0a;
const OPEN: readonly number[] = [0x5b, 0x7b];
const CLOSE: readonly number[] = [0x5d, 0x7d];

/** Records of a `.json` file: the elements of one array, or JSON Lines when it doesn't start as an array. */
export async function* readJsonFile(file: string): AsyncGenerator<RecordPage> {
  yield* (await startsAsArray(file)) ? readElements(file) : readJsonLines(utf8Chunks(file));
}

async function startsAsArray(file: string): Promise<boolean> {
  for await (const chunk of utf8Chunks(file)) {
    const first = chunk.find((byte) => !isSpace(byte));
    if (first !== undefined) return first === OPEN[0];
  }
  return false;
}

async function* readElements(file: string): AsyncGenerator<RecordPage> {
  const cutter = new ElementCutter(file);
  for await (const chunk of utf8Chunks(file)) yield cutter.cut(chunk);
  cutter.end();
}

/**
 * Cuts the elements out of an array as their bytes pass, so that memory holds one at a time. What lies between the
 * commas is judged when it is parsed.
 */
class ElementCutter {
  private readonly bytes = new RecordBytes();
  private depth = 0;
  private inText = false;
  private escaped = false;
  private ended = false;
  private isFirst = true;
  private line = 1;
  /** Line of the element's first character; null before it. */
  private startLine: number | null = null;

  constructor(private readonly file: string) {}

  /** Elements that end in this chunk. */
  *cut(chunk: Buffer): Generator<ReadRecord> {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (byte === NEWLINE) this.line += 1;
      if (this.inText) {
        this.inText = this.escaped || byte !== QUOTE;
        this.escaped = !this.escaped && byte === BACKSLASH;
        continue;
      }
      if (isSpace(byte)) continue;
      const edge = this.step(byte);
      if (edge === 'open') from = at + 1;
      if (edge !== 'end') continue;
      this.bytes.add(chunk.subarray(from, at));
      from = at + 1;
      const element = this.element(byte === COMMA);
      if (element !== undefined) yield element;
    }
    if (this.depth > 0) this.bytes.add(chunk.subarray(from));
  }

  /** Checks that the array was closed. */
  end(): void {
    if (!this.ended) throw this.broken('The array is not closed: the file ends too early.');
  }

  /** What a byte outside of texts does: opens the array, ends an element, or neither. */
  private step(byte: number): 'open' | 'end' | 'inside' {
    if (this.ended) throw this.broken('There is text after the end of the array.');
    if (OPEN.includes(byte)) {
      this.depth += 1;
      if (this.depth === 1) return 'open';
    } else if (CLOSE.includes(byte)) {
      this.depth -= 1;
      this.ended = this.depth === 0;
    } else if (byte === QUOTE) {
      this.inText = true;
    }
    if (this.ended || (byte === COMMA && this.depth === 1)) return 'end';
    this.startLine ??= this.line;
    return 'inside';
  }

  private element(more: boolean): ReadRecord | undefined {
    const line = this.startLine;
    const text = this.bytes.take();
    this.startLine = null;
    if (line === null) {
      if (more || !this.isFirst) throw this.broken('An element of the array is missing: there is a comma too many.');
      return undefined;
    }
    this.isFirst = false;
    if (text === null) return tooLong(line);
    return readJson(text.subarray(text.findIndex((byte) => !isSpace(byte))), line);
  }

  private broken(message: string): TemperedError {
    const remedy = 'Give a JSON array of records, or one record a line in a .jsonl file.';
    return new TemperedError('input', message, { place: { file: this.file, line: this.line }, remedy });
  }
}
