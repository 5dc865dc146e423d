import { createHash } from 'node:crypto';
import { staticTurns } from '../caching/breakpoints.js';
import { asksForExplicit, decideExplicit } from '../caching/explicit.js';
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

/** Where a cache is looked for and made. */
interface Place {
  readonly caches: ExplicitCaches;
  readonly ask: Ask;
  readonly config: CacheConfig;
  readonly turns: number;
  readonly wanted: CacheName;
  readonly warn: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * The batch's cache with its explicit one: found by model, content and tags, else made. Without where none pays, where
 * what it costs is in no budget, and where it could not be had: then prompts go out whole. Throws with
 * `raiseOnFallback`: `Optimization failed: …`.
 */
export async function withExplicitCache(
  deps: ActivityDeps,
  job: Job,
  ask: Ask,
  cache: BatchCache,
  { control, ...log }: Pick<Place, 'warn' | 'signal'> & { readonly control: Control },
): Promise<BatchCache> {
  const { config } = cachingOf(job.batch, job.task.spec, deps.optimizing);
  if (!config.autoDetectCacheable) return cache;
  const limited = await limitsMoney(deps, ask.model, control);
  // The schema goes with each prompt: such a cache can't hold it.
  const held = { ...cache.decision, prefixTokens: cache.decision.prefixTokens - schemaTokens(ask.request) };
  const { make, heldBack, storageUsdPerHour } = decideExplicit(ask.info, held, config, limited);
  if (heldBack) return { ...cache, explicitHeldBack: true };
  const explicit = make ? await explicitCache(deps, job, ask, storageUsdPerHour, log) : undefined;
  return explicit === undefined ? cache : { ...cache, explicit };
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

/** Whether a batch's explicit cache may live on: not where money was limited after its making, unless it was asked for. */
export async function mayRenew(deps: ActivityDeps, batchId: string, model: string): Promise<boolean> {
  const batch = await deps.batches.get(batchId);
  const { spec } = await deps.tasks.get(batch.taskHash);
  if (asksForExplicit(cachingOf(batch, spec, deps.optimizing).config)) return true;
  return !(await limitsMoney(deps, model, await deps.control.read(batchId)));
}

async function explicitCache(
  deps: ActivityDeps,
  job: Job,
  ask: Ask,
  storageUsdPerHour: number | null,
  { warn, signal }: Pick<Place, 'warn' | 'signal'>,
): Promise<ExplicitCache | undefined> {
  const { config, fallback } = cachingOf(job.batch, job.task.spec, deps.optimizing);
  try {
    const caches = await deps.providers.get(ask.provider).caches();
    const turns = staticTurns(job.task.spec);
    const hash = caches?.contentHash(ask.request, turns) ?? null;
    if (caches === null || hash === null) return undefined;
    const owner = createHash('sha256').update(job.batch.id).digest('hex');
    const wanted = { hash, owner, tags: config.cacheTags };
    const { cache, whose } = await foundOrMade({ caches, ask, config, turns, wanted, warn, signal }, deps.now());
    return {
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
  } catch (error) {
    if (!(error instanceof TemperedError) || signal.aborted) throw error;
    fallBack(fallback, error, warn);
    return undefined;
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
  const longest = fit.sort((a, b) => b.cache.expiresAt - a.cache.expiresAt)[0];
  return longest ?? { cache: await made(place), whose: 'own' };
}

/** A new cache. Where names aren't kept it has none: nobody will find it, and nobody can take it for another. */
async function made(place: Place): Promise<RemoteCache> {
  const { caches, ask, config, turns, wanted, warn, signal } = place;
  const order = { turns, ttlSeconds: config.cacheTtlSeconds, displayName: cacheName(wanted) };
  const unnamed = () => caches.create(ask.request, { ...order, displayName: null }, signal);
  const cache = await caches.create(ask.request, order, signal).catch((error: unknown) => {
    if (error instanceof TemperedError && /display_?name/i.test(error.message)) return unnamed();
    throw error;
  });
  const lost = cache.displayName !== order.displayName;
  if (lost && Object.keys(config.cacheTags).length > 0) warn('Cache tags requested but not supported by API');
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
