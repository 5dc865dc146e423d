import type { RateLimitHints } from './types.js';

function count(headers: Headers, name: string): number | null {
  const value = headers.get(name);
  return value !== null && /^\d+$/.test(value) ? Number(value) : null;
}

/** Quotas from two headers that give the limit per minute; null when neither is there. */
export function rateLimitHints(headers: Headers, requests: string, tokens: string): RateLimitHints | null {
  const rpm = count(headers, requests);
  const tpm = count(headers, tokens);
  return rpm === null && tpm === null ? null : { rpm, tpm };
}
