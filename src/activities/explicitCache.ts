import { createHash } from 'node:crypto';
import { staticTurns } from '../caching/breakpoints.js';
import { decideExplicit } from '../caching/explicit.js';
import { fallBack } from '../caching/fallback.js';
import { schemaTokens } from '../caching/uncounted.js';
import { parseModelRef } from '../models/modelRef.js';
import type { ExplicitCaches, RemoteCache } from '../providers/types.js';
import type { Control } from '../store/types.js';
import type { BatchCache, ExplicitCache } from '../task/cachePlan.js';
import { type CacheName, cacheName, cacheOwner } from '../task/cacheTags.js';
import { type ErrorCategory, TemperedError } from '../task/errors.js';
import type { CacheConfig } from '../task/optimization.js';
import type { Ask } from './ask.js';
import { cachingOf } from './caching.js';
import type { ActivityDeps } from './context.js';
import type { Job } from './job.js';

/** Time for the making of a cache; milliseconds. Not a cancelled batch's: what nobody heard of would be paid for to its end. */
const MAKING_MS = 30_000;

const TAGS_DROPPED = 'Cache tags requested but not supported by API';

/** Errors that leave open whether a request was carried out. */
const UNCLEAR: ReadonlySet<ErrorCategory> = new Set([
  'timeout',
  'network',
  'server_error',
  'overloaded',
  'cancelled',
  'unknown',
]);

/** Where a cache is looked for and made. */
interface Place {
  readonly caches: ExplicitCaches;
  readonly ask: Ask;
  readonly config: CacheConfig;
  readonly turns: number;
  readonly wanted: CacheName;
  readonly warn: (line: string) => void;
  readonly warnTags: () => void;
  readonly signal: AbortSignal;
}

/** Who is told, and what ends the looking. */
type Telling = Pick<Place, 'warn' | 'warnTags' | 'signal'>;

/** What came of an explicit cache; null: its provider has none, or not for such content. */
type Came = Pick<BatchCache, 'explicit' | 'explicitOrdered'> | null;

/** Whether a batch's cache is to have tags. */
export function wantsTags({ explicit, cacheTags }: Pick<CacheConfig, 'explicit' | 'cacheTags'>): boolean {
  return explicit !== false && Object.keys(cacheTags).length > 0;
}

/** What tells a batch's caches from others'. */
export function cacheOwnerHash(batchId: string): string {
  return createHash('sha256').update(batchId).digest('hex');
}

/**
 * The batch's cache with its explicit one: found by model, content and tags, else made. Without where none pays, where
 * what it costs is in no budget, and where it could not be had: then prompts go out whole, and the log tells of tags
 * that were wanted. Throws with `raiseOnFallback`: `Optimization failed: …`.
 */
export async function withExplicitCache(
  deps: ActivityDeps,
  job: Job,
  ask: Ask,
  cache: BatchCache,
  { control, ...log }: Pick<Place, 'warn' | 'signal'> & { readonly control: Control },
): Promise<BatchCache> {
  const { config } = cachingOf(job.batch, job.task.spec, deps.optimizing);
  const warnTags = () => {
    if (wantsTags(config) && deps.cacheFaults.tagsDropped(job.batch.id)) log.warn(TAGS_DROPPED);
  };
  const limited = await limitsMoney(deps, ask.model, control);
  // The schema goes with each prompt: such a cache can't hold it.
  const prefixTokens = cache.decision.prefixTokens - schemaTokens(ask.request);
  const reads = Math.min(cache.decision.reads, await promptsLeft(deps, job));
  const held = { ...cache.decision, prefixTokens, reads };
  const { make, heldBack, storageUsdPerHour } = decideExplicit(ask.info, held, config, limited);
  const wanted = config.autoDetectCacheable && make;
  const came = wanted ? await explicitCache(deps, job, ask, storageUsdPerHour, { ...log, warnTags }) : null;
  if (came === null) warnTags();
  const toldBack = config.autoDetectCacheable && heldBack ? { explicitHeldBack: true } : {};
  return { ...cache, ...toldBack, ...came };
}

/** Records that are still to be asked, less the one whose prompt goes first: a cache made late has few readers. */
async function promptsLeft(deps: Pick<ActivityDeps, 'store' | 'optimizing'>, { batch, task }: Job): Promise<number> {
  const { succeeded, partial, failed, notRun } = await deps.store.counters(batch.id);
  const { prompts } = cachingOf(batch, task.spec, deps.optimizing);
  return Math.max(0, prompts - (succeeded + partial + failed + notRun) - 1);
}

/** Whether a budget or a day of the model's pool limits money. */
export async function limitsMoney(
  { pools, store }: Pick<ActivityDeps, 'pools' | 'store'>,
  model: string,
  { budgetNano }: Pick<Control, 'budgetNano'>,
): Promise<boolean> {
  const name = pools.poolOf(model);
  if (budgetNano !== null || pools.settingsOf(name).perDayUsd !== undefined) return true;
  return (await store.listPools()).some(({ pool, set }) => pool === name && set.perDayUsd !== undefined);
}

async function explicitCache(
  deps: ActivityDeps,
  job: Job,
  ask: Ask,
  storageUsdPerHour: number | null,
  telling: Telling,
): Promise<Came> {
  const { config, fallback } = cachingOf(job.batch, job.task.spec, deps.optimizing);
  try {
    const caches = await deps.providers.get(ask.provider).caches();
    const turns = staticTurns(job.task.spec);
    const hash = caches?.contentHash(ask.request, turns) ?? null;
    if (caches === null || hash === null) return null;
    const wanted = { hash, owner: cacheOwnerHash(job.batch.id), tags: config.cacheTags };
    const { cache, whose } = await foundOrMade({ caches, ask, config, turns, wanted, ...telling }, deps.now());
    const explicit: ExplicitCache = {
      name: cache.name,
      hash,
      turns,
      owner: whose,
      expiresAt: cache.expiresAt,
      ttlSeconds: config.cacheTtlSeconds,
      renewBeforeSeconds: config.autoRenew ? config.cacheRenewalBufferSeconds : null,
      keep: config.keepCache,
      storageUsdPerHour,
    };
    return { explicit };
  } catch (error) {
    if (!(error instanceof TemperedError) || telling.signal.aborted) throw error;
    fallBack(fallback, error, telling.warn);
    return UNCLEAR.has(error.category) ? { explicitOrdered: ask.model } : {};
  }
}

interface Had {
  readonly cache: RemoteCache;
  readonly whose: ExplicitCache['owner'];
}

async function foundOrMade(place: Place, now: number): Promise<Had> {
  const { caches, ask, config, wanted, signal } = place;
  const least = now + config.cacheRenewalBufferSeconds * 1000;
  const fit = (await caches.list(signal)).flatMap((cache): Had[] => {
    const whose = cacheOwner(cache.displayName, wanted);
    // One that is about to end is not taken: its renewal would be due at once.
    if (whose === null || cache.model !== ask.request.model || cache.expiresAt <= least) return [];
    return [{ cache, whose }];
  });
  // Its own first: a try whose worker was lost may have made it.
  const [best] = fit.sort(
    (a, b) => Number(b.whose === 'own') - Number(a.whose === 'own') || b.cache.expiresAt - a.cache.expiresAt,
  );
  if (best !== undefined) return best;
  signal.throwIfAborted();
  return { cache: await made(place), whose: 'own' };
}

/** A new cache. Where names aren't kept it has none: nobody will find it, and nobody can take it for another. */
async function made({ caches, ask, config, turns, wanted, warnTags }: Place): Promise<RemoteCache> {
  const order = { turns, ttlSeconds: config.cacheTtlSeconds, displayName: cacheName(wanted) };
  const create = (displayName: string | null) =>
    caches.create(ask.request, { ...order, displayName }, AbortSignal.timeout(MAKING_MS));
  const cache = await create(order.displayName).catch((error: unknown) => {
    if (error instanceof TemperedError && /display_?name/i.test(error.message)) return create(null);
    throw error;
  });
  if (cache.displayName !== order.displayName) warnTags();
  return cache;
}

/** What 403 and 404 come to: Google answers with either when there is no such cache. */
const GONE: ReadonlySet<ErrorCategory> = new Set(['permission', 'model_not_found']);

/** Whether an error says that a cache is gone. */
function isGone(error: unknown): boolean {
  return error instanceof TemperedError && GONE.has(error.category) && /cached ?content/i.test(error.message);
}

/** The caches of a model's provider. Throws `input` for one that has none. */
export async function cachesOf({ providers }: Pick<ActivityDeps, 'providers'>, model: string): Promise<ExplicitCaches> {
  const { provider } = parseModelRef(model);
  const caches = await providers.get(provider).caches();
  if (caches !== null) return caches;
  throw new TemperedError('input', `${provider} has no caches that are made on purpose.`);
}

/** What `act` returns; null when the cache is gone. */
export async function unlessGone<T>(act: () => Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}
