import { LIMIT_NAMES } from '../task/limits.js';
import type { PoolLimits } from '../task/spec.js';

/** Every reply tells the limits; the store hears of changes, at most once in this time per pool and model. Milliseconds. */
const TELL_EVERY_MS = 1_000;

/** It hears of a model in use at least so often, lest its limits lapse there (see `Store.tellLimits`); milliseconds. */
const AGAIN_EVERY_MS = 20_000;

/** Models remembered; the one told longest ago is forgotten first. */
const KEPT = 1_000;

interface Told {
  readonly at: number;
  readonly limits: PoolLimits;
}

/** What providers' headers said of limits, passed on when it changed. Providers count each model, or class of models, apart. */
export class ToldLimits {
  private readonly last = new Map<string, Told>();

  constructor(
    private readonly tell: (pool: string, model: string, limits: PoolLimits) => Promise<void>,
    /** Milliseconds since epoch. */
    private readonly now: () => number,
  ) {}

  /** A reply of the pool's model told these limits. */
  async hear(pool: string, model: string, limits: PoolLimits): Promise<void> {
    const key = JSON.stringify([pool, model]);
    const known = this.last.get(key);
    const changed = LIMIT_NAMES.some((name) => limits[name] !== undefined && limits[name] !== known?.limits[name]);
    const age = known === undefined ? Infinity : this.now() - known.at;
    if (age < (changed ? TELL_EVERY_MS : AGAIN_EVERY_MS)) return;
    this.last.delete(key);
    this.last.set(key, { at: this.now(), limits: { ...known?.limits, ...limits } });
    const oldest = this.last.keys().next();
    if (this.last.size > KEPT && oldest.done !== true) this.last.delete(oldest.value);
    await this.tell(pool, model, limits);
  }
}
