import type { Selectable } from 'kysely';
import type { Db } from './backend.js';
import { decode, decodeNullable } from './jsonText.js';
import { FIRST_PAGE, nextPageSize } from './pageSize.js';
import { JOURNAL_COLUMNS, toJournalRow, type JournalColumns } from './promptRows.js';
import { padded, RowsStatement } from './rowsStatement.js';
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
    recordHash: row.record_hash,
  };
}

/** A statement's list of so many indices. */
function indexList(count: number): readonly number[] {
  return Array.from({ length: count }, () => 0);
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
    .where('records.idx', 'in', indexList(count))
    .where('outcomes.idx', 'is', null)
    .orderBy('records.idx')
    .compile(),
);

/** Their prompts so far. */
const journalRows = new RowsStatement<JournalColumns>((db, count) =>
  db
    .selectFrom('prompts')
    .select(JOURNAL_COLUMNS)
    .where('batch_no', '=', 0)
    .where('idx', 'in', indexList(count))
    .orderBy('idx')
    .orderBy('prompt')
    .compile(),
);

async function readJournals(db: Db, rows: readonly RecordRow[]): Promise<ReadonlyMap<number, JournalColumns[]>> {
  const journals = new Map<number, JournalColumns[]>(rows.map((row) => [row.idx, []]));
  const [first] = rows;
  if (first === undefined) return journals;
  const list = padded([...journals.keys()]);
  const prompts = await journalRows.execute(db, list.length, [first.batch_no, ...list]);
  for (const prompt of prompts) journals.get(prompt.idx)?.push(prompt);
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
    const list = padded(indices.slice(from, from + size));
    const rows = await openRows.execute(db, list.length, [batchId, ...list]);
    const journals = await readJournals(db, rows);
    for (const row of rows) {
      yield { record: toStoredRecord(row), journal: (journals.get(row.idx) ?? []).map(toJournalRow) };
    }
    from += size;
    const chars = rows.reduce((sum, row) => sum + row.input.length + (row.rendered?.length ?? 0), 0);
    size = nextPageSize(size, chars);
  }
}
