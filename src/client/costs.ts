import type { SpendRow, Store } from '../store/types.js';
import { nanoToUsd } from '../task/money.js';
import { addUsage, type Usage, ZERO_USAGE } from '../task/usage.js';

/** What costs can be told apart by. A batch counts on the day (UTC) on which it was started. */
export type CostKey = 'day' | 'week' | 'service' | 'model' | 'batch';

/** How costs are asked for. */
export interface CostOptions {
  /** What they are told apart by. Default `day`. */
  readonly by?: CostKey | undefined;
  /** Batches made from here on; by day or week from the beginning of that one (UTC). Default 30 days ago. */
  readonly since?: Date | undefined;
  /** A rise over the period before by more than this share is flagged. Default 0.25. */
  readonly rise?: number | undefined;
}

/** What one day, week, service, model or batch cost. */
export interface CostRow {
  /** `2026-11-21`, the Monday of a week, a task's name, `provider/model` or a batch's id. */
  readonly key: string;
  /** Prompts spent, failed ones included. */
  readonly prompts: number;
  /** Tokens of prompts with known usage. */
  readonly usage: Usage;
  /** What they cost; USD. Null when a price is not known. */
  readonly costUsd: number | null;
  /** Most that prompts whose usage nobody told may have cost beside it; USD. */
  readonly unknownUsd: number;
  /** Prompts whose usage nobody told. */
  readonly unknownPrompts: number;
  /** What caching saved, net; USD. Null when a price is not known. */
  readonly savingsUsd: number | null;
  /** Cost of the period before: the day or week before, or as long a time before `since`. Null: there was none. */
  readonly beforeUsd: number | null;
  /** Change over it as a share; 0.5 = half as much again. Null: nothing to compare with. */
  readonly change: number | null;
  /** The change is over the limit. */
  readonly rose: boolean;
}

/** Costs of a store, with what they are compared with. */
export interface Costs {
  /** What they are told apart by. */
  readonly by: CostKey;
  /** ISO time from which batches count. */
  readonly since: string;
  /** Share over which a rise is flagged. */
  readonly rise: number;
  /** Rows by time, or the dearest first. */
  readonly rows: readonly CostRow[];
  /** Sum of the rows. */
  readonly total: Omit<CostRow, 'key'>;
}

const DAY_MS = 86_400_000;

/** Days looked back when nothing is said. */
const USUAL_DAYS = 30;

/** A rise that is flagged when nothing is said. */
const USUAL_RISE = 0.25;

/** Adds up what the batches of a store spent. */
export async function readCosts(store: Store, options: CostOptions, now: number): Promise<Costs> {
  const { by = 'day', rise = USUAL_RISE } = options;
  const from = options.since?.getTime() ?? dayOf(now) - (USUAL_DAYS - 1) * DAY_MS;
  // Whole days and weeks: a part of one would make the next look like a rise.
  const since = by === 'week' ? mondayOf(from) : by === 'day' ? dayOf(from) : from;
  const read = (from: number, to: number): Promise<readonly SpendRow[]> =>
    by === 'model' ? store.spendByModel(from, to) : store.spendByBatch(from, to);
  // A day is compared with the one before, whatever else with as long a time.
  const back = { day: DAY_MS, week: 7 * DAY_MS, service: now - since, model: now - since, batch: 0 }[by];
  const [rows, before] = await Promise.all([read(since, now + 1), read(since - back, since)]);
  return costsOf({ by, since, rise }, rows, before);
}

/** The same from rows that were read. Pure. */
export function costsOf(
  { by, since, rise }: { readonly by: CostKey; readonly since: number; readonly rise: number },
  rows: readonly SpendRow[],
  before: readonly SpendRow[],
): Costs {
  const now = grouped(rows, by);
  const then = grouped(before, by);
  const made = [...now].map(([key, sums]): CostRow => {
    const base = by === 'day' || by === 'week' ? baseOf(key, by, now, then) : then.get(key);
    return { key, ...compared(sums, base, rise) };
  });
  const inTime = by === 'day' || by === 'week';
  const sorted = made.sort((a, b) => (inTime ? a.key.localeCompare(b.key) : (b.costUsd ?? 0) - (a.costUsd ?? 0)));
  const wholeBefore = inTime || by === 'batch' ? undefined : sumOf(before);
  return {
    by,
    since: new Date(since).toISOString(),
    rise,
    rows: sorted,
    total: compared(sumOf(rows), wholeBefore, rise),
  };
}

type Sums = Omit<SpendRow, 'batchId' | 'service' | 'at' | 'model'>;

function grouped(rows: readonly SpendRow[], by: CostKey): Map<string, Sums> {
  const lists = new Map<string, SpendRow[]>();
  for (const row of rows) {
    const key = keyOf(row, by);
    const list = lists.get(key);
    // Pushed, not copied: one service may have a hundred thousand batches.
    if (list === undefined) lists.set(key, [row]);
    else list.push(row);
  }
  return new Map([...lists].map(([key, list]) => [key, sumOf(list)]));
}

function keyOf(row: SpendRow, by: CostKey): string {
  switch (by) {
    case 'day':
      return isoDay(dayOf(row.at));
    case 'week':
      return isoDay(mondayOf(row.at));
    case 'service':
      return row.service;
    case 'model':
      return row.model ?? '';
    case 'batch':
      return row.batchId;
  }
}

/** The day or week before: in the period itself, or just before it. */
function baseOf(key: string, by: 'day' | 'week', now: Map<string, Sums>, then: Map<string, Sums>): Sums | undefined {
  const previous = isoDay(Date.parse(key) - (by === 'day' ? 1 : 7) * DAY_MS);
  return now.get(previous) ?? then.get(previous);
}

function sumOf(rows: readonly Sums[]): Sums {
  const sum = (key: Exclude<keyof Sums, 'usage'>): number => rows.reduce((total, row) => total + row[key], 0);
  return {
    prompts: sum('prompts'),
    unknownPrompts: sum('unknownPrompts'),
    unpricedPrompts: sum('unpricedPrompts'),
    usage: rows.reduce((total, { usage }) => addUsage(total, usage), ZERO_USAGE),
    knownNano: sum('knownNano'),
    unknownNano: sum('unknownNano'),
    savingsNano: sum('savingsNano'),
  };
}

function compared(sums: Sums, base: Sums | undefined, rise: number): Omit<CostRow, 'key'> {
  const costUsd = usdOf(sums);
  const beforeUsd = base === undefined || base.prompts === 0 ? null : usdOf(base);
  const change = costUsd === null || beforeUsd === null || beforeUsd === 0 ? null : costUsd / beforeUsd - 1;
  return {
    prompts: sums.prompts,
    usage: sums.usage,
    costUsd,
    unknownUsd: nanoToUsd(sums.unknownNano),
    unknownPrompts: sums.unknownPrompts,
    savingsUsd: sums.unpricedPrompts > 0 ? null : nanoToUsd(sums.savingsNano),
    beforeUsd,
    change,
    rose: change !== null && change > rise,
  };
}

function usdOf({ knownNano, unpricedPrompts }: Sums): number | null {
  return unpricedPrompts > 0 ? null : nanoToUsd(knownNano);
}

function dayOf(at: number): number {
  return Math.floor(at / DAY_MS) * DAY_MS;
}

/** The first day of the epoch was a Thursday. */
function mondayOf(at: number): number {
  const day = Math.floor(at / DAY_MS);
  return (day - ((day + 3) % 7)) * DAY_MS;
}

function isoDay(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
