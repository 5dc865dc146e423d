/** How a batch divides its records: sizes of shards, how many are open, and what each may have in flight. Pure. */

/** Records of a shard, at most: its history stays far below the point where Temporal suggests to continue as new. */
export const MAX_SHARD_ITEMS = 500;

/** Prompts in flight one shard carries well; more shards are opened for more. */
const SHARD_CONCURRENCY = 50;

/** Workflows a shard runs beyond its share, at most; enough for 50 records a second that take half a second to begin. */
const MAX_AHEAD = 25;

/** How long an open batch waits for more records before it opens a small shard; milliseconds. */
export const LINGER_MS = 2_000;

/** A run of records `[from, to)`. */
export type Range = readonly [from: number, to: number];

/** Shards open at once for `concurrency` prompts in flight. */
export function openShardTarget(concurrency: number): number {
  return Math.max(1, Math.ceil(concurrency / SHARD_CONCURRENCY));
}

/** What each open shard may have in flight: the concurrency, shared as evenly as whole numbers allow. */
export function shares(concurrency: number, openShards: number): number[] {
  const base = Math.floor(concurrency / openShards);
  const rest = concurrency % openShards;
  return Array.from({ length: openShards }, (_, i) => Math.max(1, base + (i < rest ? 1 : 0)));
}

/**
 * Workflows of records a shard of this share runs. Those beyond it wait at a worker's gate, which holds the
 * concurrency: a prompt's place is taken the moment it is free, not when the next workflow has come that far.
 */
export function itemsInFlight(share: number): number {
  return share + Math.min(share, MAX_AHEAD);
}

/** Size of the next shard when `remaining` records wait: small batches are split evenly over the free places. */
export function nextShardSize(remaining: number, freePlaces: number, most = MAX_SHARD_ITEMS): number {
  return Math.min(most, Math.max(1, Math.ceil(remaining / freePlaces)));
}

/** The records a batch has still to hand out: those shards gave back first, then those never opened. */
export interface Supply {
  /** Ranges `[from, to)` shards gave back. */
  readonly returned: readonly Range[];
  /** First index no shard was opened for. */
  readonly cursor: number;
  /** Records known so far. */
  readonly items: number;
}

/** Records waiting in a supply. */
export function waiting(supply: Supply): number {
  const back = supply.returned.reduce((sum, [from, to]) => sum + (to - from), 0);
  return back + supply.items - supply.cursor;
}

/** Takes the next shard's range off a supply; undefined when nothing waits. */
export function takeRange(supply: Supply, size: number): { readonly range: Range; readonly rest: Supply } | undefined {
  const [first, ...others] = supply.returned;
  if (first !== undefined) {
    const [from, to] = first;
    const end = Math.min(to, from + size);
    const returned: Range[] = end < to ? [[end, to], ...others] : others;
    return { range: [from, end], rest: { ...supply, returned } };
  }
  if (supply.cursor >= supply.items) return undefined;
  const end = Math.min(supply.items, supply.cursor + size);
  return { range: [supply.cursor, end], rest: { ...supply, cursor: end } };
}
