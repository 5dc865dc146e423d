import type { Selectable } from 'kysely';
import { columnsToUsage } from './counterChange.js';
import type { Backend } from './backend.js';
import { decode, encode } from './jsonText.js';
import type { BatchesTable } from './schema.js';
import { noSuchBatch } from './storeErrors.js';
import { ZERO_USAGE } from '../task/usage.js';
import type { BatchRow, Store } from './types.js';

/** The part of the store that keeps tasks, batches and their counters. */
export type BatchStore = Pick<
  Store,
  'putTask' | 'getTask' | 'getBatch' | 'listBatches' | 'updateBatch' | 'counters' | 'failureGroups'
>;

/** Groups of failures that are told apart; the rest of a very colourful failure is left out. */
const MAX_FAILURE_GROUPS = 50;

/** Example records per group of failures. */
const EXAMPLES = 3;

type BatchWithItems = Selectable<BatchesTable> & { readonly items: number };

function toBatchRow(row: BatchWithItems): BatchRow {
  return {
    id: row.id,
    taskHash: row.task_hash,
    taskName: row.task_name,
    dataHash: row.data_hash,
    source: row.source,
    status: row.status,
    statusReason: row.status_reason,
    items: row.items,
    options: decode(row.options),
    prepared: row.prepared === null ? undefined : decode(row.prepared),
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}

async function readCounters({ db }: Backend, batchId: string): ReturnType<Store['counters']> {
  const row = await db
    .selectFrom('counters')
    .innerJoin('batches', 'batches.no', 'counters.batch_no')
    .selectAll('counters')
    .where('batches.id', '=', batchId)
    .executeTakeFirst();
  if (row === undefined) throw noSuchBatch(batchId);
  const stages = await db
    .selectFrom('stage_counts')
    .selectAll()
    .where('batch_no', '=', row.batch_no)
    .orderBy('stage')
    .execute();
  return {
    items: row.items,
    succeeded: row.succeeded,
    partial: row.partial,
    failed: row.failed,
    notRun: row.not_run,
    prompts: row.prompts,
    usage: columnsToUsage(row) ?? ZERO_USAGE,
    inFlight: row.in_flight,
    unknownPrompts: row.unknown_prompts,
    unpricedPrompts: row.unpriced_prompts,
    spentNano: row.spent_nano,
    unknownNano: row.unknown_nano,
    reservedNano: row.reserved_nano,
    cacheSavingsNano: row.cache_savings_nano,
    stages: Object.fromEntries(stages.map(({ stage, valid, invalid, error }) => [stage, { valid, invalid, error }])),
  };
}

async function readFailureGroups({ db }: Backend, batchId: string): ReturnType<Store['failureGroups']> {
  const groups = await db
    .selectFrom('outcomes')
    .innerJoin('batches', 'batches.no', 'outcomes.batch_no')
    .select((eb) => ['outcomes.batch_no', 'error_category', 'error_code', eb.fn.countAll<number>().as('count')])
    .where('batches.id', '=', batchId)
    .where('error_category', 'is not', null)
    .groupBy(['outcomes.batch_no', 'error_category', 'error_code'])
    .orderBy('count', 'desc')
    .orderBy('error_category')
    .limit(MAX_FAILURE_GROUPS)
    .execute();
  const found = [];
  for (const { batch_no, error_category, error_code, count } of groups) {
    if (error_category === null) continue;
    const examples = await db
      .selectFrom('outcomes')
      .select(['idx', 'error_message'])
      .where('batch_no', '=', batch_no)
      .where('error_category', '=', error_category)
      .where('error_code', error_code === null ? 'is' : '=', error_code)
      .orderBy('idx')
      .limit(EXAMPLES)
      .execute();
    found.push({
      category: error_category,
      code: error_code,
      count,
      examples: examples.map((example) => example.idx),
      message: examples[0]?.error_message ?? '',
    });
  }
  return found;
}

/** Tasks, batches and counters over `backend`. */
export function createBatchStore(backend: Backend): BatchStore {
  const { db } = backend;
  const batches = () =>
    db
      .selectFrom('batches')
      .innerJoin('counters', 'counters.batch_no', 'batches.no')
      .selectAll('batches')
      .select('counters.items');
  return {
    async putTask(hash, spec) {
      await db
        .insertInto('tasks')
        .values({ hash, spec: encode(spec) })
        .onConflict((conflict) => conflict.column('hash').doNothing())
        .execute();
    },
    async getTask(hash) {
      const row = await db.selectFrom('tasks').select('spec').where('hash', '=', hash).executeTakeFirst();
      return row === undefined ? undefined : decode(row.spec);
    },
    async getBatch(id) {
      const row = await batches().where('batches.id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : toBatchRow(row);
    },
    async listBatches(limit) {
      const rows = await batches()
        .orderBy('batches.created_at', 'desc')
        .orderBy('batches.no', 'desc')
        .limit(limit)
        .execute();
      return rows.map(toBatchRow);
    },
    async updateBatch(id, patch) {
      const change = {
        ...(patch.status === undefined ? {} : { status: patch.status }),
        ...(patch.statusReason === undefined ? {} : { status_reason: patch.statusReason }),
        ...(patch.options === undefined ? {} : { options: encode(patch.options) }),
        ...(patch.prepared === undefined ? {} : { prepared: encode(patch.prepared) }),
        ...(patch.startedAt === undefined ? {} : { started_at: patch.startedAt }),
        ...(patch.finishedAt === undefined ? {} : { finished_at: patch.finishedAt }),
      };
      if (Object.keys(change).length === 0) return;
      const { numUpdatedRows } = await db.updateTable('batches').set(change).where('id', '=', id).executeTakeFirst();
      if (numUpdatedRows === 0n) throw noSuchBatch(id);
    },
    counters: (batchId) => readCounters(backend, batchId),
    failureGroups: (batchId) => readFailureGroups(backend, batchId),
  };
}
