import { goesPlain } from '../caching/fallback.js';
import type { FallbackConfig } from '../task/optimization.js';
import type { ModelFailure, ModelReply, ModelRequest } from './types.js';

/** Whether a reply says that the cache its request named is gone: nothing was billed, and the whole request is taken. */
export function isCacheGone({ explicitCache }: Pick<ModelRequest, 'explicitCache'>, reply: ModelReply): boolean {
  if (explicitCache === undefined || reply.ok) return false;
  const { status, message } = reply.error;
  return (status === 403 || status === 404) && /cached ?content/i.test(message);
}

/** Whether a provider refused a request because of its breakpoints: without them it is taken. Nothing was billed. */
export function refusesMarks(
  { cachePrefix }: Pick<ModelRequest, 'cachePrefix'>,
  reply: ModelReply,
): reply is ModelFailure {
  if (!cachePrefix || reply.ok || reply.error.category !== 'invalid_request') return false;
  return /cache_control|prompt_cache/i.test(reply.error.message);
}

/**
 * The failure a refusal of breakpoints is, where the settings want one: `Optimization failed: …`. Undefined = the plain
 * request goes out, and `warn` is told why.
 */
export function failureOfMarks(
  reply: ModelFailure,
  fallback: FallbackConfig,
  warn: (line: string) => void,
): ModelFailure | undefined {
  const { message } = reply.error;
  if (!goesPlain(fallback)) return { ...reply, error: { ...reply.error, message: `Optimization failed: ${message}` } };
  if (fallback.logFailures) {
    warn('Cache optimization requested but not supported by provider');
    warn(`Cache optimization failed, falling back to standard API: ${message}`);
  }
  return undefined;
}

/** The request without breakpoints. */
export function unmarked<R extends Pick<ModelRequest, 'cachePrefix' | 'cacheMarks'>>(request: R): R {
  return { ...request, cachePrefix: false, cacheMarks: undefined };
}
