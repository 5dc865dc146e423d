import { limitsBy } from '../task/limits.js';
import type { PoolSettings } from './types.js';

/** A pool as `tempered.config` has it. */
export interface PoolConfig extends PoolSettings {
  /** Models whose prompts use it, `provider/model`; a `*` at the end stands for any rest. Default: the provider of the pool's name. */
  readonly models?: readonly string[];
  /** When its day begins, `HH:MM` in UTC. Default `00:00`. */
  readonly dayStart?: string;
}

/** Pools by name. */
export type PoolConfigs = Readonly<Record<string, PoolConfig>>;

const DAY_MS = 86_400_000;

function fits(pattern: string, model: string): boolean {
  return pattern.endsWith('*') ? model.startsWith(pattern.slice(0, -1)) : model === pattern;
}

/** What a process is configured with, by pool. */
export class PoolBook {
  constructor(private readonly pools: PoolConfigs) {}

  /** The pool whose quota a model's prompts use: the first that names it, else its provider's. `model`: `provider/model`. */
  poolOf(model: string): string {
    const named = Object.entries(this.pools).find(([, { models = [] }]) => models.some((one) => fits(one, model)));
    return named?.[0] ?? model.slice(0, model.indexOf('/'));
  }

  /** Limits of a pool, as configured here. */
  settingsOf(pool: string): PoolSettings {
    const configured: PoolSettings = this.pools[pool] ?? {};
    const { perDayUsd } = configured;
    return { ...limitsBy((name) => configured[name]), ...(perDayUsd === undefined ? {} : { perDayUsd }) };
  }

  /** Number of the day `now` (milliseconds since epoch) falls in: days since 1970 that began at the pool's hour. */
  dayOf(pool: string, now: number): number {
    const [hours = 0, minutes = 0] = (this.pools[pool]?.dayStart ?? '00:00').split(':').map(Number);
    return Math.floor((now - (hours * 60 + minutes) * 60_000) / DAY_MS);
  }
}
