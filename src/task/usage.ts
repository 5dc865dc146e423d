/**
 * Tokens of one or more prompts, normalised alike for every provider: `inputTokens` is the whole prompt including
 * cached and cache-written tokens; `outputTokens` includes thinking.
 */
export interface Usage {
  /** Whole prompt, cached and cache-written tokens included. */
  readonly inputTokens: number;
  /** Part of `inputTokens` read from the provider's prompt cache. */
  readonly cachedInputTokens: number;
  /** Part of `inputTokens` written to the provider's prompt cache (any lifetime). */
  readonly cacheWriteTokens: number;
  /** Part of `cacheWriteTokens` written with the one-hour lifetime (Anthropic). */
  readonly cacheWrite1hTokens: number;
  /** All generated tokens, thinking included. */
  readonly outputTokens: number;
  /** Part of `outputTokens` spent on thinking, where the provider says. */
  readonly thinkingTokens: number;
}

/** No tokens. */
export const ZERO_USAGE: Usage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  cacheWrite1hTokens: 0,
  outputTokens: 0,
  thinkingTokens: 0,
};

/** The sum of two usages. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    cacheWrite1hTokens: a.cacheWrite1hTokens + b.cacheWrite1hTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    thinkingTokens: a.thinkingTokens + b.thinkingTokens,
  };
}
