import { sleep } from '@temporalio/workflow';
import type { OpenedBatch } from '../activities/types.js';
import { CONTROL_STALE_MS } from '../limits/bounds.js';
import type { CacheKeeper } from './cacheKeeper.js';
import type { Probe } from './probe.js';

/** What a warm-up needs of its batch. */
interface Host {
  /** Sends the first prompt. */
  readonly probe: Probe;
  /** Decides about the cache. */
  readonly cache: CacheKeeper;
}

/**
 * What comes before the fan-out: the cache is prepared, the first prompt (of record `first`) goes alone and writes it,
 * and what it wrote gets time until it can be read. Where nothing is cached only the prompt goes, so that a wrong key
 * or model is found early; a batch that caches and is told not to wait opens at once.
 */
export async function warmUp({ probe, cache }: Host, first: number, opened: OpenedBatch): Promise<void> {
  const { caching } = opened;
  if (caching?.ask === true) await cache.prepare(first, opened);
  // The first prompts would go out whole, past a cache that is paid for, or write what nobody reads.
  if (cache.isExplicit || cache.isUnmarked)
    await sleep(CONTROL_STALE_MS, { summary: 'workers learn of the prompt cache' });
  if (caching === undefined || !cache.isUsed) return probe.send(first, opened);
  if (!caching.warmFirst) return;
  await probe.send(first, opened);
  // An explicit cache was there before the prompt.
  if (caching.settleMs === 0 || cache.isExplicit || cache.isOver) return;
  await sleep(caching.settleMs, { summary: 'the prompt cache becomes readable' });
}
