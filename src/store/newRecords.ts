import { sql } from 'kysely';
import type { LoadedRecord } from '../task/spec.js';
import type { Db } from './backend.js';
import { encode, encodeNullable } from './jsonText.js';
import { NO_HASH } from './recordHashes.js';
import { powerSlices, RowsStatement } from './rowsStatement.js';

/** Values of each record. */
const OWN = 4;

/**
 * Batch and place of all records are bound once: to bind a value takes SQLite's driver as long as to store it. Both
 * databases know places by number.
 */
const insert = new RowsStatement((db, rows) => {
  const row = (i: number) => {
    const [id, line, input, rendered] = Array.from({ length: OWN }, (_, own) => `$${3 + i * OWN + own}`);
    return `($1, $2 + ${i}, ${id}, ${line}, '${NO_HASH}', ${input}, ${rendered})`;
  };
  const values = Array.from({ length: rows }, (_, i) => row(i)).join(', ');
  return sql
    .raw(`insert into records (batch_no, idx, id, line, record_hash, input, rendered) values ${values}`)
    .compile(db);
});

/** Inserts records; the first one's place is `from`. */
export async function insertRecords(
  db: Db,
  batchNo: number,
  from: number,
  records: readonly LoadedRecord[],
): Promise<void> {
  let next = from;
  for (const slice of powerSlices(records)) {
    const parameters: unknown[] = [batchNo, next];
    for (const { id, line, input, rendered } of slice) {
      parameters.push(id, line, encode(input), encodeNullable(rendered));
    }
    await insert.execute(db, slice.length, parameters);
    next += slice.length;
  }
}
