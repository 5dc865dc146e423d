import { recordHash } from '../task/identity.js';
import type { Backend } from './backend.js';
import { decode, decodeNullable } from './jsonText.js';
import { RowsStatement } from './rowsStatement.js';

/** Stands where a record's hash is not made yet. */
export const NO_HASH = '';

/** Records hashed in one transaction: other writers wait for it. */
const PAGE = 500;

const putHash = new RowsStatement((db) =>
  db.updateTable('records').set({ record_hash: '' }).where('batch_no', '=', 0).where('idx', '=', 0).compile(),
);

/**
 * Makes the hashes that are still missing in the batches of a task. Records are stored without: only `--reuse` compares
 * them, and every load would wait for it.
 */
export async function makeHashes(backend: Backend, taskHash: string): Promise<void> {
  const batches = await backend.db.selectFrom('batches').select('no').where('task_hash', '=', taskHash).execute();
  for (const { no } of batches) {
    for (let from: number | undefined = 0; from !== undefined;) from = await makePage(backend, no, from);
  }
}

/** Makes the next of a batch's from `from` on. Returns where to go on; undefined: there is no more. */
function makePage({ db }: Backend, batchNo: number, from: number): Promise<number | undefined> {
  return db.transaction().execute(async (trx) => {
    const rows = await trx
      .selectFrom('records')
      .select(['idx', 'input', 'rendered'])
      .where('batch_no', '=', batchNo)
      .where('idx', '>=', from)
      .where('record_hash', '=', NO_HASH)
      .orderBy('idx')
      .limit(PAGE)
      .execute();
    for (const { idx, input, rendered } of rows) {
      await putHash.execute(trx, 1, [recordHash(decode(input), decodeNullable(rendered)), batchNo, idx]);
    }
    const last = rows.at(-1);
    return last === undefined ? undefined : last.idx + 1;
  });
}
