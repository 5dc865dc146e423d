import type { Circuit, PoolSettings } from '../limits/types.js';
import type { PoolLimits } from '../task/spec.js';

/** A change of a pool's settings; null takes a setting back to what is configured or told. */
export type PoolPatch = { readonly [Name in keyof PoolSettings]?: number | null };

/** A pool as the store has it. */
export interface PoolState {
  /** Its name. */
  readonly pool: string;
  /** Set live. */
  readonly set: PoolSettings;
  /** As the provider's headers said. */
  readonly told: PoolLimits;
  /** Requests a minute after an overload; null = not lowered. */
  readonly rateRpm: number | null;
  /** No request before this time; milliseconds since epoch; 0 = none. */
  readonly cooldownUntil: number;
}

/** An endpoint that failed since it last answered. */
export interface EndpointCircuit extends Circuit {
  /** Its name, as in `provider/model`. */
  readonly endpoint: string;
}
