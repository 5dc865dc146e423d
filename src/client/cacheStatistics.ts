import { cachingOf } from '../activities/caching.js';
import { planCache, staticTurns } from '../caching/breakpoints.js';
import { type CacheFacts, type CacheStatistics, cacheStatistics, prefixBlocks } from '../caching/statistics.js';
import { parseModelRef } from '../models/modelRef.js';
import type { BatchCache } from '../task/cachePlan.js';
import type { BatchRow, SpendRow } from '../store/types.js';
import { nanoToUsd } from '../task/money.js';
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
  const facts = new Facts();
  for (const row of await context.store.listBatches(BATCHES)) {
    facts.add(row.taskName, await factsOf(context, await snapshotOf(context.store, row, context.providers), row));
  }
  return facts.statistics;
}

/** Cache statistics by model, over the newest 1,000 batches. Adds up the journal: seconds for a million prompts. */
export async function statisticsByModel(context: ClientContext): Promise<Record<string, CacheStatistics>> {
  const rows = await context.store.listBatches(BATCHES);
  const since = Math.min(...rows.map(({ createdAt }) => createdAt));
  return byModel(context, rows, await context.store.spendByModel(since, Number.MAX_SAFE_INTEGER));
}

/** Cache statistics of one batch by the models it asked. Adds up its journal only when there can be several. */
export async function statisticsOfModels(
  context: ClientContext,
  snapshot: BatchSnapshot,
): Promise<Record<string, CacheStatistics>> {
  const { store } = context;
  const row = await store.getBatch(snapshot.batchId);
  const spec = await store.getTask(snapshot.taskHash);
  if (row === undefined || spec === undefined) return {};
  const models = new Set([snapshot.model, spec.model, ...spec.stages.flatMap(({ model }) => model ?? [])]);
  if (models.size === 1 && spec.fallbackModel === undefined) {
    return { [snapshot.model]: await statisticsOf(context, snapshot) };
  }
  return byModel(context, [row], await store.spendByModel(0, Number.MAX_SAFE_INTEGER, row.id));
}

async function byModel(
  context: ClientContext,
  batches: readonly BatchRow[],
  spent: readonly SpendRow[],
): Promise<Record<string, CacheStatistics>> {
  const rows = new Map(batches.map((row) => [row.id, row]));
  const facts = new Facts();
  for (const { batchId, model, prompts, usage, savingsNano, unpricedPrompts } of spent) {
    const row = rows.get(batchId);
    if (row === undefined || model === null) continue;
    const savedUsd = unpricedPrompts > 0 ? null : nanoToUsd(savingsNano);
    const cache = (await context.store.readControl(batchId))?.cache ?? null;
    facts.add(model, { ...(await marksOf(context, model, row, cache)), prompts, usage, savedUsd });
  }
  return facts.statistics;
}

/** Facts under the name they are added up by. */
class Facts {
  private readonly lists = new Map<string, CacheFacts[]>();

  add(name: string, facts: CacheFacts): void {
    const list = this.lists.get(name);
    if (list === undefined) this.lists.set(name, [facts]);
    else list.push(facts);
  }

  get statistics(): Record<string, CacheStatistics> {
    return Object.fromEntries([...this.lists].map(([name, all]) => [name, cacheStatistics(all)]));
  }
}

async function factsOf(
  context: ClientContext,
  { model, cache, counters: { prompts, usage }, money }: BatchSnapshot,
  batch: BatchRow | undefined,
): Promise<CacheFacts> {
  return { ...(await marksOf(context, model, batch, cache)), prompts, usage, savedUsd: money.cacheSavingsUsd };
}

/**
 * What of a whole prompt of the batch is marked for `model`: as the batch decided for it, and for another model as it
 * would have. A batch that has begun and decided nothing caches nothing, whatever the switch of this process says.
 */
async function marksOf(
  { store, providers }: ClientContext,
  model: string,
  batch: BatchRow | undefined,
  cache: BatchCache | null,
): Promise<Pick<CacheFacts, 'blocks' | 'marked' | 'markedTokens'>> {
  const spec = batch === undefined ? undefined : await store.getTask(batch.taskHash);
  if (batch === undefined || spec === undefined || model === '') return { blocks: 1, marked: 0, markedTokens: 0 };
  const { instructions, schema, messages = [], params } = spec;
  const first = instructions === undefined ? 0 : 1;
  const blocks = first + Math.max(1, messages.length);
  if (cache === null) return { blocks, marked: 0, markedTokens: 0 };
  const ref = parseModelRef(model);
  const plan = planCache({
    // It has a decision, so its worker had the cache switched on.
    config: cachingOf(batch, spec, true).config,
    info: providers.modelInfo(ref, new Date()),
    instructions,
    schema,
    messages,
    params,
    staticTurns: staticTurns(spec),
    prompts: cache.decision.reads + 1,
    supported: providers.cachesPrompts(ref.provider),
    cachesBare: (bare) => providers.cachesBare(ref, bare),
  });
  const decision = cache.model === model ? cache.decision : plan.decision;
  if (!decision.cache) return { blocks, marked: 0, markedTokens: 0 };
  // The turns a function makes are not known here; what is marked of them is one block at least.
  const marked = Math.max(1, prefixBlocks(instructions, plan.turns));
  return { blocks, marked, markedTokens: decision.prefixTokens };
}
