/** How many records may end without a whole answer before a batch pauses: a number, or a share such as `5%`. */
export type MaxFailures = number | string;

/** Records asked so far, of which some ended without a whole answer. */
export interface FailureCount {
  /** Records that ended `failed` or `partial` because of what they were asked. */
  readonly failures: number;
  /** Records that were asked to their end. */
  readonly asked: number;
}

/** What a limit looks like, for messages. */
export const MAX_FAILURES_FORM = 'a whole number, 0 or more, or a share between 0% and 100% such as "5%"';

/**
 * A share means little before this many records were asked to their end: the first record of a fine prompt that fails
 * would be 100 %. A broken prompt costs this many records, and those in flight.
 */
const MIN_ASKED = 20;

/**
 * Nor do fewer failures than this: with 5 % allowed, a prompt that fails 2 % of its records would pause every fourth
 * batch within its first 100 records at two failures, and does so in one of twenty at five.
 */
const MIN_FAILURES = 5;

/** True for a whole number from 0, or a share above 0 % and below 100 %. */
export function isMaxFailures(value: unknown): value is MaxFailures {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0;
  return typeof value === 'string' && /^\d{1,2}(?:\.\d+)?%$/.test(value) && Number.parseFloat(value) > 0;
}

/** True when a batch with this limit should pause. */
export function exceeds({ failures, asked }: FailureCount, limit: MaxFailures): boolean {
  if (typeof limit === 'number') return failures > limit;
  if (asked < MIN_ASKED || failures < MIN_FAILURES) return false;
  return (100 * failures) / asked > Number.parseFloat(limit);
}
