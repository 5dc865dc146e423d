import { type LIMIT_NAMES, limitsBy } from '../task/limits.js';
import type { PoolLimits } from '../task/spec.js';
import type { ResponseHeaders } from './http.js';

/** Header that gives a limit per minute, by the limit's name. */
export type LimitHeaders = Partial<Record<(typeof LIMIT_NAMES)[number], string>>;

function count(headers: ResponseHeaders, name: string | undefined): number | null {
  const value = name === undefined ? null : headers.get(name);
  return value !== null && /^[1-9]\d*$/.test(value) ? Number(value) : null;
}

/** Quotas from headers that give limits per minute; null when none is there. */
export function toldLimits(headers: ResponseHeaders, names: LimitHeaders): PoolLimits | null {
  const told = limitsBy((name) => count(headers, names[name]));
  return Object.keys(told).length === 0 ? null : told;
}
