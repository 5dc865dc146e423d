import { sql } from 'kysely';
import type { Backend } from './backend.js';
import { CounterChange } from './counterChange.js';
import { lockBatch } from './locks.js';
import { makeHashes } from './recordHashes.js';

/** See `Store.reuseOutcomes`; of several earlier answers to the same record the newest is taken. */
export async function reuseOutcomes(backend: Backend, batchId: string, taskHash: string): Promise<number> {
  await makeHashes(backend, taskHash);
  return backend.db.transaction().execute(async (trx) => {
    const batch = await lockBatch(trx, backend, batchId);
    const { numAffectedRows } = await sql`
      insert into outcomes (batch_no, idx, seq, status, output)
      select r.batch_no, r.idx, ${sql.lit(batch.outcome_seq)} + row_number() over (order by r.idx), 'succeeded', found.output
      from records r
      join (
        select old.record_hash, done.output,
          row_number() over (partition by old.record_hash order by old.batch_no desc, old.idx) as place
        from records old
        join batches b on b.no = old.batch_no
        join outcomes done on done.batch_no = old.batch_no and done.idx = old.idx
        where b.task_hash = ${taskHash} and b.no <> ${batch.batch_no} and done.status = 'succeeded'
      ) found on found.record_hash = r.record_hash and found.place = 1
      where r.batch_no = ${batch.batch_no}
        and not exists (select 1 from outcomes mine where mine.batch_no = r.batch_no and mine.idx = r.idx)`.execute(
      trx,
    );
    const reused = Number(numAffectedRows ?? 0n);
    const change = new CounterChange();
    change.countOutcomes('succeeded', reused);
    change.sums.outcome_seq = reused;
    await change.write(trx, batch.batch_no);
    return reused;
  });
}
