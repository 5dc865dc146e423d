import { type Selectable, sql } from 'kysely';
import type { Db } from './backend.js';
import { decode, decodeNullable } from './jsonText.js';
import { FIRST_PAGE, nextPageSize } from './pageSize.js';
import { JOURNAL_COLUMNS, toJournalRow, type JournalColumns } from './promptRows.js';
import { RowsSelect, RowsStatement } from './rowsStatement.js';
import type { StoreSchema } from './schema.js';
import type { OpenRecord, StoredRecord } from './types.js';

type RecordRow = Selectable<StoreSchema['records']>;

/** A record's row as activities read it. */
export function toStoredRecord(row: RecordRow): StoredRecord {
  return {
    index: row.idx,
    id: row.id,
    line: row.line,
    input: decode(row.input),
    rendered: decodeNullable(row.rendered),
  };
}

/** Rows of records that have no outcome. */
const openRows = new RowsStatement<RecordRow>((db, count) =>
  db
    .selectFrom('records')
    .leftJoin('outcomes', (join) =>
      join.onRef('outcomes.batch_no', '=', 'records.batch_no').onRef('outcomes.idx', '=', 'records.idx'),
    )
    .selectAll('records')
    .where('records.batch_no', '=', (eb) => eb.selectFrom('batches').select('no').where('id', '=', ''))
    .where(
      'records.idx',
      'in',
      Array.from({ length: count }, () => 0),
    )
    .where('outcomes.idx', 'is', null)
    .orderBy('records.idx')
    .compile(),
);

/** Their prompts so far. */
const journalRows = new RowsSelect<JournalColumns>('prompts', JOURNAL_COLUMNS, sql`order by idx, prompt`);

async function readJournals(db: Db, rows: readonly RecordRow[]): Promise<ReadonlyMap<number, JournalColumns[]>> {
  const journals = new Map<number, JournalColumns[]>(rows.map((row) => [row.idx, []]));
  const [first] = rows;
  if (first === undefined) return journals;
  for (const prompt of await journalRows.execute(db, first.batch_no, [...journals.keys()])) {
    journals.get(prompt.idx)?.push(prompt);
  }
  return journals;
}

/** See `Store.openRecords`. */
export async function* openRecords(
  db: Db,
  batchId: string,
  indices: readonly number[],
): AsyncGenerator<OpenRecord, void> {
  let size = FIRST_PAGE;
  for (let from = 0; from < indices.length;) {
    const rows = await openRows.forItems(db, batchId, indices.slice(from, from + size));
    const journals = await readJournals(db, rows);
    for (const row of rows) {
      yield { record: toStoredRecord(row), journal: (journals.get(row.idx) ?? []).map(toJournalRow) };
    }
    from += size;
    const chars = rows.reduce((sum, row) => sum + row.input.length + (row.rendered?.length ?? 0), 0);
    size = nextPageSize(size, chars);
  }
}
