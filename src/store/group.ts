import type { Transaction } from 'kysely';
import { TemperedError } from '../task/errors.js';
import type { Backend } from './backend.js';
import { CounterChange } from './counterChange.js';
import { lockBatches, type LockedBatch } from './locks.js';
import { endedItems, newOutcomes, type NewOutcomeRow, outcomeRow } from './outcomeRows.js';
import { type PoolDay, PoolDays } from './poolDays.js';
import {
  deletePrompt,
  type EndedRow,
  isSent,
  type KnownRow,
  knownRows,
  putPrompts,
  type SentRow,
  unknownRow,
} from './promptRows.js';
import type { StoreSchema } from './schema.js';
import type { NewOutcome } from './types.js';
import { noSuchBatch } from './storeErrors.js';

/** The item a write is about. */
export interface ItemKey {
  /** The batch's id. */
  readonly batchId: string;
  /** 0-based position of the record. */
  readonly index: number;
  /** The pool's day the write wants to charge. */
  readonly charged?: PoolDay;
}

/** One batch within a group: its counters as locked, and what the group changes. */
interface BatchInGroup {
  readonly locked: LockedBatch;
  readonly change: CounterChange;
}

/** An item as the writes of a group see it: what is stored, overlaid by what earlier members of the group did. */
export interface ItemInGroup {
  /** Number of the batch in the tables. */
  readonly batchNo: number;
  /** 0-based position of the record. */
  readonly index: number;
  /** The item's journal rows by prompt number. */
  readonly prompts: Map<number, KnownRow>;
  /** Whether it has its outcome. */
  hasOutcome: boolean;
  /** Money of the batch: what was spent, and the worst case of prompts in flight; nano-dollars. */
  money(): { readonly spent: number; readonly reserved: number };
  /** The same of a pool's day. The write named it as `charged`. */
  moneyOf(day: PoolDay): { readonly spent: number; readonly reserved: number };
  /** Adds a journal row, or says how one ended. A settled one stays as it is. */
  putPrompt(row: SentRow | EndedRow): void;
  /** Takes a journal row away. */
  removePrompt(prompt: number): void;
  /** Adds the outcome. The caller has looked at `hasOutcome`. */
  putOutcome(outcome: NewOutcome): void;
}

/**
 * The state of a group of writes: everything its members need is read and locked with a few statements, they decide
 * in memory one after the other, and the result is written with a few statements.
 */
export class Group {
  private readonly batches = new Map<string, BatchInGroup>();
  private readonly items = new Map<string, ItemInGroup>();
  private readonly written = new Map<string, SentRow | EndedRow>();
  private readonly removed = new Map<string, KnownRow>();
  private readonly outcomes: NewOutcomeRow[] = [];

  private days: PoolDays | undefined;

  private constructor(private readonly trx: Transaction<StoreSchema>) {}

  /** Reads and locks what writes about these items need. */
  static async load(trx: Transaction<StoreSchema>, backend: Backend, keys: readonly ItemKey[]): Promise<Group> {
    const group = new Group(trx);
    const indices = new Map<string, Set<number>>();
    for (const { batchId, index } of keys) {
      const ofBatch = indices.get(batchId) ?? new Set();
      indices.set(batchId, ofBatch.add(index));
    }
    const locked = await lockBatches(trx, backend, [...indices.keys()]);
    for (const [batchId, batch] of locked) {
      group.batches.set(batchId, { locked: batch, change: new CounterChange() });
      await group.loadItems(batchId, batch, [...(indices.get(batchId) ?? [])]);
    }
    const charged = keys.flatMap((key) => key.charged ?? []);
    const loaded = [...group.items.values()].flatMap(({ prompts }) => [...prompts.values()]);
    group.days = await PoolDays.lock(trx, backend, [...charged, ...loaded.filter(({ state }) => state !== 'settled')]);
    return group;
  }

  /** The item. Throws `input` for an unknown batch or an index it doesn't have. */
  item({ batchId, index }: ItemKey): ItemInGroup {
    const item = this.items.get(`${batchId}/${index}`);
    if (item !== undefined) return item;
    const batch = this.batches.get(batchId);
    if (batch === undefined) throw noSuchBatch(batchId);
    throw new TemperedError('input', `Batch "${batchId}" has no record ${index}: it has ${batch.locked.items}.`);
  }

  /** Writes what the members decided. */
  async flush(): Promise<void> {
    for (const row of this.removed.values()) await deletePrompt(this.trx, row);
    await putPrompts(this.trx, [...this.written.values()]);
    await newOutcomes.execute(this.trx, this.outcomes);
    for (const { locked, change } of this.batches.values()) await change.write(this.trx, locked.batch_no);
    await this.days?.write();
  }

  private async loadItems(batchId: string, batch: LockedBatch, indices: readonly number[]): Promise<void> {
    const existing = indices.filter((index) => Number.isInteger(index) && index >= 0 && index < batch.items);
    if (existing.length === 0) return;
    for (const index of existing) this.items.set(`${batchId}/${index}`, this.itemInGroup(batchId, batch, index));
    for (const row of await knownRows.execute(this.trx, batch.batch_no, existing)) {
      this.items.get(`${batchId}/${row.idx}`)?.prompts.set(row.prompt, row);
    }
    for (const { idx } of await endedItems.execute(this.trx, batch.batch_no, existing)) {
      const item = this.items.get(`${batchId}/${idx}`);
      if (item !== undefined) item.hasOutcome = true;
    }
  }

  private itemInGroup(batchId: string, locked: LockedBatch, index: number): ItemInGroup {
    const { written, removed, outcomes } = this;
    const prompts = new Map<number, KnownRow>();
    const change = (): CounterChange => this.changeOf(batchId);
    const keyOf = (prompt: number): string => `${batchId}/${index}/${prompt}`;
    const item: ItemInGroup = {
      batchNo: locked.batch_no,
      index,
      prompts,
      hasOutcome: false,
      money: () => {
        const { sums } = change();
        return {
          spent: locked.spent_nano + sums.spent_nano,
          reserved: locked.reserved_nano + sums.reserved_nano,
        };
      },
      moneyOf: (day) => this.lockedDays().moneyOf(day),
      putPrompt: (row) => {
        const before = prompts.get(row.prompt);
        if (before !== undefined) this.uncount(batchId, before);
        this.count(batchId, row, 1);
        prompts.set(row.prompt, row);
        written.set(keyOf(row.prompt), row);
      },
      removePrompt: (prompt) => {
        const before = prompts.get(prompt);
        if (before === undefined) return;
        this.uncount(batchId, before);
        prompts.delete(prompt);
        written.delete(keyOf(prompt));
        removed.set(keyOf(prompt), before);
      },
      putOutcome: (outcome) => {
        const { sums } = change();
        sums.outcome_seq += 1;
        change().countOutcomes(outcome.status, 1);
        item.hasOutcome = true;
        outcomes.push(outcomeRow(outcome, locked.batch_no, locked.outcome_seq + sums.outcome_seq));
      },
    };
    return item;
  }

  /** Takes a row out of the sums, as it stood. */
  private uncount(batchId: string, row: KnownRow): void {
    if (row.state === 'settled') throw new Error(`prompt ${row.prompt} of record ${row.idx} was settled before`);
    this.count(batchId, isSent(row) ? row : unknownRow(row, row.result, null), -1);
  }

  private count(batchId: string, row: SentRow | EndedRow, sign: 1 | -1): void {
    this.changeOf(batchId).countPrompt(row, sign);
    this.lockedDays().count(row, sign);
  }

  private lockedDays(): PoolDays {
    if (this.days === undefined) throw new Error('a write came before its group was loaded');
    return this.days;
  }

  private changeOf(batchId: string): CounterChange {
    const batch = this.batches.get(batchId);
    if (batch === undefined) throw noSuchBatch(batchId);
    return batch.change;
  }
}
