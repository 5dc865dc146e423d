/**
 * How many prompts a batch has in flight when nobody says: more while answers come as fast as before, fewer when the
 * endpoint is overloaded or slows down. Additive increase after a first doubling, multiplicative decrease. Pure.
 */

/** Where `--concurrency auto` begins, and what it stays within: a worker process has 1,000 places for prompts. */
export const AUTO_CONCURRENCY = { start: 20, least: 1, most: 1_000 };

/** Share of refused prompts from which the endpoint counts as overloaded. */
const TOO_MANY_REFUSED = 0.05;

/** Times the best mean latency that is still as good, and from which it is overload. */
const AS_GOOD = 1.5;
const TOO_SLOW = 2;

/** What is left after an overload, and after a slow-down. */
const AFTER_REFUSALS = 0.7;
const AFTER_SLOWNESS = 0.8;

/** What is added: this part, once the first doubling is over. */
const STEP = 0.1;

/** Part of the concurrency that must be in flight for more to be of use. */
const USED = 0.7;

/** Windows without growth after a decrease. */
const CALM_WINDOWS = 4;

/**
 * Windows slower than the best after which the best is measured anew at half of the concurrency: only there, answers
 * tell whether it is us or the endpoint that makes them slow.
 */
const SLOW_WINDOWS = 12;
const TO_MEASURE = 0.5;

/** What is remembered between windows. */
export interface Tuning {
  /** Lowest mean latency of windows, evened out; milliseconds. Null = to be measured. */
  readonly bestMs: number | null;
  /** Nothing was too much yet: the concurrency doubles. */
  readonly doubling: boolean;
  /** Windows to wait before the next growth, or the next decrease for slowness. */
  readonly calm: number;
  /** Windows in a row that were slower than the best. */
  readonly slow: number;
}

/** What happened in a while at one concurrency. */
export interface TuningWindow {
  /** Prompts that ended. */
  readonly prompts: number;
  /** Those that were refused or failed on their way: 429, 5xx, timeouts, broken connections. */
  readonly refused: number;
  /** Mean time of those that were answered; milliseconds. Null = none was. */
  readonly meanMs: number | null;
  /** Prompts in flight at its end, over all workers. */
  readonly inFlight: number;
}

/** Before the first window. */
export const UNTUNED: Tuning = { bestMs: null, doubling: true, calm: 0, slow: 0 };

/** The concurrency after a window, and what to remember. */
export function tuned(
  before: Tuning,
  window: TuningWindow,
  concurrency: number,
): { readonly tuning: Tuning; readonly concurrency: number } {
  const { prompts, refused, meanMs, inFlight } = window;
  const bestMs = bestOf(before.bestMs, meanMs);
  const shrunk = (part: number, tuning: Partial<Tuning>) => ({
    tuning: { bestMs, doubling: false, calm: CALM_WINDOWS, slow: before.slow, ...tuning },
    concurrency: bounded(Math.floor(concurrency * part)),
  });
  if (refused > prompts * TOO_MANY_REFUSED) return shrunk(AFTER_REFUSALS, {});
  const slowness = meanMs === null || bestMs === null ? 1 : meanMs / bestMs;
  const slow = slowness > AS_GOOD ? before.slow + 1 : 0;
  if (slow >= SLOW_WINDOWS) return shrunk(TO_MEASURE, { bestMs: null, calm: 1, slow: 0 });
  if (slowness >= TOO_SLOW && before.calm === 0) return shrunk(AFTER_SLOWNESS, { slow });
  const tuning = { ...before, bestMs, slow, calm: Math.max(0, before.calm - 1) };
  const used = inFlight >= concurrency * USED;
  if (before.calm > 0 || refused > 0 || slow > 0 || !used) return { tuning, concurrency };
  const more = before.doubling ? concurrency * 2 : concurrency + Math.ceil(concurrency * STEP);
  return { tuning, concurrency: bounded(more) };
}

/** A better window counts by half: one lucky window must not make all others look slow. */
function bestOf(bestMs: number | null, meanMs: number | null): number | null {
  if (bestMs === null || meanMs === null) return meanMs ?? bestMs;
  return meanMs < bestMs ? (meanMs + bestMs) / 2 : bestMs;
}

function bounded(value: number): number {
  return Math.min(AUTO_CONCURRENCY.most, Math.max(AUTO_CONCURRENCY.least, value));
}
