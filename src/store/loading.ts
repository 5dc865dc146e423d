import { randomUUID } from 'node:crypto';
import type { Transaction } from 'kysely';
import { TemperedError } from '../task/errors.js';
import type { LoadedRecord, RecordPreset } from '../task/spec.js';
import type { Backend } from './backend.js';
import { CounterChange } from './counterChange.js';
import { encode } from './jsonText.js';
import { lockBatch, type LockedBatch } from './locks.js';
import { insertRecords } from './newRecords.js';
import { newOutcomes, outcomeRow, type NewOutcomeRow } from './outcomeRows.js';
import { copyRecords } from './retries.js';
import { slices } from './rowsStatement.js';
import type { StoreSchema } from './schema.js';
import type { NewOutcome, Store } from './types.js';

/** The part of the store that takes records in. */
export type LoadingStore = Pick<
  Store,
  'createBatch' | 'discardBatch' | 'appendRecords' | 'copyRecords' | 'finishLoading' | 'addItems'
>;

/** A loader that appended nothing for so long is gone; milliseconds. */
const LOADER_GONE_MS = 15_000;

/** A transaction on the store's tables. */
export type Trx = Transaction<StoreSchema>;

/** Takes a batch's rows out of every table but `batches` and `counters`. */
async function emptyBatch(trx: Trx, no: number): Promise<void> {
  const tables = ['records', 'outcomes', 'prompts', 'stage_counts', 'added_keys', 'control'] as const;
  for (const table of tables) await trx.deleteFrom(table).where('batch_no', '=', no).execute();
}

function presetOutcome(batchId: string, index: number, preset: RecordPreset): NewOutcome {
  const nobody = { batchId, index, workflowId: null, runId: null, metadata: null };
  return preset.kind === 'answer'
    ? { ...nobody, status: 'succeeded', output: preset.output, error: null }
    : {
        ...nobody,
        status: 'notRun',
        output: null,
        error: { category: 'input', code: 'skipped', message: preset.reason, retryable: false },
      };
}

/** Inserts records after the last one, with the outcomes of those that need no prompt. Returns the first index. */
async function append(trx: Trx, batch: LockedBatch, records: readonly LoadedRecord[]): Promise<number> {
  const from = batch.items;
  const change = new CounterChange();
  const outcomes: NewOutcomeRow[] = [];
  for (const [offset, { preset }] of records.entries()) {
    if (preset === undefined) continue;
    const outcome = presetOutcome(batch.id, from + offset, preset);
    change.sums.outcome_seq += 1;
    change.countOutcomes(outcome.status, 1);
    outcomes.push(outcomeRow(outcome, batch.batch_no, batch.outcome_seq + change.sums.outcome_seq));
  }
  await insertRecords(trx, batch.batch_no, from, records);
  await newOutcomes.execute(trx, outcomes);
  change.sums.items = records.length;
  await change.write(trx, batch.batch_no);
  return from;
}

function spot(line: number | null, index: number | undefined): string {
  if (line !== null) return `line ${line}`;
  return index === undefined ? 'an earlier record' : `record ${index}`;
}

function duplicateId(source: string, id: string, first: string, second: string, line: number | null): TemperedError {
  return new TemperedError('input', `The id "${id}" is used twice: ${first} and ${second}.`, {
    remedy: 'Make ids unique, or name another field with --id-field.',
    ...(line === null ? {} : { place: { file: source, line } }),
  });
}

/** Says which two records share an id, after the database refused a chunk that starts at `from`. */
async function explainDuplicate(
  { db }: Backend,
  batchId: string,
  records: readonly LoadedRecord[],
): Promise<TemperedError | undefined> {
  const batch = await db
    .selectFrom('batches')
    .innerJoin('counters', 'counters.batch_no', 'batches.no')
    .select(['no', 'source', 'items'])
    .where('id', '=', batchId)
    .executeTakeFirst();
  if (batch === undefined) return undefined;
  const seen = new Map<string, { readonly line: number | null; readonly index: number }>();
  for (const slice of slices(records)) {
    const stored = await db
      .selectFrom('records')
      .select(['id', 'line', 'idx'])
      .where('batch_no', '=', batch.no)
      .where(
        'id',
        'in',
        slice.map((record) => record.id),
      )
      .execute();
    for (const { id, line, idx } of stored) seen.set(id, { line, index: idx });
  }
  for (const [offset, { id, line }] of records.entries()) {
    const index = batch.items + offset;
    const first = seen.get(id);
    if (first !== undefined) {
      return duplicateId(batch.source, id, spot(first.line, first.index), spot(line, index), line);
    }
    seen.set(id, { line, index });
  }
  return undefined;
}

/** Refuses ids PostgreSQL can't store, before they are stored anywhere. */
function checkIds(records: readonly LoadedRecord[]): void {
  const bad = records.find((record) => record.id.includes('\0'));
  if (bad === undefined) return;
  throw new TemperedError('input', `The id ${JSON.stringify(bad.id)} (${spot(bad.line, undefined)}) holds U+0000.`, {
    remedy: 'Remove that character, or name another field with --id-field.',
  });
}

function notOurs(batchId: string): TemperedError {
  return new TemperedError('input', `Batch "${batchId}" is not being loaded by this process any more.`, {
    remedy:
      'Another process took it over after a pause of 15 seconds, or it is loaded already: look with `tempered status`.',
  });
}

/** What every loading statement needs: the backend, and the mark of batches this open store loads. */
interface Loader {
  readonly backend: Backend;
  readonly mark: string;
}

async function lockLoading(trx: Trx, { backend, mark }: Loader, batchId: string): Promise<LockedBatch> {
  const batch = await lockBatch(trx, backend, batchId);
  if (batch.status !== 'loading' || batch.loader !== mark) throw notOurs(batchId);
  return batch;
}

/** Makes a batch, or takes over one whose loader is gone. */
async function claim(
  trx: Trx,
  loader: Loader,
  row: Parameters<Store['createBatch']>[0],
): Promise<'created' | 'exists'> {
  const { backend, mark } = loader;
  const now = await backend.now(trx);
  const inserted = await trx
    .insertInto('batches')
    .values({
      id: row.id,
      task_hash: row.taskHash,
      task_name: row.taskName,
      data_hash: row.dataHash,
      source: row.source,
      status: 'loading',
      options: encode(row.options),
      created_at: row.createdAt,
      loader: mark,
      touched_at: now,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('no')
    .executeTakeFirst();
  if (inserted !== undefined) {
    await trx
      .insertInto('counters')
      .values({ batch_no: inserted.no, ...new CounterChange().sums })
      .execute();
    return 'created';
  }
  const batch = await lockBatch(trx, backend, row.id);
  if (batch.status !== 'loading' || now - batch.touched_at < LOADER_GONE_MS) return 'exists';
  await emptyBatch(trx, batch.batch_no);
  await trx.updateTable('counters').set(new CounterChange().sums).where('batch_no', '=', batch.batch_no).execute();
  await trx
    .updateTable('batches')
    .set({ loader: mark, touched_at: now, options: encode(row.options) })
    .where('no', '=', batch.batch_no)
    .execute();
  return 'created';
}

async function discard(trx: Trx, loader: Loader, batchId: string): Promise<void> {
  const batch = await lockLoading(trx, loader, batchId);
  await emptyBatch(trx, batch.batch_no);
  await trx.deleteFrom('counters').where('batch_no', '=', batch.batch_no).execute();
  await trx.deleteFrom('batches').where('no', '=', batch.batch_no).execute();
}

/** Appends once per key. */
async function addOnce(
  trx: Trx,
  batch: LockedBatch,
  clientKey: string,
  records: readonly LoadedRecord[],
): Promise<{ readonly from: number; readonly to: number }> {
  const known = await trx
    .selectFrom('added_keys')
    .select(['from_idx as from', 'to_idx as to'])
    .where('batch_no', '=', batch.batch_no)
    .where('client_key', '=', clientKey)
    .executeTakeFirst();
  if (known !== undefined) return known;
  const from = await append(trx, batch, records);
  const to = from + records.length;
  await trx
    .insertInto('added_keys')
    .values({ batch_no: batch.batch_no, client_key: clientKey, from_idx: from, to_idx: to })
    .execute();
  return { from, to };
}

/** Loading over `backend`. */
export function createLoadingStore(backend: Backend): LoadingStore {
  const { db } = backend;
  const loader: Loader = { backend, mark: randomUUID() };
  /** Runs a transaction that appends; a refused id is explained. */
  async function appending<T>(
    batchId: string,
    records: readonly LoadedRecord[],
    work: (trx: Trx) => Promise<T>,
  ): Promise<T> {
    checkIds(records);
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      const explained = backend.isDuplicate(error) ? await explainDuplicate(backend, batchId, records) : undefined;
      throw explained ?? error;
    }
  }
  /** Its loader is alive. */
  async function touch(trx: Trx, batch: LockedBatch): Promise<void> {
    const now = await backend.now(trx);
    await trx.updateTable('batches').set({ touched_at: now }).where('no', '=', batch.batch_no).execute();
  }
  return {
    createBatch: (row) => db.transaction().execute((trx) => claim(trx, loader, row)),
    discardBatch: (id) => db.transaction().execute((trx) => discard(trx, loader, id)),
    appendRecords: (batchId, records) =>
      appending(batchId, records, async (trx) => {
        const batch = await lockLoading(trx, loader, batchId);
        await append(trx, batch, records);
        await touch(trx, batch);
      }),
    copyRecords: (batchId, from, indices) =>
      db.transaction().execute(async (trx) => {
        const batch = await lockLoading(trx, loader, batchId);
        await copyRecords(trx, batch, from, indices);
        await touch(trx, batch);
      }),
    finishLoading: (batchId) =>
      db.transaction().execute(async (trx) => {
        const batch = await lockLoading(trx, loader, batchId);
        await trx.updateTable('batches').set({ status: 'ready' }).where('no', '=', batch.batch_no).execute();
      }),
    addItems: (batchId, clientKey, records) =>
      appending(batchId, records, async (trx) =>
        addOnce(trx, await lockBatch(trx, backend, batchId), clientKey, records),
      ),
  };
}
