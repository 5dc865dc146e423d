import type { ResponseHeaders } from './http.js';

/** Milliseconds of a header value that counts seconds (`2`, `0.5`); null when it is no number. */
function seconds(text: string): number | null {
  const trimmed = text.trim();
  if (!/^\d+(\.\d+)?$/.test(trimmed)) return null;
  return Math.ceil(Number(trimmed) * 1000);
}

/**
 * How long the response's headers say to wait: `retry-after-ms`, else `retry-after` as seconds or as a date. A date in
 * the past is 0. Null when they say nothing, or nothing readable.
 */
export function retryAfterFromHeaders(headers: ResponseHeaders, now: Date = new Date()): number | null {
  const milliseconds = headers.get('retry-after-ms');
  if (milliseconds !== null && /^\d+(\.\d+)?$/.test(milliseconds.trim())) return Math.ceil(Number(milliseconds));
  const value = headers.get('retry-after');
  if (value === null) return null;
  const counted = seconds(value);
  if (counted !== null) return counted;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now.getTime());
}

/** A protobuf duration in JSON (`34.4s`) in milliseconds; null when it is none. */
export function durationMs(text: string): number | null {
  return text.endsWith('s') ? seconds(text.slice(0, -1)) : null;
}
