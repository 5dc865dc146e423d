import { readJson } from './jsonText.js';
import { type ReadRecord, RecordBytes, type RecordPage, tooLong } from './record.js';

const NEWLINE = 0x0a;

/** Records of JSON Lines: one JSON value a line. Blank lines are no records, but count as lines. */
export async function* readJsonLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<RecordPage> {
  const cutter = new LineCutter();
  for await (const chunk of chunks) yield cutter.cut(chunk);
  yield cutter.end();
}

/** Cuts lines out of the bytes as they pass; holds one at a time. */
class LineCutter {
  private readonly bytes = new RecordBytes();
  private line = 1;

  /** Records that end in this chunk. */
  *cut(chunk: Buffer): Generator<ReadRecord> {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.bytes.add(chunk.subarray(from, end));
      yield* this.end();
      from = end + 1;
      this.line += 1;
    }
    this.bytes.add(chunk.subarray(from));
  }

  /** The record that ends here, if there is one. */
  *end(): Generator<ReadRecord> {
    const record = toRecord(this.bytes.take(), this.line);
    if (record !== undefined) yield record;
  }
}

function toRecord(text: Buffer | null, line: number): ReadRecord | undefined {
  if (text === null) return tooLong(line);
  return text.every(isSpace) ? undefined : readJson(text, line);
}

/** Whether a byte is a space, a tab or (part of) a line break. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
