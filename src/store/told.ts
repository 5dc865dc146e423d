import { limitsBy, lowestLimits } from '../task/limits.js';
import type { PoolLimits } from '../task/spec.js';

/** What responses' headers said of a pool's limits. Models of one pool may have quite different ones: the lowest hold. */

/** How long what a model was told counts beside what other models are told later; milliseconds. */
const COUNTS_MS = 60_000;

/** A pool's told limits: the lowest, and what they are made of. */
export interface Told extends PoolLimits {
  /** By model: its limits, and when they were last told (milliseconds since epoch). */
  readonly models?: Readonly<Record<string, { readonly at: number; readonly limits: PoolLimits }>>;
}

/** `told` after a model's reply. Limits it doesn't name stay as this model was told them before. */
export function afterReply(told: Told, model: string, limits: PoolLimits, now: number): Told {
  const earlier = Object.entries(told.models ?? {}).filter(([name, { at }]) => name === model || now - at < COUNTS_MS);
  const known = Object.fromEntries(earlier);
  const models = { ...known, [model]: { at: now, limits: { ...known[model]?.limits, ...limits } } };
  return { ...lowestLimits(Object.values(models).map((one) => one.limits)), models };
}

/** The limits that hold, without what they are made of. */
export function limitsTold(told: Told): PoolLimits {
  return limitsBy((name) => told[name]);
}
