import { storagePrice } from '../models/storagePrice.js';
import type { ModelInfo } from '../models/types.js';
import type { CacheDecision } from '../task/cachePlan.js';
import type { CacheConfig } from '../task/optimization.js';
import { bandOf } from './decision.js';

/** Share of prompts that are taken to miss an implicit cache, of which the provider promises nothing. */
const MISSED = 0.1;

/** Whether a cache is made on purpose, and what keeping it costs. */
export interface ExplicitDecision {
  /** Make one. */
  readonly make: boolean;
  /** It would pay, but money is limited and nobody asked for it. */
  readonly heldBack: boolean;
  /** What making it costs, which is what sending it once plainly costs; dollars; null = not known. */
  readonly makeUsd: number | null;
  /** What keeping it costs; dollars an hour; null = not known. */
  readonly storageUsdPerHour: number | null;
}

/** Whether a cache is made whatever it costs: by word, or because tags are wanted. */
export function asksForExplicit({ explicit, cacheTags }: Pick<CacheConfig, 'explicit' | 'cacheTags'>): boolean {
  return explicit ?? Object.keys(cacheTags).length > 0;
}

/**
 * Whether an explicit cache is made for a prefix. Its provider caches by itself too, and an explicit cache costs
 * storage; so it pays where what implicit caching is taken to miss is worth more than making it and keeping it for one
 * life. Where the price of storage is not known it is made only if it is asked for; so too where money is `limited`, by a
 * budget or a pool's day: making and storing it is billed apart from prompts, where neither sees it. Pure.
 */
export function decideExplicit(
  info: Pick<ModelInfo, 'ref' | 'prices'>,
  { prefixTokens, minTokens, reads }: Pick<CacheDecision, 'prefixTokens' | 'minTokens' | 'reads'>,
  config: Pick<CacheConfig, 'explicit' | 'cacheTags' | 'cacheTtlSeconds'>,
  limited: boolean,
): ExplicitDecision {
  const millions = prefixTokens / 1e6;
  const storage = storagePrice(info.ref);
  const storageUsdPerHour = storage === null ? null : storage * millions;
  const band = bandOf(info, prefixTokens);
  const makeUsd = band === undefined ? null : millions * band.input;
  const none = { make: false, heldBack: false, makeUsd, storageUsdPerHour };
  if (prefixTokens < minTokens || reads === 0 || config.explicit === false) return none;
  if (asksForExplicit(config)) return { ...none, make: true };
  if (band === undefined || makeUsd === null || storageUsdPerHour === null) return none;
  const gained = MISSED * reads * millions * (band.input - band.cacheRead);
  const paid = makeUsd + (storageUsdPerHour * config.cacheTtlSeconds) / 3600;
  const pays = gained > paid;
  return { ...none, make: pays && !limited, heldBack: pays && limited };
}
