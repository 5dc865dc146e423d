import type { ModelInfo, PriceBand } from '../models/types.js';
import type { CacheDecision, CacheLife } from '../task/cachePlan.js';

/** The longest that counts as five minutes; seconds. */
const SHORT_LIFE_SECONDS = 300;

/** The life that covers `seconds`: only these two exist, so up to 300 s is five minutes and more an hour. */
export function lifeFor(seconds: number): CacheLife {
  return seconds <= SHORT_LIFE_SECONDS ? '5m' : '1h';
}

/** What a decision about one prefix goes by. */
export interface CacheQuestion {
  /** The model: its minimum and its prices. */
  readonly info: Pick<ModelInfo, 'minCacheTokens' | 'prices'>;
  /** Tokens of the prefix. */
  readonly prefixTokens: number;
  /** Prompts that begin with it, over the whole batch. */
  readonly prompts: number;
  /** Smallest prefix the configuration wants cached; counts where the model's own minimum is lower or not known. */
  readonly minTokens: number;
  /** How long it lives. */
  readonly life: CacheLife;
}

/**
 * Whether caching a prefix pays for this many prompts: it must reach the minimum, and what its reads save must exceed
 * what writing it costs extra. Without a price one read is enough. Pure.
 */
export function decideCaching(question: CacheQuestion): CacheDecision {
  const { info, prefixTokens, prompts, life } = question;
  const minTokens = Math.max(info.minCacheTokens ?? 0, question.minTokens);
  const reads = Math.max(0, prompts - 1);
  const facts = { prefixTokens, minTokens, reads, life };
  const band = bandOf(info, prefixTokens);
  const unknown = { premiumUsd: null, savedUsd: null, netUsd: null };
  if (prefixTokens < minTokens) return { cache: false, reason: 'too_short', ...facts, ...unknown };
  if (reads === 0) return { cache: false, reason: 'too_few_reads', ...facts, ...unknown };
  if (band === undefined) return { cache: true, reason: 'price_unknown', ...facts, ...unknown };
  const millions = prefixTokens / 1e6;
  const write = life === '5m' ? band.cacheWrite5m : band.cacheWrite1h;
  const premiumUsd = millions * (write - band.input);
  const savedUsd = reads * millions * (band.input - band.cacheRead);
  const netUsd = savedUsd - premiumUsd;
  const cache = netUsd > 0;
  return { cache, reason: cache ? 'pays' : 'too_few_reads', ...facts, premiumUsd, savedUsd, netUsd };
}

/** An estimate may be off by half: a prefix that seems half as long as need be is worth a count. */
const NEARLY = 0.5;

/** Whether an estimated prefix is worth a count by its provider. Pure. */
export function worthCounting({ reason, reads, prefixTokens, minTokens }: CacheDecision): boolean {
  return reason !== 'off' && reason !== 'no_place' && reads > 0 && prefixTokens >= minTokens * NEARLY;
}

/** The prices of a prompt of this size; undefined = not known. */
export function bandOf(info: Pick<ModelInfo, 'prices'>, tokens: number): PriceBand | undefined {
  return info.prices?.find(({ upTo }) => upTo === null || tokens <= upTo) ?? info.prices?.at(-1);
}
