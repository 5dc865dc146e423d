/** A provider's wire family. */
export type ProviderKind = 'anthropic' | 'gemini' | 'openai-compatible';

/** `provider/model`, split at the first slash. */
export interface ModelRef {
  /** `anthropic`, `gemini`, `openai`, `lmstudio`, `ollama`, `compatible`, or a named endpoint. Also the pool's name. */
  readonly provider: string;
  /** The provider's own name of the model; may contain slashes. */
  readonly model: string;
}

/** Prices of one model in USD per million tokens, for prompts up to `upTo` tokens. */
export interface PriceBand {
  /** Largest whole prompt this band holds for; null = no limit. */
  readonly upTo: number | null;
  /** A token of the prompt that is neither read from nor written to a cache. */
  readonly input: number;
  /** A generated token, thinking included. */
  readonly output: number;
  /** A token read from the cache. */
  readonly cacheRead: number;
  /** A token written to the cache for five minutes. */
  readonly cacheWrite5m: number;
  /** A token written to the cache for an hour. */
  readonly cacheWrite1h: number;
}

/** What a model can do beside text, in the order they are told: `multimodal` = takes files at all. */
export const CAPABILITIES = ['reasoning', 'function_calling', 'multimodal', 'vision', 'audio', 'video'] as const;

/** One of {@link CAPABILITIES}. */
export type Capability = (typeof CAPABILITIES)[number];

/** What is known of a model. Null = unknown, never zero. */
export interface ModelInfo {
  /** The model that was asked about. */
  readonly ref: ModelRef;
  /** Largest whole prompt, tokens. */
  readonly contextTokens: number | null;
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
  /** What it can do beside text, in the order of {@link CAPABILITIES}. */
  readonly capabilities: readonly Capability[] | null;
  /** What it knows of the world ends here: `2025-08-31` or `2025-01`, as the provider says. */
  readonly knowledgeCutoff: string | null;
  /** Prices in force at a date, by rising band; null = unknown. */
  readonly prices: readonly PriceBand[] | null;
  /** The same through the provider's Batch API; null = unknown, or it has none. */
  readonly batchPrices: readonly PriceBand[] | null;
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
