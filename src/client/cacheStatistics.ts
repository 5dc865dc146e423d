import { cachesPrefix, estimateTokens } from '../caching/breakpoints.js';
import { type CacheFacts, type CacheStatistics, cacheStatistics } from '../caching/statistics.js';
import { parseModelRef } from '../models/modelRef.js';
import type { ClientContext } from './context.js';
import { type BatchSnapshot, snapshotOf } from './snapshot.js';

export type { CacheStatistics } from '../caching/statistics.js';

/** Newest batches that are added up. */
const BATCHES = 1000;

/** Cache statistics of one batch. */
export async function statisticsOf(context: ClientContext, snapshot: BatchSnapshot): Promise<CacheStatistics> {
  return cacheStatistics([await factsOf(context, snapshot)]);
}

/** Cache statistics by service, over the newest 1,000 batches. */
export async function statisticsByService(context: ClientContext): Promise<Record<string, CacheStatistics>> {
  const facts = new Map<string, CacheFacts[]>();
  for (const row of await context.store.listBatches(BATCHES)) {
    const one = await factsOf(context, await snapshotOf(context.store, row, context.providers));
    facts.set(row.taskName, [...(facts.get(row.taskName) ?? []), one]);
  }
  return Object.fromEntries([...facts].map(([service, all]) => [service, cacheStatistics(all)]));
}

async function factsOf({ store, providers }: ClientContext, snapshot: BatchSnapshot): Promise<CacheFacts> {
  const { counters, money, taskHash, model } = snapshot;
  const spec = await store.getTask(taskHash);
  const { instructions, messages, cache } = spec ?? { cache: { enabled: false } };
  const ref = model === '' ? null : parseModelRef(model);
  const info = ref === null ? null : providers.modelInfo(ref, new Date());
  const marks = info !== null && cachesPrefix(cache, instructions, info);
  return {
    prompts: counters.prompts,
    blocks: (instructions === undefined ? 0 : 1) + (messages?.length ?? 1),
    marked: marks ? 1 : 0,
    markedTokens: marks ? estimateTokens(instructions ?? '') : 0,
    usage: counters.usage,
    savedUsd: money.cacheSavingsUsd,
  };
}
