import { cachingOf } from '../activities/caching.js';
import { type CachePlan, planCache, staticTurns } from '../caching/breakpoints.js';
import { type CacheFacts, type CacheStatistics, cacheStatistics } from '../caching/statistics.js';
import { parseModelRef } from '../models/modelRef.js';
import type { BatchRow } from '../store/types.js';
import type { ClientContext } from './context.js';
import { type BatchSnapshot, snapshotOf } from './snapshot.js';

export type { CacheStatistics } from '../caching/statistics.js';

/** Newest batches that are added up. */
const BATCHES = 1000;

/** Cache statistics of one batch. */
export async function statisticsOf(context: ClientContext, snapshot: BatchSnapshot): Promise<CacheStatistics> {
  return cacheStatistics([await factsOf(context, snapshot, await context.store.getBatch(snapshot.batchId))]);
}

/** Cache statistics by service, over the newest 1,000 batches. */
export async function statisticsByService(context: ClientContext): Promise<Record<string, CacheStatistics>> {
  const facts = new Map<string, CacheFacts[]>();
  for (const row of await context.store.listBatches(BATCHES)) {
    const one = await factsOf(context, await snapshotOf(context.store, row, context.providers), row);
    facts.set(row.taskName, [...(facts.get(row.taskName) ?? []), one]);
  }
  return Object.fromEntries([...facts].map(([service, all]) => [service, cacheStatistics(all)]));
}

async function factsOf(
  context: ClientContext,
  snapshot: BatchSnapshot,
  batch: BatchRow | undefined,
): Promise<CacheFacts> {
  const { counters, money } = snapshot;
  const { blocks, plan } = await planned(context, snapshot.model, batch);
  const marked = plan?.marks !== undefined;
  return {
    prompts: counters.prompts,
    blocks,
    marked: marked ? 1 : 0,
    markedTokens: marked ? plan.decision.prefixTokens : 0,
    usage: counters.usage,
    savedUsd: money.cacheSavingsUsd,
  };
}

/** The blocks of one whole prompt of the batch, and where its breakpoints go; no plan while its model isn't known. */
async function planned(
  { store, providers, optimizing }: ClientContext,
  model: string,
  batch: BatchRow | undefined,
): Promise<{ readonly blocks: number; readonly plan?: CachePlan }> {
  const spec = batch === undefined ? undefined : await store.getTask(batch.taskHash);
  if (batch === undefined || spec === undefined || model === '') return { blocks: 1 };
  const { config, prompts } = cachingOf(batch, spec, optimizing);
  const { instructions, schema, messages = [], params } = spec;
  const info = providers.modelInfo(parseModelRef(model), new Date());
  const supported = providers.cachesPrompts(info.ref.provider);
  const request = { config, info, instructions, schema: schema ?? undefined, messages, params, prompts, supported };
  const blocks = (instructions === undefined ? 0 : 1) + Math.max(1, messages.length);
  return { blocks, plan: planCache({ ...request, staticTurns: staticTurns(spec) }) };
}
