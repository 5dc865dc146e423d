import type { ExpressionBuilder } from 'kysely';
import type { Outcome } from '../task/outcome.js';
import { TemperedError } from '../task/errors.js';
import type { Backend, Db } from './backend.js';
import { CounterChange } from './counterChange.js';
import { encode } from './jsonText.js';
import { lockBatch } from './locks.js';
import { openRecords, toStoredRecord } from './openRecords.js';
import { errorColumns, OUTCOME_COLUMNS, toOutcome, type JoinedOutcome } from './outcomeRows.js';
import { FIRST_PAGE, nextPageSize } from './pageSize.js';
import { RECORDED_COLUMNS, type RecordedPromptRow } from './promptRows.js';
import { closeRange } from './closeRange.js';
import { reuseOutcomes } from './reuse.js';
import type { StoreSchema } from './schema.js';
import type { OutcomeFilter, Store } from './types.js';

/** The part of the store that reads records and outcomes, and changes outcomes after the fact. */
export type OutcomeStore = Pick<
  Store,
  | 'getRecord'
  | 'openRecords'
  | 'pending'
  | 'reuseOutcomes'
  | 'replaceOutcome'
  | 'getOutcome'
  | 'closeRange'
  | 'outcomes'
  | 'outcomePages'
  | 'outcomesSince'
>;

/**
 * Indices looked through for a filtered page. Every query is bounded by its range, not by its limit alone: PostgreSQL
 * knows nothing of tables filled a moment ago, and would sort the rest of the batch for each page.
 */
const FILTER_WINDOW = 5_000;

/** The batch's number inside a query. */
function numberOf(batchId: string) {
  return (eb: ExpressionBuilder<StoreSchema, 'outcomes' | 'records'>) =>
    eb.selectFrom('batches').select('no').where('id', '=', batchId);
}

/** Joins a page of outcome rows with their journal. */
export async function withJournal(backend: Backend, rows: readonly JoinedOutcome[]): Promise<readonly Outcome[]> {
  const [first] = rows;
  if (first === undefined) return [];
  const { db } = backend;
  const isRun = rows.every((row, i) => row.idx === first.idx + i);
  const query = db
    .selectFrom('prompts')
    .select(RECORDED_COLUMNS)
    .where('batch_no', '=', first.batch_no)
    // One place to look for instead of hundreds, and a shorter statement.
    .where((eb) =>
      isRun
        ? eb.between('idx', first.idx, first.idx + rows.length - 1)
        : eb(
            'idx',
            'in',
            rows.map((row) => row.idx),
          ),
    )
    .orderBy('idx')
    .orderBy('prompt');
  const byItem = new Map<number, RecordedPromptRow[]>();
  for (const prompt of await backend.readMany(db, query, RECORDED_COLUMNS)) {
    const ofItem = byItem.get(prompt.idx);
    if (ofItem === undefined) byItem.set(prompt.idx, [prompt]);
    else ofItem.push(prompt);
  }
  return rows.map((row) => toOutcome(row, byItem.get(row.idx) ?? []));
}

function joined(db: Db, batchId: string) {
  return db
    .selectFrom('outcomes')
    .innerJoin('records', (join) =>
      join.onRef('records.batch_no', '=', 'outcomes.batch_no').onRef('records.idx', '=', 'outcomes.idx'),
    )
    .selectAll('outcomes')
    .select('records.id')
    .where('outcomes.batch_no', '=', numberOf(batchId));
}

function charsOf(rows: readonly JoinedOutcome[]): number {
  return rows.reduce((sum, row) => sum + row.output.length + (row.input?.length ?? 0), 0);
}

/** Records of the batch now. */
async function countRecords(db: Db, batchId: string): Promise<number> {
  const row = await db
    .selectFrom('counters')
    .innerJoin('batches', 'batches.no', 'counters.batch_no')
    .select('items')
    .where('batches.id', '=', batchId)
    .executeTakeFirst();
  return row?.items ?? 0;
}

async function* pages(backend: Backend, batchId: string, filter: OutcomeFilter): AsyncGenerator<readonly Outcome[]> {
  const { db } = backend;
  const { statuses, category, withInput = false } = filter;
  const isFiltered = statuses !== undefined || category !== undefined;
  if (statuses?.length === 0) return;
  const items = await countRecords(db, batchId);
  const columns = [...OUTCOME_COLUMNS, 'id', ...(withInput ? (['input'] as const) : [])] as const;
  let size = FIRST_PAGE;
  for (let from = 0; from < items;) {
    const to = from + (isFiltered ? Math.max(size, FILTER_WINDOW) : size);
    const query = joined(db, batchId)
      .where('outcomes.idx', '>=', from)
      .where('outcomes.idx', '<', to)
      .$if(statuses !== undefined, (query) => query.where('outcomes.status', 'in', statuses ?? []))
      .$if(category !== undefined, (query) => query.where('outcomes.error_category', '=', category ?? null))
      .$if(withInput, (query) => query.select('records.input'))
      .orderBy('outcomes.idx')
      .limit(size);
    const rows: readonly JoinedOutcome[] = await backend.readMany(db, query, columns);
    yield await withJournal(backend, rows);
    const last = rows.at(-1);
    from = last !== undefined && rows.length === size ? last.idx + 1 : to;
    size = nextPageSize(size, charsOf(rows));
  }
}

async function* oneByOne(outcomePages: AsyncIterable<readonly Outcome[]>): AsyncGenerator<Outcome> {
  for await (const page of outcomePages) yield* page;
}

async function replaceOutcome(
  backend: Backend,
  batchId: string,
  index: number,
  change: Parameters<Store['replaceOutcome']>[2],
): Promise<void> {
  await backend.db.transaction().execute(async (trx) => {
    const batch = await lockBatch(trx, backend, batchId);
    const before = await trx
      .selectFrom('outcomes')
      .select('status')
      .where('batch_no', '=', batch.batch_no)
      .where('idx', '=', index)
      .executeTakeFirst();
    if (before === undefined) {
      throw new TemperedError('input', `Record ${index} of batch "${batchId}" has no outcome to replace yet.`, {
        remedy: 'Wait until it has ended.',
      });
    }
    await trx
      .updateTable('outcomes')
      .set({ status: change.status, output: encode(change.output), ...errorColumns(change.error) })
      .where('batch_no', '=', batch.batch_no)
      .where('idx', '=', index)
      .execute();
    const counters = new CounterChange();
    counters.countOutcomes(before.status, -1);
    counters.countOutcomes(change.status, 1);
    await counters.write(trx, batch.batch_no);
  });
}

/** Records and outcomes over `backend`. */
export function createOutcomeStore(backend: Backend): OutcomeStore {
  const { db } = backend;
  return {
    async getRecord(batchId, index) {
      const row = await db
        .selectFrom('records')
        .innerJoin('batches', 'batches.no', 'records.batch_no')
        .selectAll('records')
        .where('batches.id', '=', batchId)
        .where('records.idx', '=', index)
        .executeTakeFirst();
      return row === undefined ? undefined : toStoredRecord(row);
    },
    openRecords: (batchId, indices) => openRecords(db, batchId, indices),
    pending: (batchId, from, to) =>
      db
        .selectFrom('records')
        .leftJoin('outcomes', (join) =>
          join.onRef('outcomes.batch_no', '=', 'records.batch_no').onRef('outcomes.idx', '=', 'records.idx'),
        )
        .select(['records.idx as index', 'records.id'])
        .where('records.batch_no', '=', numberOf(batchId))
        .where('records.idx', '>=', from)
        .where('records.idx', '<', to)
        .where('outcomes.idx', 'is', null)
        .orderBy('records.idx')
        .execute(),
    reuseOutcomes: (batchId, taskHash) => reuseOutcomes(backend, batchId, taskHash),
    replaceOutcome: (batchId, index, change) => replaceOutcome(backend, batchId, index, change),
    async getOutcome(batchId, index) {
      const rows = await joined(db, batchId).where('outcomes.idx', '=', index).execute();
      const [outcome] = await withJournal(backend, rows);
      return outcome;
    },
    closeRange: (batchId, from, to, error) => closeRange(backend, batchId, from, to, error),
    outcomes: (batchId, filter = {}) => oneByOne(pages(backend, batchId, filter)),
    outcomePages: (batchId, filter = {}) => pages(backend, batchId, filter),
    async outcomesSince(batchId, cursor, limit) {
      const rows = await joined(db, batchId)
        .where('outcomes.seq', '>', cursor)
        // Numbers have no gaps.
        .where('outcomes.seq', '<=', cursor + limit)
        .orderBy('outcomes.seq')
        .execute();
      return { outcomes: await withJournal(backend, rows), cursor: rows.at(-1)?.seq ?? cursor };
    },
  };
}
