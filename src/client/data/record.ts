import type { Json } from '../../task/json.js';

/** Longest record; bytes. A prompt that long fits no model, and bounded memory needs a bound. */
const MAX_RECORD_BYTES = 32 * 1024 * 1024;

/** A place where a record should be and none can be read. */
export interface BadRecord {
  /** 1-based line on which it starts; in Parquet its row. */
  readonly line: number;
  /** What is wrong. */
  readonly problem: string;
  /** What to do. */
  readonly remedy: string;
}

/** A record as read, or what is wrong where one should be. */
export type ReadRecord = { readonly line: number; readonly value: Json } | BadRecord;

/**
 * Records that lie in one piece of a file, made as they are taken. All of them are taken before the next page is asked
 * for: so a million records wait for the disk a few hundred times, not once each.
 */
export type RecordPage = Iterable<ReadRecord>;

/** A record longer than {@link MAX_RECORD_BYTES}. */
export function tooLong(line: number): BadRecord {
  const problem = `The record is longer than ${MAX_RECORD_BYTES / 1024 / 1024} MiB.`;
  return { line, problem, remedy: 'Split it, or leave long fields out of the data.' };
}

/** A record in another encoding than the rest of the file claims. */
export function notUtf8(line: number): BadRecord {
  const remedy = 'Save the file as UTF-8: iconv -f latin1 -t utf-8 FILE > NEW, with the encoding it really has.';
  return { line, problem: 'The text is not valid UTF-8.', remedy };
}

/** Collects a record's bytes from the chunks it lies in. Bytes of one that is too long are counted, not kept. */
export class RecordBytes {
  private pieces: Buffer[] = [];
  private size = 0;

  /** Bytes so far, those not kept included. */
  get length(): number {
    return this.size;
  }

  /** Adds a part of a chunk. */
  add(part: Buffer): void {
    this.size += part.length;
    if (this.size > MAX_RECORD_BYTES) this.pieces = [];
    else if (part.length > 0) this.pieces.push(part);
  }

  /** The record, or null when it is too long. Starts the next one. */
  take(): Buffer | null {
    const [only] = this.pieces;
    const bytes = this.pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.pieces);
    const whole = this.size <= MAX_RECORD_BYTES ? bytes : null;
    this.pieces = [];
    this.size = 0;
    return whole;
  }
}
