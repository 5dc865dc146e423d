/** A provider's wire family. */
export type ProviderKind = 'anthropic' | 'gemini' | 'openai-compatible';

/** `provider/model`, split at the first slash. */
export interface ModelRef {
  /** `anthropic`, `gemini`, `openai`, `lmstudio`, `ollama`, `compatible`, or a named endpoint. Also the pool's name. */
  readonly provider: string;
  readonly model: string;
}

/** Prices of one model in USD per million tokens, for prompts up to `upTo` tokens. */
export interface PriceBand {
  /** Largest whole prompt this band holds for; null = no limit. */
  readonly upTo: number | null;
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
}

/** What is known of a model. Null = unknown, never zero. */
export interface ModelInfo {
  readonly ref: ModelRef;
  /** Largest whole prompt, tokens. */
  readonly contextTokens: number | null;
  readonly maxOutputTokens: number | null;
  /** Smallest prefix the provider caches, tokens. */
  readonly minCacheTokens: number | null;
  /** How a stage's variation can be made: see `variation.ts`. */
  readonly sampling: SamplingRule;
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
  /** Rejected or ignored; effort or thinking level works instead. */
  | { readonly kind: 'effort'; readonly levels: readonly string[] }
  /** Neither: only a reworded instruction changes anything. */
  | { readonly kind: 'none' };
