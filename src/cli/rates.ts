import type { BatchSnapshot } from '../client/snapshot.js';

/** Speeds are measured over this window; milliseconds. */
const WINDOW_MS = 30_000;

/** How fast a batch is, and when it will be done. */
export interface Speed {
  /** Records per second over the last half minute; null until something moved. */
  readonly perSecond: number | null;
  /** Tokens per minute over the last half minute; null until known. */
  readonly tokensPerMinute: number | null;
  /** Seconds until the last record at this speed; null = can't be told. */
  readonly etaSeconds: number | null;
  /** What the whole batch will cost at the average so far; USD; null = unknown. */
  readonly projectedUsd: number | null;
}

/** Measures speed from successive snapshots. */
export class Rates {
  private samples: { readonly at: number; readonly done: number; readonly tokens: number }[] = [];

  /** Takes a snapshot in and tells the speed. */
  measure(snapshot: BatchSnapshot): Speed {
    const { counters, done, asOf, money } = snapshot;
    const tokens = counters.usage.inputTokens + counters.usage.outputTokens;
    this.samples = [...this.samples.filter(({ at }) => asOf - at <= WINDOW_MS), { at: asOf, done, tokens }];
    const first = this.samples[0] ?? { at: asOf, done, tokens };
    const seconds = (asOf - first.at) / 1000;
    const moved = seconds >= 1 && done > first.done;
    const perSecond = moved ? (done - first.done) / seconds : null;
    const asked = done - counters.notRun;
    const projected = money.spentUsd === null || asked === 0 ? null : (money.spentUsd / asked) * counters.items;
    return {
      perSecond,
      tokensPerMinute: seconds >= 1 ? ((tokens - first.tokens) / seconds) * 60 : null,
      etaSeconds: perSecond === null ? null : (counters.items - done) / perSecond,
      projectedUsd: projected,
    };
  }
}
