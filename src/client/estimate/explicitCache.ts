import type { Ask } from '../../activities/ask.js';
import { limitsMoney } from '../../activities/explicitCache.js';
import { staticTurns } from '../../caching/breakpoints.js';
import { decideExplicit } from '../../caching/explicit.js';
import { schemaTokens } from '../../caching/uncounted.js';
import { PoolBook } from '../../limits/poolBook.js';
import { usdToNano } from '../../task/money.js';
import type { CacheConfig } from '../../task/optimization.js';
import type { TaskSpec } from '../../task/spec.js';
import type { ClientContext } from '../context.js';
import type { ExplicitCacheEstimate } from './types.js';

/** The cache a run with this first prompt, and this budget, would make on purpose; null = none. */
export async function explicitCacheOf(
  { providers, pools, store }: ClientContext,
  spec: TaskSpec,
  ask: Ask,
  config: CacheConfig,
  budgetUsd: number | undefined,
): Promise<ExplicitCacheEstimate | null> {
  const { caching, info, model, request } = ask;
  if (caching === null || !config.enabled || !config.autoDetectCacheable) return null;
  if (!(await canBeMade(providers, spec, ask))) return null;
  const budgetNano = budgetUsd === undefined ? null : usdToNano(budgetUsd);
  const limited = await limitsMoney({ pools: new PoolBook(pools), store }, model, { budgetNano });
  const tokens = caching.decision.prefixTokens - schemaTokens(request);
  const decision = decideExplicit(info, { ...caching.decision, prefixTokens: tokens }, config, limited);
  const { make, heldBack, makeUsd, storageUsdPerHour } = decision;
  return make || heldBack ? { made: make, tokens: Math.round(tokens), makeUsd, storageUsdPerHour } : null;
}

/** Whether the endpoint has such caches, and one can hold how these prompts begin; without its key the former alone. */
async function canBeMade(providers: ClientContext['providers'], spec: TaskSpec, ask: Ask): Promise<boolean> {
  if (!providers.available.includes(ask.provider)) return ask.provider === 'gemini';
  const caches = await providers.get(ask.provider).caches();
  return (caches?.contentHash(ask.request, staticTurns(spec)) ?? null) !== null;
}
