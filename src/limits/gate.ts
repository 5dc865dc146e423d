import type { Control, Store } from '../store/types.js';
import { createControlCache } from './controlCache.js';
import type { Meters } from './meters.js';
import { PoolGate } from './poolGate.js';
import { ToldLimits } from './toldLimits.js';
import type { Gate, GateRefusal, GateRequest, PoolSettings } from './types.js';

/** What a gate is made of. */
export interface GateOptions {
  /** Where quota is leased and control rows are read. */
  readonly store: Pick<Store, 'lease' | 'cooldown' | 'dropLeases' | 'readControl' | 'lowerRate' | 'tellLimits'>;
  /** Name of this process among those that share the pools. */
  readonly worker: string;
  /** What this process' configuration says of a pool. Default nothing. */
  readonly configured?: (pool: string) => PoolSettings;
  /** Told of waits and rates. Default nobody. */
  readonly meters?: Pick<Meters, 'waited' | 'rate'>;
  /** Milliseconds since epoch. Default `Date.now`. */
  readonly now?: () => number;
}

function refusalOf(control: Control, now: number): GateRefusal | null {
  if (control.stop !== null) return { kind: 'stopped', reason: control.stop };
  if (control.deadline !== null && now >= control.deadline) return { kind: 'stopped', reason: 'deadline' };
  return control.paused === null ? null : { kind: 'paused', reason: control.paused.message };
}

/** The gate of this process: quota by leases, fairness between batches, cooldowns and pauses. */
export function createGate(options: GateOptions): Gate {
  const { store, worker, configured = () => ({}), meters, now = Date.now } = options;
  const pools = new Map<string, PoolGate>();
  const control = createControlCache(store, { now });
  const told = new ToldLimits((...words) => store.tellLimits(...words), now);

  function poolGate(pool: string): PoolGate {
    const known = pools.get(pool);
    if (known !== undefined) return known;
    const made = new PoolGate({
      lease: (request) => store.lease({ ...request, pool, worker, configured: configured(pool) }),
      word: async (batchId) => {
        const word = await control.read(batchId);
        return { control: word, refusal: refusalOf(word, now()) };
      },
      waited: (limiter) => meters?.waited(pool, limiter),
      rate: (rpm) => meters?.rate(pool, rpm),
      now,
    });
    pools.set(pool, made);
    return made;
  }

  return {
    enter: (request: GateRequest) => poolGate(request.pool).enter(request),
    hold: (pool, until) => poolGate(pool).close(until),
    async cooldown(pool, until) {
      poolGate(pool).close(until);
      await store.cooldown(pool, until);
    },
    overloaded: (pool) => store.lowerRate(pool, worker, poolGate(pool).observedRpm),
    told: (...words) => told.hear(...words),
    limiter(batchId) {
      for (const pool of pools.values()) {
        const limiter = pool.limiter(batchId);
        if (limiter !== null) return limiter;
      }
      return null;
    },
    async close() {
      for (const pool of pools.values()) await pool.stop();
      await store.dropLeases(worker);
    },
  };
}
