/**
 * What a pool may be asked for after it said it can't: additive increase, multiplicative decrease. An overload, or a
 * 429 that names no time, lowers the rate of the whole fleet at once; answers raise it again, up to the known limit.
 */

/** Part of the rate that is left after an overload. */
const DECREASE = 0.7;

/** Part of the full rate that comes back with each second in which answers came. */
const INCREASE_PER_SECOND = 0.05;

/** Overloads closer together are one: the prompts in flight meet it together. Milliseconds. */
const ONE_OVERLOAD_MS = 1_000;

/** Longest time one lease makes up for: without answers in between there is nothing to go by. Milliseconds. */
const LONGEST_STEP_MS = 1_000;

/** Lowest rate; requests a minute. */
const LOWEST = 6;

/** A lowered rate. */
export interface Rate {
  /** Requests a minute; null = not lowered. */
  readonly rpm: number | null;
  /** What it rises to: the rate at which the overload came, or the limit; requests a minute. */
  readonly fullRpm: number;
  /** When it last changed; milliseconds since epoch. */
  readonly at: number;
}

/** The rate after an overload. `observed`: requests a minute that the whole fleet really started. */
export function lowered(rate: Rate, observed: number, now: number): Rate {
  if (rate.rpm !== null && now - rate.at < ONE_OVERLOAD_MS) return rate;
  const from = rate.rpm ?? observed;
  return {
    rpm: Math.max(LOWEST, from * DECREASE),
    fullRpm: Math.max(rate.rpm === null ? observed : rate.fullRpm, LOWEST),
    at: now,
  };
}

/** The rate when answers came. `limit`: the pool's requests a minute; undefined = not known. */
export function raised(rate: Rate, limit: number | undefined, now: number): Rate {
  if (rate.rpm === null) return rate;
  // Nobody knows the limit: what failed once is tried again, and passed.
  const full = limit ?? rate.fullRpm * 2;
  const seconds = Math.min(LONGEST_STEP_MS, Math.max(0, now - rate.at)) / 1_000;
  const rpm = rate.rpm + full * INCREASE_PER_SECOND * seconds;
  return rpm >= full ? { ...rate, rpm: null, at: now } : { ...rate, rpm, at: now };
}
