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
  /** Dollars an hour; null = not known. */
  readonly storageUsdPerHour: number | null;
}

/**
 * Whether an explicit cache is made for a prefix. Its provider caches by itself too, and an explicit cache costs
 * storage; so it pays where what implicit caching is taken to miss is worth more than making it and keeping it for one
 * life. Where the price of storage is not known it is made only if it is asked for. Pure.
 */
export function decideExplicit(
  info: Pick<ModelInfo, 'ref' | 'prices'>,
  { prefixTokens, minTokens, reads }: Pick<CacheDecision, 'prefixTokens' | 'minTokens' | 'reads'>,
  { explicit, cacheTags, cacheTtlSeconds }: Pick<CacheConfig, 'explicit' | 'cacheTags' | 'cacheTtlSeconds'>,
): ExplicitDecision {
  const millions = prefixTokens / 1e6;
  const storage = storagePrice(info.ref);
  const storageUsdPerHour = storage === null ? null : storage * millions;
  if (prefixTokens < minTokens || reads === 0 || explicit === false) return { make: false, storageUsdPerHour };
  if (explicit === true || Object.keys(cacheTags).length > 0) return { make: true, storageUsdPerHour };
  const band = bandOf(info, prefixTokens);
  if (band === undefined || storageUsdPerHour === null) return { make: false, storageUsdPerHour };
  const gained = MISSED * reads * millions * (band.input - band.cacheRead);
  const paid = millions * band.input + (storageUsdPerHour * cacheTtlSeconds) / 3600;
  return { make: gained > paid, storageUsdPerHour };
}
