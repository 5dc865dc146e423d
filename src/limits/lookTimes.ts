import type { GateBatches } from './gateBatches.js';
import type { LeasedQuota } from './leasedQuota.js';

/** How often quota is leased, and cooldowns are looked at, while prompts start; milliseconds. */
export const LEASE_EVERY_MS = 250;

/** Longest time between two looks at the store while somebody waits, or places lie idle; milliseconds. */
const LOOK_EVERY_MS = 1_000;

/** How often places in flight are renewed while nobody waits (a lease lives 10 s); milliseconds. */
const RENEW_EVERY_MS = 2_500;

/**
 * How long after the last lease a pool's gate looks at the store again; `Infinity` = when somebody comes. `waiting`:
 * batches whose prompts wait.
 */
export function lookAfterMs(quota: LeasedQuota, batches: GateBatches, waiting: readonly string[]): number {
  if (waiting.length > 0) return forWaiters(quota, batches, waiting);
  const { idle } = batches;
  if (quota.untold || idle === 'shared') return LEASE_EVERY_MS;
  if (idle === 'alone') return LOOK_EVERY_MS;
  const renewMs = quota.inFlight > 0 ? RENEW_EVERY_MS : Infinity;
  // Our lease tells other processes of limits: they must hear when these count no more.
  return Math.min(renewMs, quota.age + batches.lingerMs);
}

function forWaiters(quota: LeasedQuota, batches: GateBatches, waiting: readonly string[]): number {
  if (quota.cooldownMs > 0) return Math.min(LOOK_EVERY_MS, Math.max(LEASE_EVERY_MS, quota.age + quota.cooldownMs));
  switch (batches.needOf(waiting)) {
    case 'places':
      return 0;
    case 'quota':
      return Math.min(LOOK_EVERY_MS, Math.max(LEASE_EVERY_MS, quota.retryInMs));
    case "others' places":
      return LEASE_EVERY_MS;
    case null:
      return LOOK_EVERY_MS;
  }
}
