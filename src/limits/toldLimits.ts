import { LIMIT_NAMES } from '../task/limits.js';
import type { PoolLimits } from '../task/spec.js';

/** Every reply tells the limits; the store hears of changes, at most once in this time per pool. Milliseconds. */
const TELL_EVERY_MS = 1_000;

/** What providers' headers said of limits, passed on when it changed. */
export class ToldLimits {
  private readonly last = new Map<string, { readonly at: number; readonly limits: PoolLimits }>();

  constructor(
    private readonly tell: (pool: string, limits: PoolLimits) => Promise<void>,
    /** Milliseconds since epoch. */
    private readonly now: () => number,
  ) {}

  /** A reply of the pool told these limits. */
  async hear(pool: string, limits: PoolLimits): Promise<void> {
    const known = this.last.get(pool);
    const changed = LIMIT_NAMES.some((name) => limits[name] !== undefined && limits[name] !== known?.limits[name]);
    if (!changed || (known !== undefined && this.now() - known.at < TELL_EVERY_MS)) return;
    this.last.set(pool, { at: this.now(), limits: { ...known?.limits, ...limits } });
    await this.tell(pool, limits);
  }
}
