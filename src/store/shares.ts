/** What a live worker has and wants of a pool's places in flight. */
export interface WorkerShare {
  /** Places it was granted. */
  readonly granted: number;
  /** Prompts it really had in flight when it last asked. */
  readonly inFlight: number;
  /** Places that are its fair part of the limit, at most those it would like. */
  readonly fair: number;
}

/**
 * Places a worker may use when `limit` is shared with `others`. Never more than what is free, and each other worker's
 * fair part is left for it: whoever holds more than its part shrinks as its prompts end.
 */
export function placesFor(wanted: number, others: readonly WorkerShare[], limit: number): number {
  const taken = others.reduce((sum, other) => sum + Math.max(other.granted, other.inFlight, other.fair), 0);
  return Math.max(0, Math.min(wanted, limit - taken));
}
