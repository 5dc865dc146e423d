/**
 * A pool's bucket: what may be used now, filled by time. A provider counts minutes of its own, so in any 60 seconds
 * no more may pass than the limit: one second's worth of burst, plus 61 seconds of filling (a second for what was
 * leased but not yet used), make exactly the limit.
 */

/** Seconds of filling that can fall into one of the provider's minutes. */
const FILLED_SECONDS = 61;

/** A bucket as it stands. */
export interface Bucket {
  /** What may be used; fractions accumulate, negative = debt. */
  readonly level: number;
  /** When it was last filled; milliseconds since epoch. */
  readonly filledAt: number;
}

/** Most that accumulates while nobody asks: a second's worth, at least 1. */
export function burstOf(perMinute: number): number {
  return Math.max(1, perMinute / 60);
}

/** How fast it fills; per second. */
export function fillPerSecond(perMinute: number): number {
  // With one a minute there is nothing left beside the burst: then one each 61 seconds.
  return Math.max(perMinute - burstOf(perMinute), Math.min(perMinute, 1)) / FILLED_SECONDS;
}

/**
 * The level at `now`. Refunds may lift it over the burst, for they are quota the provider hasn't counted; what is over
 * drains as fast as it would fill, so that it isn't carried into another minute.
 */
export function levelAt(bucket: Bucket, perMinute: number, now: number): number {
  const seconds = Math.max(0, now - bucket.filledAt) / 1_000;
  const burst = burstOf(perMinute);
  const step = fillPerSecond(perMinute) * seconds;
  return bucket.level > burst ? Math.max(burst, bucket.level - step) : Math.min(burst, bucket.level + step);
}

/** Milliseconds until the level reaches `wanted` (or the burst, when more is wanted); 0 when it has. */
export function waitFor(level: number, wanted: number, perMinute: number): number {
  const missing = Math.min(wanted, burstOf(perMinute)) - level;
  return missing <= 0 ? 0 : Math.ceil((missing / fillPerSecond(perMinute)) * 1_000);
}
