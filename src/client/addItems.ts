import { createHash } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { count } from '../task/digits.js';
import { TemperedError } from '../task/errors.js';
import type { Json } from '../task/json.js';
import { CONTROL_QUEUE } from '../workflows/ids.js';
import type { ClientContext } from './context.js';
import { jsonRecord } from './jsonRecord.js';
import { unpolled } from './pollers.js';
import { isEnded } from './settled.js';
import { explained } from './temporalErrors.js';

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
 * Throws `input` for a batch that takes no more records: it was not started to, has ended, or its input is closed, as its
 * workflow says. Without a worker nobody can say; then the signal waits, and the workflow tells what came too late.
 */
export async function checkOpen(context: ClientContext, batchId: string): Promise<void> {
  const row = await context.store.getBatch(batchId);
  if (row?.options.open !== true) throw takesNone(`Batch ${batchId} was not started to take more records.`);
  const closed = isEnded(row.status) || (await isClosed(await context.client(), batchId));
  if (closed) throw takesNone(`The input of batch ${batchId} is closed: it takes no more records.`);
}

async function isClosed(client: Client, batchId: string): Promise<boolean> {
  if ((await unpolled(client, [CONTROL_QUEUE])).length > 0) return false;
  const { progressQuery } = await import('../workflows/messages.js');
  return explained(batchId, async () => !(await client.workflow.getHandle(batchId).query(progressQuery)).open);
}

function takesNone(message: string): TemperedError {
  return new TemperedError('input', message, {
    remedy: 'Start one with `open: true` (`tempered run --open`), or run the grown data with --reuse.',
  });
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
  throw new TemperedError('input', `Record ${number} has ${count(size)} bytes; a message carries ${MAX_CHUNK_BYTES}.`, {
    remedy: 'Start a batch with it instead: records of a data set may be bigger.',
  });
}

/** The same records have the same key. */
function contentKey(records: readonly Json[]): string {
  return createHash('sha256').update(JSON.stringify(records)).digest('hex');
}
