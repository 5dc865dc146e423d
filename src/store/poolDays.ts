import type { Transaction } from 'kysely';
import type { Backend } from './backend.js';
import { RowsStatement } from './rowsStatement.js';
import type { PromptRow, StoreSchema } from './schema.js';

/** A pool's day. */
export interface PoolDay {
  /** The pool. */
  readonly pool: string;
  /** Its number, see `PoolBook.dayOf`. */
  readonly day: number;
}

/** What of a journal row a pool's day depends on. */
type CountedRow = Pick<PromptRow, 'pool' | 'day' | 'worst_nano'> &
  ({ readonly state: 'sent' } | { readonly state: 'settled' | 'unknown'; readonly cost_nano: number | null });

interface Entry extends PoolDay {
  spent: number;
  reserved: number;
  readonly before: { readonly spent: number; readonly reserved: number };
}

function lookStatement(
  rowLocks: boolean,
): RowsStatement<{ readonly spent_nano: number; readonly reserved_nano: number }> {
  return new RowsStatement((db) =>
    db
      .selectFrom('pool_days')
      .select(['spent_nano', 'reserved_nano'])
      .where('pool', '=', '')
      .where('day', '=', 0)
      .$if(rowLocks, (query) => query.forUpdate())
      .compile(),
  );
}

const lockDayRow = lookStatement(true);
const readDayRow = lookStatement(false);

const writeDay = new RowsStatement((db) =>
  db
    .updateTable('pool_days')
    .set({ spent_nano: 0, reserved_nano: 0 })
    .where('pool', '=', '')
    .where('day', '=', 0)
    .compile(),
);

function keyOf({ pool, day }: PoolDay): string {
  return `${day} ${pool}`;
}

/** The days of the pools that a transaction's prompts belong to, locked: several batches spend the same money. */
export class PoolDays {
  private readonly entries = new Map<string, Entry>();

  private constructor(private readonly trx: Transaction<StoreSchema>) {}

  /** Locks days until the transaction ends, always in the same order so that writers can't block each other for ever. */
  static async lock(
    trx: Transaction<StoreSchema>,
    backend: Backend,
    days: readonly { readonly pool: string; readonly day: number | null }[],
  ): Promise<PoolDays> {
    const locked = new PoolDays(trx);
    const wanted = new Map(
      days.flatMap(({ pool, day }) => (day === null ? [] : [[keyOf({ pool, day }), { pool, day }] as const])),
    );
    for (const [key, day] of [...wanted].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const { spent_nano: spent, reserved_nano: reserved } = await lockDay(trx, backend, day);
      locked.entries.set(key, { ...day, spent, reserved, before: { spent, reserved } });
    }
    return locked;
  }

  /** Counts a journal row in (`sign` 1) or out (-1). */
  count(row: CountedRow, sign: 1 | -1): void {
    if (row.day === null) return;
    const entry = this.entries.get(keyOf({ pool: row.pool, day: row.day }));
    if (entry === undefined) throw new Error(`day ${row.day} of pool ${row.pool} was not locked`);
    if (row.state === 'sent') entry.reserved += sign * (row.worst_nano ?? 0);
    else entry.spent += sign * (row.cost_nano ?? row.worst_nano ?? 0);
  }

  /** Money of a day: what was spent, and the worst case of prompts in flight; nano-dollars. */
  moneyOf(day: PoolDay): { readonly spent: number; readonly reserved: number } {
    return this.entries.get(keyOf(day)) ?? { spent: 0, reserved: 0 };
  }

  /** Writes what changed. */
  async write(): Promise<void> {
    for (const { pool, day, spent, reserved, before } of this.entries.values()) {
      if (spent === before.spent && reserved === before.reserved) continue;
      await writeDay.execute(this.trx, 1, [spent, reserved, pool, day]);
    }
  }
}

async function lockDay(trx: Transaction<StoreSchema>, backend: Backend, { pool, day }: PoolDay) {
  const look = async () => (await (backend.rowLocks ? lockDayRow : readDayRow).execute(trx, 1, [pool, day]))[0];
  const found = await look();
  if (found !== undefined) return found;
  await trx
    .insertInto('pool_days')
    .values({ pool, day, spent_nano: 0, reserved_nano: 0 })
    .onConflict((conflict) => conflict.columns(['pool', 'day']).doNothing())
    .execute();
  const made = await look();
  if (made === undefined) throw new Error(`day ${day} of pool ${pool} vanished`);
  return made;
}
