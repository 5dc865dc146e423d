import { setTimeout as sleep } from 'node:timers/promises';
import { endError } from '../workflows/ends.js';
import type { ClientContext } from './context.js';
import { isEnded } from './settled.js';
import { isNotFound } from './temporalErrors.js';

/** Longest wait for prompts in flight to be journalled; milliseconds. Workers abort them within 2 s. */
const DRAIN_MS = 5_000;

const POLL_MS = 200;

/** Records closed by one statement. */
const CLOSE_CHUNK = 10_000;

/**
 * Closes a batch whose workflow was terminated on the server (or failed there): nothing but the store can give its
 * records their outcomes then. No prompt starts any more, those in flight get a moment, and what is left becomes
 * `notRun` or `failed`. True when it was closed now; a batch that runs, has ended, or that this server does not know
 * stays as it is. Throws what the server's connection throws.
 */
export async function closeGone(context: ClientContext, batchId: string): Promise<boolean> {
  const { store } = context;
  const row = await store.getBatch(batchId);
  if (row === undefined || row.status === 'loading' || isEnded(row.status)) return false;
  const how = await endOnServer(context, batchId);
  // Read again: a batch that ended meanwhile has closed its records itself.
  if (how === null || isEnded((await store.getBatch(batchId))?.status ?? 'finished')) return false;
  const control = await store.readControl(batchId);
  if (control !== undefined) {
    await store.publishControl(batchId, { ...control, version: control.version + 1, stop: 'cancelled' });
  }
  const until = Date.now() + DRAIN_MS;
  while (Date.now() < until && (await store.counters(batchId)).inFlight > 0) await sleep(POLL_MS);
  const error = { ...endError('item_gone'), message: `The batch's workflow was ${how} on the Temporal server.` };
  const items = (await store.getBatch(batchId))?.items ?? row.items;
  for (let from = 0; from < items; from += CLOSE_CHUNK) {
    await store.closeRange(batchId, from, Math.min(from + CLOSE_CHUNK, items), error);
  }
  await store.updateBatch(batchId, {
    status: 'cancelled',
    statusReason: `its workflow was ${how} on the Temporal server`,
    finishedAt: Date.now(),
  });
  return true;
}

/** How the batch's workflow ended, in words; null while it runs, or when the server does not know it. */
async function endOnServer(context: ClientContext, batchId: string): Promise<string | null> {
  try {
    const { status } = await (await context.client()).workflow.getHandle(batchId).describe();
    return status.name === 'RUNNING' ? null : status.name.toLowerCase().replace('_', ' ');
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}
