import { cachesOf, unlessGone } from '../activities/explicitCache.js';
import { TemperedError } from '../task/errors.js';
import type { ClientContext } from './context.js';
import { isEnded } from './settled.js';
import { readSnapshot } from './snapshot.js';

/** Time for the deletion; milliseconds. */
const WAIT_MS = 30_000;

/** See `BatchHandle.deleteCache`. */
export async function deleteCache({ store, providers }: ClientContext, batchId: string): Promise<boolean> {
  const { status, cache } = await readSnapshot(store, batchId, providers);
  if (!isEnded(status)) {
    throw new TemperedError('input', `Batch ${batchId} is ${status}, and its prompts use its cache.`, {
      remedy: 'It is deleted when the batch ends, unless the settings keep it.',
    });
  }
  if (cache?.explicit === undefined) return false;
  const { model, explicit } = cache;
  const signal = AbortSignal.timeout(WAIT_MS);
  const deleted = await unlessGone(async () => {
    await (await cachesOf({ providers }, model)).remove(explicit.name, signal);
    return true;
  });
  return deleted ?? false;
}
