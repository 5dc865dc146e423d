import { createHash } from 'node:crypto';
import { TemperedError } from '../task/errors.js';
import type { Json } from '../task/json.js';
import { jsonRecord } from './jsonRecord.js';

/** Most bytes of records in one signal: Temporal refuses payloads of 2 MB, and history keeps each one. */
const MAX_CHUNK_BYTES = 256 * 1024;

/** Most records in one signal. */
const MAX_CHUNK_ITEMS = 500;

/** Records that travel in one signal. */
export interface ItemChunk {
  /** The same key twice adds once. */
  readonly clientKey: string;
  /** The records, as JSON. */
  readonly items: readonly Json[];
}

/**
 * Divides records over signals. Each chunk has the caller's key and its number, or else the hash of its content, so that
 * sending the same records again after a crash adds nothing. Throws `input` for a record that is too big for a message.
 */
export async function* chunksOf(
  records: Iterable<unknown> | AsyncIterable<unknown>,
  clientKey: string | undefined,
): AsyncGenerator<ItemChunk> {
  let items: Json[] = [];
  let bytes = 0;
  let seen = 0;
  let number = 0;
  const chunk = (): ItemChunk => {
    const key = `${clientKey ?? contentKey(items)}/${number}`;
    number += 1;
    const full = { clientKey: key, items };
    items = [];
    bytes = 0;
    return full;
  };
  for await (const record of records) {
    seen += 1;
    const item = jsonRecord(record, seen);
    const size = sizeOf(item, seen);
    if (items.length === MAX_CHUNK_ITEMS || (items.length > 0 && bytes + size > MAX_CHUNK_BYTES)) yield chunk();
    items.push(item);
    bytes += size;
  }
  if (items.length > 0) yield chunk();
}

function sizeOf(record: Json, number: number): number {
  const size = Buffer.byteLength(JSON.stringify(record)) + 1;
  if (size <= MAX_CHUNK_BYTES) return size;
  const bytes = size.toLocaleString('en');
  throw new TemperedError('input', `Record ${number} has ${bytes} bytes; a message carries ${MAX_CHUNK_BYTES}.`, {
    remedy: 'Start a batch with it instead: records of a data set may be bigger.',
  });
}

/** The same records have the same key. */
function contentKey(records: readonly Json[]): string {
  return createHash('sha256').update(JSON.stringify(records)).digest('hex');
}
