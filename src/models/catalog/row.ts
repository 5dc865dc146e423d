import type { Capability, EffortRule, PriceBand, SamplingRule } from '../types.js';

/** What a provider's documentation says of one model. Null = it does not say. */
export interface CatalogRow {
  /** The exact id. */
  readonly id: string;
  /** Other exact ids the provider documents for the same model (dated snapshots). */
  readonly aliases?: readonly string[];
  /** Largest whole prompt, tokens. */
  readonly contextTokens: number | null;
  /** Most tokens of one answer. */
  readonly maxOutputTokens: number | null;
  /** Smallest prefix that is cached, tokens. */
  readonly minCacheTokens: number | null;
  /** Whether and how it takes a temperature. */
  readonly sampling: SamplingRule;
  /** Its effort or thinking levels. */
  readonly effort: EffortRule | null;
  /** Whether it has native structured output. */
  readonly structuredOutput: boolean | null;
  /** What it can do beside text. */
  readonly capabilities: readonly Capability[] | null;
  /** `YYYY-MM-DD` or `YYYY-MM`, as the provider says it. */
  readonly knowledgeCutoff: string | null;
  /** What the Batch API charges, as a share of the prices; null = unknown, or it has none. */
  readonly batch: BatchShare | null;
  /** Price lists by rising start date; empty = unknown. Nothing is known of the time before the first. */
  readonly prices: readonly PriceStep[];
}

/** A price list and the day from which it holds. */
export interface PriceStep {
  /** ISO date, UTC; the empty string means "as long as the model has been sold". */
  readonly from: string;
  /** By rising prompt size. */
  readonly bands: readonly PriceBand[];
}

/** Shares of the normal prices that a provider's Batch API charges. */
export interface BatchShare {
  /** Of input, output and cache writes. */
  readonly tokens: number;
  /** Of cache reads. Not every provider halves them too. */
  readonly cacheRead: number;
}

/** Everything at half price, cache reads too. */
export const HALF: BatchShare = { tokens: 0.5, cacheRead: 0.5 };

/** A provider's models and where their numbers come from. */
export interface ProviderCatalog {
  /** Where the numbers come from, and when they were read. */
  readonly source: string;
  /** One row per model. */
  readonly rows: readonly CatalogRow[];
}

/** Never sent. */
export const NO_TEMPERATURE: SamplingRule = { kind: 'none' };

/** One price list for prompts of any size, as long as the model has been sold. */
export function always(band: PriceBand): readonly PriceStep[] {
  return [{ from: '', bands: [band] }];
}
