import { readJson } from './jsonText.js';
import { type ReadRecord, RecordBytes, tooLong } from './record.js';

const NEWLINE = 0x0a;

/** Records of JSON Lines: one JSON value a line. Blank lines are no records, but count as lines. */
export async function* readJsonLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<ReadRecord> {
  const bytes = new RecordBytes();
  let line = 1;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      bytes.add(chunk.subarray(from, end));
      const record = toRecord(bytes.take(), line);
      if (record !== undefined) yield record;
      from = end + 1;
      line += 1;
    }
    bytes.add(chunk.subarray(from));
  }
  const last = toRecord(bytes.take(), line);
  if (last !== undefined) yield last;
}

function toRecord(text: Buffer | null, line: number): ReadRecord | undefined {
  if (text === null) return tooLong(line);
  return text.every(isSpace) ? undefined : readJson(text, line);
}

/** Whether a byte is a space, a tab or (part of) a line break. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
