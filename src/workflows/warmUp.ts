import { ActivityFailure, isCancellation, sleep } from '@temporalio/workflow';
import type { OpenedBatch } from '../activities/types.js';
import { initialState } from '../recovery/ladder.js';
import type { BatchControl } from './control.js';
import { sendProbe } from './probe.js';
import { caches } from './proxies.js';

/** What a warm-up needs of its batch. */
interface Host {
  /** The batch. */
  readonly batchId: string;
  /** Where what was decided is published. */
  readonly control: BatchControl;
  /** Notes for people, as the query `failures` shows them. */
  readonly rejected: string[];
}

/**
 * What comes before the fan-out: the cache is prepared, the first prompt (of record `first`) goes alone and writes it,
 * and what it wrote gets time until it can be read. Where nothing is cached only the prompt goes, so that a wrong key
 * or model is found early; a batch that caches and is told not to wait opens at once.
 */
export async function warmUp(host: Host, first: number, opened: OpenedBatch): Promise<void> {
  const { caching } = opened;
  if (caching?.ask === true) await prepareCache(host, first, opened);
  const cached = caching !== undefined && host.control.settings.cache?.decision.cache === true;
  if (cached && !caching.warmFirst) return;
  await sendProbe(host.batchId, first, opened);
  if (!cached || caching.settleMs === 0 || host.control.stop !== null) return;
  await sleep(caching.settleMs, { summary: 'the prompt cache becomes readable' });
}

/** A cache that can't be prepared keeps nobody waiting: what was estimated at the start holds. */
async function prepareCache({ batchId, control, rejected }: Host, index: number, opened: OpenedBatch): Promise<void> {
  const state = initialState(opened.plan);
  try {
    const summary = 'prompt cache: count and decide';
    const cache = await caches(opened.queue).prepareCache.executeWithOptions({ summary }, [{ batchId, index, state }]);
    await control.change({ cache });
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    rejected.push(`The prompt cache was not prepared: ${error.cause?.message ?? error.message}`);
  }
}
