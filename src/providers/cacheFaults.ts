import type { ModelReply, ModelRequest } from './types.js';

/** Whether a reply says that the cache its request named is gone: nothing was billed, and the whole request is taken. */
export function isCacheGone({ explicitCache }: Pick<ModelRequest, 'explicitCache'>, reply: ModelReply): boolean {
  if (explicitCache === undefined || reply.ok) return false;
  const { status, message } = reply.error;
  return (status === 403 || status === 404) && /cached ?content/i.test(message);
}

/** Whether a provider refused a request because of its breakpoints: without them it is taken. */
export function refusesMarks({ cachePrefix }: Pick<ModelRequest, 'cachePrefix'>, reply: ModelReply): boolean {
  if (!cachePrefix || reply.ok || reply.error.category !== 'invalid_request') return false;
  return /cache_control|prompt_cache/i.test(reply.error.message);
}
