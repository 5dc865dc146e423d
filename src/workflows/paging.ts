import type { Range } from './fanout.js';

/** How a shard in `inline` mode divides its records over activities. Pure. */

/** Records of a page, at most. */
export const MAX_PAGE_RECORDS = 100;

/** Records of a shard in `inline` mode, at most: longer ones make a batch no faster. Figures: `npm run bench:peers -- --long`. */
export const MAX_INLINE_SHARD_RECORDS = 10_000;

/**
 * A shard of so many is never broken off: were all of them to become workflows, its history would still be short of
 * the server's warning. Also the size of shards before there were longer ones.
 */
export const UNBROKEN_SHARD_RECORDS = 2_000;

/** How a share is divided into pages. */
export interface Division {
  /** Pages open at once. */
  readonly openPages: number;
  /** Prompts each lane of a page sends, one after the other, at most: then the share is divided anew. */
  readonly rounds: number;
}

/**
 * Lanes of a page that wait for its last answers, and for the server to begin the next page, send nothing: with ten
 * narrow pages these are few.
 */
export const NARROW: Division = { openPages: 10, rounds: 8 };

/** How shards divide that began before there were narrow pages. */
export const WIDE: Division = { openPages: 4, rounds: 8 };

/** A page shorter than this has more rounds, since its end costs a round trip to the server; milliseconds. */
const SHORT_PAGE_MS = 3_000;

/** Rounds of a page at most. */
const MOST_ROUNDS = 25;

/** The division when a round, a prompt of each lane, takes so long. */
export function divisionFor(roundMs: number): Division {
  const { openPages, rounds } = NARROW;
  return { openPages, rounds: Math.min(MOST_ROUNDS, Math.max(rounds, Math.floor(SHORT_PAGE_MS / roundMs))) };
}

/** The smallest page worth an activity, where records are left. */
const MIN_PAGE_RECORDS = 10;

/** What the next page may be. */
export interface PageSize {
  /** Records, at most. */
  readonly records: number;
  /** Prompts it keeps in flight. */
  readonly lanes: number;
}

/**
 * The next page of `waiting` records, when `inFlight` of a share's prompts are in use; null when it is better to wait
 * for more room.
 */
export function nextPage(waiting: number, share: number, inFlight: number, division = NARROW): PageSize | null {
  const lanes = Math.ceil(share / division.openPages);
  const free = share - inFlight;
  if (waiting === 0 || free < Math.ceil(lanes / 2)) return null;
  const room = Math.min(lanes, free);
  // By lanes, so that the last pages end together.
  const even = Math.ceil((waiting * room) / free);
  const records = Math.min(MAX_PAGE_RECORDS, Math.max(MIN_PAGE_RECORDS, lanes * division.rounds), even);
  return { records, lanes: Math.min(room, records) };
}

/** Rising indices as ranges: a page of neighbours is one. */
export function toRanges(indices: readonly number[]): Range[] {
  const ranges: [number, number][] = [];
  for (const index of indices) {
    const last = ranges.at(-1);
    if (last?.[1] === index) last[1] = index + 1;
    else ranges.push([index, index + 1]);
  }
  return ranges;
}

/** The indices of ranges, in their order. */
export function indicesOf(ranges: readonly Range[]): number[] {
  return ranges.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i));
}

/** The first index none of `ranges` begins before; `none` when there is no range. */
export function firstIndex(ranges: readonly Range[], none: number): number {
  return ranges.reduce((first, [from]) => Math.min(first, from), none);
}

/** Records in `ranges`. */
export function countOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [from, to]) => sum + (to - from), 0);
}

/** The first `size` records of `ranges`, and the others. */
export function takePage(
  ranges: readonly Range[],
  size: number,
): { readonly page: readonly Range[]; readonly rest: readonly Range[] } {
  const page: Range[] = [];
  const rest: Range[] = [];
  let room = size;
  for (const [from, to] of ranges) {
    const end = Math.min(to, from + room);
    if (end > from) page.push([from, end]);
    if (end < to) rest.push([end, to]);
    room -= end - from;
  }
  return { page, rest };
}
