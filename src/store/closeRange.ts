import { sql, type Transaction } from 'kysely';
import type { ItemError } from '../task/errors.js';
import type { OutcomeStatus } from '../task/outcome.js';
import type { Backend } from './backend.js';
import { CounterChange } from './counterChange.js';
import { encode } from './jsonText.js';
import { lockBatch, type LockedBatch } from './locks.js';
import { errorColumns } from './outcomeRows.js';
import { PoolDays } from './poolDays.js';
import type { StoreSchema } from './schema.js';
import type { RangeCounts } from './types.js';

/** A range `[from, to)` of a locked batch. */
interface Range {
  readonly trx: Transaction<StoreSchema>;
  readonly batch: LockedBatch;
  readonly from: number;
  readonly to: number;
}

/** Prompts nobody will settle any more stay charged at their worst case. */
async function giveUpSent({ trx, batch, from, to }: Range, error: ItemError, change: CounterChange): Promise<void> {
  const sent = await trx
    .selectFrom('prompts')
    .select((eb) => [
      'stage',
      eb.fn.countAll<number>().as('count'),
      eb.fn.count<number>('worst_nano').as('priced'),
      eb.fn.sum<number | null>('worst_nano').as('worst'),
    ])
    .where('batch_no', '=', batch.batch_no)
    .where('idx', '>=', from)
    .where('idx', '<', to)
    .where('state', '=', 'sent')
    .groupBy('stage')
    .execute();
  if (sent.length === 0) return;
  for (const { stage, count, priced, worst } of sent) {
    change.sums.prompts += count;
    change.sums.in_flight -= count;
    change.sums.unknown_prompts += count;
    change.sums.unpriced_prompts += count - priced;
    change.sums.reserved_nano -= worst ?? 0;
    change.sums.spent_nano += worst ?? 0;
    change.sums.unknown_nano += worst ?? 0;
    change.countStage(stage, 'error', count);
  }
  await trx
    .updateTable('prompts')
    .set({ state: 'unknown', result: error.category, error: encode(error) })
    .where('batch_no', '=', batch.batch_no)
    .where('idx', '>=', from)
    .where('idx', '<', to)
    .where('state', '=', 'sent')
    .execute();
}

/** The same for the days of their pools. */
async function chargeDays({ trx, batch, from, to }: Range, backend: Backend): Promise<void> {
  const sent = await trx
    .selectFrom('prompts')
    .select(['pool', 'day', 'worst_nano'])
    .where('batch_no', '=', batch.batch_no)
    .where('idx', '>=', from)
    .where('idx', '<', to)
    .where('state', '=', 'sent')
    .where('day', 'is not', null)
    .execute();
  const days = await PoolDays.lock(trx, backend, sent);
  for (const row of sent) {
    days.count({ ...row, state: 'sent' }, -1);
    days.count({ ...row, state: 'unknown', cost_nano: null }, 1);
  }
  await days.write();
}

async function countByStatus({ trx, batch, from, to }: Range): Promise<ReadonlyMap<OutcomeStatus, number>> {
  const rows = await trx
    .selectFrom('outcomes')
    .select((eb) => ['status', eb.fn.countAll<number>().as('count')])
    .where('batch_no', '=', batch.batch_no)
    .where('idx', '>=', from)
    .where('idx', '<', to)
    .groupBy('status')
    .execute();
  return new Map(rows.map((row) => [row.status, row.count]));
}

/** One statement gives every record without an outcome its last one. */
async function insertMissing({ trx, batch, from, to }: Range, error: ItemError): Promise<void> {
  const columns = errorColumns(error);
  await sql`
    insert into outcomes (batch_no, idx, seq, status, error_category, error_code, error_message, error_retryable, output)
    select r.batch_no, r.idx, ${sql.lit(batch.outcome_seq)} + row_number() over (order by r.idx),
      case when exists (select 1 from prompts p where p.batch_no = r.batch_no and p.idx = r.idx)
        then 'failed' else 'notRun' end,
      ${columns.error_category}, ${columns.error_code}, ${columns.error_message},
      ${sql.lit(columns.error_retryable)}, 'null'
    from records r
    where r.batch_no = ${batch.batch_no} and r.idx >= ${from} and r.idx < ${to}
      and not exists (select 1 from outcomes o where o.batch_no = r.batch_no and o.idx = r.idx)`.execute(trx);
}

/** See `Store.closeRange`. */
export async function closeRange(
  backend: Backend,
  batchId: string,
  from: number,
  to: number,
  error: ItemError,
): Promise<RangeCounts> {
  return backend.db.transaction().execute(async (trx) => {
    const batch = await lockBatch(trx, backend, batchId);
    const range: Range = { trx, batch, from, to };
    const change = new CounterChange();
    await chargeDays(range, backend);
    await giveUpSent(range, error, change);
    const before = await countByStatus(range);
    await insertMissing(range, error);
    const after = await countByStatus(range);
    for (const [status, count] of after) {
      const added = count - (before.get(status) ?? 0);
      change.countOutcomes(status, added);
      change.sums.outcome_seq += added;
    }
    await change.write(trx, batch.batch_no);
    return {
      succeeded: after.get('succeeded') ?? 0,
      partial: after.get('partial') ?? 0,
      failed: after.get('failed') ?? 0,
      notRun: after.get('notRun') ?? 0,
    };
  });
}
