import type { Transaction } from 'kysely';
import type { Backend } from './backend.js';
import { RowsStatement } from './rowsStatement.js';
import type { CountersRow, StoreSchema } from './schema.js';
import { noSuchBatch } from './storeErrors.js';
import type { BatchStatus } from './types.js';

/** A batch's counters and what its writers must know, locked against other writers. */
export interface LockedBatch extends CountersRow {
  /** The batch's id. */
  readonly id: string;
  /** Its state. */
  readonly status: BatchStatus;
  /** What the data set was, for people. */
  readonly source: string;
  /** The open store that loads it. */
  readonly loader: string;
  /** Time of the last appended chunk; milliseconds since epoch. */
  readonly touched_at: number;
}

function lockStatement(rowLocks: boolean): RowsStatement<LockedBatch> {
  return new RowsStatement((db, ids) =>
    db
      .selectFrom('batches')
      .innerJoin('counters', 'counters.batch_no', 'batches.no')
      .selectAll('counters')
      .select(['batches.id', 'batches.status', 'batches.source', 'batches.loader', 'batches.touched_at'])
      .where(
        'batches.id',
        'in',
        Array.from({ length: ids }, () => ''),
      )
      .orderBy('batches.no')
      .$if(rowLocks, (query) => query.forUpdate())
      .compile(),
  );
}

const lockRows = lockStatement(true);
const readRows = lockStatement(false);

/**
 * Locks batches for writing until the transaction ends, always in the same order so that writers can't block each
 * other for ever. Unknown ids are left out.
 */
export async function lockBatches(
  trx: Transaction<StoreSchema>,
  backend: Backend,
  ids: readonly string[],
): Promise<ReadonlyMap<string, LockedBatch>> {
  const rows = await (backend.rowLocks ? lockRows : readRows).execute(trx, ids.length, ids);
  return new Map(rows.map((row) => [row.id, row]));
}

/** {@link lockBatches} of one. Throws when there is none. */
export async function lockBatch(trx: Transaction<StoreSchema>, backend: Backend, id: string): Promise<LockedBatch> {
  const batch = (await lockBatches(trx, backend, [id])).get(id);
  if (batch === undefined) throw noSuchBatch(id);
  return batch;
}
