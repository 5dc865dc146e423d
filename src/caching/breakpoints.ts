import type { ModelInfo } from '../models/types.js';

/** English text has about four characters a token; enough to tell whether a prefix reaches a minimum. */
const CHARS_PER_TOKEN = 4;

/** Estimated tokens of a text. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}

/**
 * Whether to put a cache breakpoint at the end of the static prefix: caching is on, and the prefix reaches the model's
 * minimum. Below it the provider would silently not cache; with an unknown minimum we ask and let it decide. The
 * record's own messages come after the prefix and never get a breakpoint, since no other prompt shares them.
 */
export function cachesPrefix(
  cache: { readonly enabled: boolean },
  prefix: string | undefined,
  info: Pick<ModelInfo, 'minCacheTokens'>,
): boolean {
  return cache.enabled && prefix !== undefined && estimateTokens(prefix) >= (info.minCacheTokens ?? 1);
}
