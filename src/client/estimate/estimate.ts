import { type Ask, buildAsk, cacheOf, withTokens } from '../../activities/ask.js';
import type { Caching } from '../../activities/caching.js';
import { worthCounting } from '../../caching/decision.js';
import { partialMissShare } from '../../caching/partialMisses.js';
import { parseModelRef } from '../../models/modelRef.js';
import { PoolBook } from '../../limits/poolBook.js';
import type { ModelInfo } from '../../models/types.js';
import { initialState, planOf } from '../../recovery/ladder.js';
import { compileValidator } from '../../recovery/validators.js';
import type { BatchCache } from '../../task/cachePlan.js';
import type { AnyTask } from '../../task/defineTask.js';
import { TemperedError } from '../../task/errors.js';
import type { Json } from '../../task/json.js';
import { limitsBy, lowestLimits } from '../../task/limits.js';
import type { OptimizationOptions } from '../../task/optimization.js';
import type { PoolLimits, RenderedPrompt } from '../../task/spec.js';
import { batchId as batchIdOf } from '../../workflows/ids.js';
import type { ClientContext } from '../context.js';
import { NO_CONTROL } from '../preview.js';
import { readSnapshot } from '../snapshot.js';
import type { BatchData } from '../spool.js';
import { withModel } from '../withModel.js';
import { COUNTED_BY_PROVIDER, type Counted, countPrompts } from './counting.js';
import { expectationOf, expectedRecord, laterMisses, warmUpNano } from './expect.js';
import { explicitCacheOf } from './explicitCache.js';
import { type History, meansOf, readHistory } from './history.js';
import { pilotSample } from './pilot.js';
import { type Population, readPopulation } from './population.js';
import { sumUp } from './sum.js';
import type { Estimate, EstimateOptions, ModelEstimate } from './types.js';

/** Prompts counted on this machine. */
const SAMPLE = 200;

/** Earlier records that correct the count. */
const CALIBRATED = 40;

/** Share by which a corrected count may still be off. */
const CORRECTED_OFF = 0.05;

/** Runs a sample as a batch of its own, to its end, with these settings of the call; returns the batch's id. */
export type RunPilot = (task: AnyTask, values: readonly Json[], optimization: OptimizationOptions) => Promise<string>;

/** What an estimate of one model is made with. */
interface Setting {
  readonly context: ClientContext;
  /** With the model that is estimated. */
  readonly task: AnyTask;
  readonly info: ModelInfo;
  readonly limits: PoolLimits;
  /** How a run of all records would cache. */
  readonly caching: Caching;
  readonly population: Population;
  readonly options: EstimateOptions;
}

/**
 * Estimates a run for each model asked for. Sends no prompt, unless `options.sample` says so. Throws `input` as a run
 * would for bad data.
 */
export async function estimateBatch(
  context: ClientContext,
  task: AnyTask,
  data: BatchData,
  options: EstimateOptions,
  runPilot: RunPilot,
): Promise<Estimate> {
  const { limit, idField, onBadInput = 'fail', sample, models = [task.spec.model] } = options;
  const drawing = { sample: sample ?? SAMPLE, limit, idField, onBadInput };
  const population = await readPopulation(task, data, drawing);
  if (population.bytes === null && sample === undefined) throw notRendered();
  const estimates: ModelEstimate[] = [];
  for (const model of models) {
    const ref = parseModelRef(model);
    const info = context.providers.modelInfo(ref, new Date());
    const limits = await limitsOf(context, task, model);
    const own = withModel(task, model);
    const caching = await cachingFor(context, own, population);
    const setting = { context, task: own, info, limits, caching, population, options };
    estimates.push(await (sample === undefined ? guessed(setting) : piloted(setting, runPilot)));
  }
  const { items, preset, skipped } = population;
  const source = typeof data === 'string' ? data : 'data';
  return { task: task.spec.name, source, items, preset, skipped, estimates };
}

function notRendered(): TemperedError {
  return new TemperedError('input', 'The prompts of a task with prepare() are not known before it has run.', {
    remedy: 'Let a few records tell: --sample 20 really runs them.',
  });
}

/** From prompts that are only rendered and counted. */
async function guessed(setting: Setting): Promise<ModelEstimate> {
  const { context, task, info, limits, population, options } = setting;
  const { model } = task.spec;
  const askProvider = options.askProvider !== false;
  const history = await readHistory(context.store, { hash: task.hash, model });
  const expected = await expectationOf(task.spec, meansOf(history), `${history.records.length} earlier records`);
  const counts = askProvider && context.providers.available.includes(info.ref.provider);
  const sample = counts ? spread(population.drawn, COUNTED_BY_PROVIDER) : population.drawn;
  const estimated = sample.map(({ record }) => askFor(setting, record.rendered));
  const raw = await countPrompts(estimated, model, { ...context, askProvider });
  const cache = countedCache(estimated, raw);
  const asks = cache === undefined ? estimated : sample.map(({ record }) => askFor(setting, record.rendered, cache));
  const counted = raw.by === 'provider' ? raw : await calibrated(setting, history, raw);
  const misses = laterMisses(task.spec, population.items - population.preset, expected);
  const records = asks.flatMap((ask, i) => {
    const size = counted.sizes[i];
    const bytes = sample[i]?.bytes ?? 0;
    return size === undefined ? [] : [expectedRecord({ bytes, ask, size }, expected, misses)];
  });
  const [ask] = asks;
  const [size] = counted.sizes;
  const onceNano = ask === undefined || size === undefined ? 0 : warmUpNano(ask, size);
  const { basis: tokenBasis, uncertainty } = counted;
  const prefixTokens = size === undefined ? null : Math.round(size.prefix);
  const basis = { tokenBasis, uncertainty, prefixTokens, ...(await decided(setting, ask)) };
  return sumUp({ task, info, limits, population, options, expected, records, onceNano, ...basis });
}

/** What a run would decide its cache by, where its provider counted the prefix; undefined: by an estimate, as `asks` did. */
function countedCache([ask]: readonly Ask[], { decidingPrefix: tokens }: Counted): BatchCache | undefined {
  const decision = ask?.caching?.decision;
  if (tokens === null || ask === undefined || decision === undefined) return undefined;
  return worthCounting(decision) ? withTokens(cacheOf(ask, 'estimate'), tokens) : undefined;
}

/** What a run would decide about its caches, as its first prompt tells. */
async function decided(
  { context, task, caching, options }: Setting,
  ask: Ask | undefined,
): Promise<Pick<ModelEstimate, 'caching' | 'explicitCache'>> {
  if (ask === undefined) return { caching: null, explicitCache: null };
  const explicitCache = await explicitCacheOf(context, task.spec, ask, caching.config, options.budgetUsd);
  return { caching: ask.caching?.decision ?? null, explicitCache };
}

/** From what records that were really run had to pay. */
async function piloted(setting: Setting, runPilot: RunPilot): Promise<ModelEstimate> {
  const { context, task, info, limits, population, options } = setting;
  const { hash, spec } = task;
  const values = population.drawn.map(({ value }) => value);
  // A rollout goes by the whole run's id, not by the sample's.
  const { enabled } = setting.caching.config;
  const batchId = await runPilot(task, values, { cache: { enabled, rolloutPercent: 100 } });
  const history = await readHistory(context.store, { hash, model: spec.model }, batchId);
  const past = meansOf(history);
  if (past === null) {
    throw new TemperedError('unknown', `The sample's batch ${batchId} told no tokens, so nothing can be projected.`, {
      remedy: `See what became of it: tempered status ${batchId}`,
    });
  }
  // What they may be off by is in the sampling error already; but retries that were not seen may only be rare.
  const doubts = { answerOff: 0, retriesOff: past.extraPrompts === 0 ? 1 / past.records : 0 };
  const expected = { ...(await expectationOf(spec, past, 'the sample')), ...doubts };
  const partial = (population.items - population.preset) * past.extraPrompts * past.partialShare;
  const misses = partialMissShare(spec.schema, partial);
  const { money, cache } = await readSnapshot(context.store, batchId, context.providers);
  const place = { drawn: population.drawn, misses, life: cache?.decision.life };
  const { records, onceNano } = pilotSample(info, history.records, place);
  const rendered = population.drawn.find(({ record }) => record.rendered !== null)?.record.rendered;
  // Its provider counted the same prefix; the decision is that of a run of all records.
  const own = cache?.model === spec.model ? cache : undefined;
  const decisions = await decided(setting, rendered === undefined ? undefined : askFor(setting, rendered, own));
  const tokenBasis = 'counted by the provider, as billed';
  const counted = { tokenBasis, uncertainty: 0, prefixTokens: null, ...decisions };
  const made = sumUp({ task, info, limits, population, options, expected, records, onceNano, ...counted });
  return { ...made, pilot: { batchId, records: history.records.length, costUsd: money.spentUsd } };
}

/** As a run that starts now would have it, under the id made of task and data: a rollout by percentage goes by that. */
async function cachingFor(context: ClientContext, { spec, hash }: AnyTask, population: Population): Promise<Caching> {
  const { items, preset, dataHash } = population;
  const { cache, fallback } = await context.optimization(spec, batchIdOf(spec.name, hash, dataHash), undefined);
  return { config: cache, fallback, prompts: items - preset, warn: context.onProgress };
}

/** The lowest of the task's quotas and those of the pool: set live, configured, else as the provider told before. */
async function limitsOf({ pools, store }: ClientContext, task: AnyTask, model: string): Promise<PoolLimits> {
  const book = new PoolBook(pools);
  const name = book.poolOf(model);
  const live = (await store.listPools()).find(({ pool }) => pool === name);
  const configured = book.settingsOf(name);
  return lowestLimits([
    task.spec.limits,
    limitsBy((limit) => live?.set[limit] ?? configured[limit] ?? live?.told[limit]),
  ]);
}

/** A record's first request, as a run would send it. */
function askFor(
  { context: { providers }, task, caching }: Setting,
  rendered: RenderedPrompt | null,
  cache?: BatchCache,
): Ask {
  const { hash, spec, functions } = task;
  const plan = planOf(spec);
  const checkShape = compileValidator({ schema: spec.schema, zod: task.schema });
  return buildAsk({
    task: { hash, spec, plan, checkShape, functions, module: task },
    record: { index: 0, id: '', line: null, input: null, rendered },
    state: initialState(plan),
    kept: null,
    control: cache === undefined ? NO_CONTROL : { ...NO_CONTROL, cache },
    prepared: undefined,
    endpoints: providers,
    cache: caching,
    now: new Date(),
  });
}

/** Corrects a count made here by what the provider billed for earlier records of the same task. */
async function calibrated(setting: Setting, history: History, counted: Counted): Promise<Counted> {
  const { context, task } = setting;
  let billed = 0;
  const asks: Ask[] = [];
  for (const { batchId, index, prompts } of spread(history.records, CALIBRATED)) {
    const tokens = prompts[0]?.usage?.inputTokens;
    const record = await context.store.getRecord(batchId, index);
    if (tokens === undefined || record === undefined || record.rendered === null) continue;
    billed += tokens;
    asks.push(askFor(setting, record.rendered));
  }
  if (asks.length === 0) return counted;
  const own = await countPrompts(asks, task.spec.model, { ...context, askProvider: false });
  const factor = billed / own.sizes.reduce((sum, { whole }) => sum + whole, 0);
  const sizes = counted.sizes.map(({ prefix, whole }) => ({
    prefix: prefix * factor,
    whole: Math.round(whole * factor),
  }));
  const basis = `${counted.basis}, corrected by ${asks.length} earlier prompts`;
  return { ...counted, sizes, basis, uncertainty: Math.min(counted.uncertainty, CORRECTED_OFF) };
}

/** `count` elements, evenly spread. */
function spread<T>(all: readonly T[], count: number): readonly T[] {
  if (all.length <= count) return all;
  return all.filter((_, i) => Math.floor((i * count) / all.length) !== Math.floor(((i - 1) * count) / all.length));
}
