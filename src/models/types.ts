/** A provider's wire family. */
export type ProviderKind = 'anthropic' | 'gemini' | 'openai-compatible';

/** `provider/model`, split at the first slash. */
export interface ModelRef {
  /** `anthropic`, `gemini`, `openai`, `lmstudio`, `ollama`, `compatible`, or a named endpoint. Also the pool's name. */
  readonly provider: string;
  /** Everything after the first slash. */
  /** The provider's own name of the model; may contain slashes. */
  readonly model: string;
}

/** Prices of one model in USD per million tokens, for prompts up to `upTo` tokens. */
export interface PriceBand {
  /** Largest whole prompt this band holds for; null = no limit. */
  readonly upTo: number | null;
  /** Per million prompt tokens that are neither read from nor written to a cache. */
  /** A token of the prompt that is neither read from nor written to a cache. */
  readonly input: number;
  /** Per million generated tokens. */
  /** A generated token, thinking included. */
  readonly output: number;
  /** Per million tokens read from the cache. */
  /** A token read from the cache. */
  readonly cacheRead: number;
  /** Per million tokens written for five minutes. */
  /** A token written to the cache for five minutes. */
  readonly cacheWrite5m: number;
  /** Per million tokens written for an hour. */
  /** A token written to the cache for an hour. */
  readonly cacheWrite1h: number;
}

/** What is known of a model. Null = unknown, never zero. */
export interface ModelInfo {
  /** Provider and name. */
  /** The model that was asked about. */
  readonly ref: ModelRef;
  /** Largest whole prompt, tokens. */
  readonly contextTokens: number | null;
  /** Largest answer; null = unknown. */
  /** Most tokens of one answer. */
  readonly maxOutputTokens: number | null;
  /** Smallest prefix the provider caches, tokens. */
  readonly minCacheTokens: number | null;
  /** Whether and how the model takes a sampling temperature. */
  readonly sampling: SamplingRule;
  /** Effort or thinking levels; null = the model has none, or none that is known. */
  readonly effort: EffortRule | null;
  /** Whether the model has native structured output; null = try it. */
  readonly structuredOutput: boolean | null;
  /** Prices in force at a date, by rising band; null = unknown. */
  readonly prices: readonly PriceBand[] | null;
  /** Where the numbers come from. */
  readonly source: string | null;
}

/** Whether and how a model takes a sampling temperature. */
export type SamplingRule =
  | { readonly kind: 'temperature'; readonly min: number; readonly max: number }
  /** Taken by older API versions only (Anthropic `2023-06-01`). */
  | { readonly kind: 'temperature-legacy-api'; readonly min: number; readonly max: number }
  /** Taken only together with reasoning effort `none` (OpenAI). */
  | { readonly kind: 'temperature-without-reasoning'; readonly min: number; readonly max: number }
  /** Rejected, ignored, discouraged by the provider, or unknown: never sent. */
  | { readonly kind: 'none' };

/** Effort (Anthropic), thinking level (Gemini) or reasoning effort (OpenAI) of a model. */
export interface EffortRule {
  /** What the model accepts, rising. */
  readonly levels: readonly string[];
  /** What the model does when nothing is sent; null = unknown. */
  readonly standard: string | null;
}
