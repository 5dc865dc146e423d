import type { Limiter } from '../client/work.js';

/** What a worker's gate says, in words that tell where to turn. */
export function limiterName(limiter: Limiter | null): string | null {
  switch (limiter) {
    case null:
      return null;
    case 'concurrency':
      return 'concurrency';
    case 'requests per minute':
    case 'tokens per minute':
    case 'input tokens per minute':
    case 'output tokens per minute':
      return `rate limit (${limiter})`;
    case 'in flight':
      return 'rate limit (requests in flight)';
    case 'cooldown':
      return 'rate limit (the provider asked to wait)';
    case 'overload':
      return 'rate limit (lowered after an overload)';
    case 'endpoint':
      return 'the endpoint, which keeps failing (circuit open)';
  }
}
