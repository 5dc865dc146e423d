import { sql } from 'kysely';
import type { Outcome } from '../task/outcome.js';
import type { Backend } from './backend.js';
import { CounterChange } from './counterChange.js';
import { withJournal } from './outcomes.js';
import { slices } from './rowsStatement.js';
import type { LockedBatch } from './locks.js';
import type { Trx } from './loading.js';
import { noSuchBatch } from './storeErrors.js';
import type { Store } from './types.js';

/** The part of the store that reads a batch together with the batches that asked again for its failures. */
export type RetryStore = Pick<Store, 'retriesOf' | 'successes'>;

/** Copies records of another batch after the last one: ids, inputs and prompts stay as they are. */
export async function copyRecords(
  trx: Trx,
  batch: LockedBatch,
  fromId: string,
  indices: readonly number[],
): Promise<void> {
  const from = await trx.selectFrom('batches').select('no').where('id', '=', fromId).executeTakeFirst();
  if (from === undefined) throw noSuchBatch(fromId);
  let next = batch.items;
  for (const slice of slices(indices)) {
    await sql`
      insert into records (batch_no, idx, id, line, record_hash, input, rendered)
      select ${sql.lit(batch.batch_no)}, ${sql.lit(next - 1)} + row_number() over (order by idx),
        id, line, record_hash, input, rendered
      from records
      where batch_no = ${from.no} and idx in (${sql.join(slice)})`.execute(trx);
    next += slice.length;
  }
  const change = new CounterChange();
  change.sums.items = indices.length;
  await change.write(trx, batch.batch_no);
}

/** Reading retries over `backend`. `getBatch` reads a row by its id. */
export function createRetryStore(backend: Backend, getBatch: Store['getBatch']): RetryStore {
  const { db } = backend;
  return {
    async retriesOf(batchId) {
      // Retries and runs with `--new` have ids that begin so; the row says which it is.
      const pattern = `${batchId.replace(/[\\%_]/g, '\\$&')}-r%`;
      const rows = await db
        .selectFrom('batches')
        .select('id')
        .where(sql<boolean>`id like ${pattern} escape '\\'`)
        .orderBy('no')
        .execute();
      const found = await Promise.all(rows.map(({ id }) => getBatch(id)));
      return found.filter((row) => row !== undefined).filter((row) => row.options.retryOf === batchId);
    },
    async successes(batchIds, recordIds) {
      const newest = new Map<string, { readonly batchId: string; readonly outcome: Outcome }>();
      if (recordIds.length === 0) return newest;
      for (const batchId of batchIds) {
        const rows = await db
          .selectFrom('records')
          .innerJoin('batches', 'batches.no', 'records.batch_no')
          .innerJoin('outcomes', (join) =>
            join.onRef('outcomes.batch_no', '=', 'records.batch_no').onRef('outcomes.idx', '=', 'records.idx'),
          )
          .selectAll('outcomes')
          .select('records.id')
          .where('batches.id', '=', batchId)
          .where('records.id', 'in', recordIds)
          .where('outcomes.status', '=', 'succeeded')
          .execute();
        for (const outcome of await withJournal(backend, rows)) newest.set(outcome.id, { batchId, outcome });
      }
      return newest;
    },
  };
}
