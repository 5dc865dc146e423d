import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchRow } from '../store/types.js';
import type { AnyTask } from '../task/defineTask.js';
import { TemperedError } from '../task/errors.js';
import { toLoadedRecord } from '../task/loadRecord.js';
import { usdToNano } from '../task/money.js';
import type { Outcome } from '../task/outcome.js';
import type { LoadedRecord } from '../task/spec.js';
import { checkBudget, checkConcurrency, checkDeadline, checkMaxFailures, checkModels } from './checks.js';
import type { ClientContext } from './context.js';
import { latestPages } from './latest.js';
import { isEnded } from './settled.js';
import { startWorkflow } from './startWorkflow.js';
import type { StartOptions, Submission } from './submit.js';
import type { Where } from './where.js';
import { concurrencyOf } from '../workflows/settings.js';

/** Records copied or rendered at once. */
const CHUNK = 500;

/** How often a retry that another process loads is looked at; milliseconds. */
const LOADING_POLL_MS = 500;

/** Which records are asked again, and how. What is not said is as in the batch itself; a deadline is not. */
export interface RetryOptions extends Pick<
  StartOptions,
  'concurrency' | 'budgetUsd' | 'onBudget' | 'deadline' | 'maxFailures' | 'signal'
> {
  /**
   * Which ones, as a condition on outcome lines in the Common Expression Language, such as
   * `error.category == "timeout"`. Default: all without a whole answer.
   */
  readonly where?: string | undefined;
}

/** A task as a retry needs it: its module's functions are not called here. */
type RetryTask = Pick<AnyTask, 'spec' | 'hash'>;

/** A retry on its way. */
interface Retry {
  readonly root: BatchRow;
  readonly task: RetryTask;
  /** Another task: its prompts are rendered anew. Null = the batch's own. */
  readonly renewed: AnyTask | null;
  readonly where: Where | null;
  readonly dataHash: string;
  readonly options: RetryOptions;
}

/**
 * Asks again: makes a batch `<batch>-rN` of the records that are selected, and starts it. A retry of a retry is one of
 * the first batch. The same retry, when it has not ended, is found again. Throws `input` when nothing is selected, for
 * a condition that is wrong, and while the batch or another retry of it runs.
 */
export async function retry(
  context: ClientContext,
  batchId: string,
  renewed: AnyTask | null,
  options: RetryOptions,
): Promise<Submission> {
  const { store } = context;
  const made = await openRetry(context, batchId, renewed, options);
  const { root, task } = made;
  if (renewed !== null) await checkModels(renewed.spec, context.providers);
  await store.putTask(task.hash, task.spec);
  const { row, loaded } = await claim(context, made);
  await startWorkflow(context, task, row);
  const load = loaded === null ? null : { loaded, preset: 0, skipped: [], worstUsd: null };
  context.onProgress(`${row.id} asks again for ${row.items} of ${root.items} records of ${root.id}.`);
  return { batchId: row.id, kind: loaded === null ? 'attached' : 'started', status: row.status, load, reused: 0 };
}

async function openRetry(
  { store, providers }: ClientContext,
  batchId: string,
  given: AnyTask | null,
  options: RetryOptions,
): Promise<Retry> {
  const named = await store.getBatch(batchId);
  const root = named?.options.retryOf === undefined ? named : await store.getBatch(named.options.retryOf);
  if (root === undefined) throw new TemperedError('input', `The store ${store.url} knows no batch ${batchId}.`);
  const spec = await store.getTask(root.taskHash);
  if (spec === undefined) throw new TemperedError('input', `The store knows no task ${root.taskHash}.`);
  const renewed = given === null || given.hash === root.taskHash ? null : given;
  const task: RetryTask = renewed ?? { spec, hash: root.taskHash };
  checkConcurrency(options.concurrency);
  checkBudget(task.spec, options.budgetUsd, providers);
  checkMaxFailures(options.maxFailures);
  const where = options.where === undefined ? null : (await import('./where.js')).parseWhere(options.where);
  const dataHash = createHash('sha256')
    .update(JSON.stringify([root.id, options.where ?? null]))
    .digest('hex');
  return { root, task, renewed, where, dataHash, options };
}

/** Makes the retry's row and fills it, or finds the same retry that has not ended. */
async function claim(context: ClientContext, made: Retry): Promise<{ row: BatchRow; loaded: number | null }> {
  const { store } = context;
  const { root, task, dataHash, options } = made;
  if (!isEnded(root.status)) throw notEnded(root.id);
  for (let run = 1; ;) {
    options.signal?.throwIfAborted();
    const id = `${root.id}-r${run}`;
    const row = await store.getBatch(id);
    const same = row?.options.retryOf === root.id && row.taskHash === task.hash && row.dataHash === dataHash;
    if (row !== undefined && isEnded(row.status)) {
      run += 1;
      continue;
    }
    if (row !== undefined && !same) {
      if (row.options.retryOf === root.id) throw notEnded(id);
      run += 1;
      continue;
    }
    if (row !== undefined && row.status !== 'loading') return { row, loaded: null };
    if ((await store.createBatch(newRow(id, made))) === 'created') return fill(context, id, made);
    await sleep(LOADING_POLL_MS);
  }
}

function notEnded(id: string): TemperedError {
  return new TemperedError('input', `Batch ${id} has not ended: its records may still get their answers.`, {
    remedy: `Go on with \`tempered watch ${id}\`, or end it with \`tempered cancel ${id}\`.`,
  });
}

function newRow(id: string, { root, task, dataHash, options }: Retry) {
  const { concurrency, budgetUsd, onBudget, maxFailures } = options;
  const deadline = checkDeadline(options.deadline);
  return {
    id,
    taskHash: task.hash,
    taskName: task.spec.name,
    dataHash,
    source: root.source,
    options: {
      ...root.options,
      ...(concurrency === undefined ? {} : { autoConcurrency: false, ...concurrencyOf(concurrency) }),
      ...(budgetUsd === undefined ? {} : { budgetNano: usdToNano(budgetUsd) }),
      ...(onBudget === undefined ? {} : { onBudget }),
      ...(maxFailures === undefined ? {} : { maxFailures }),
      deadline: deadline === undefined ? null : Date.parse(deadline),
      open: false,
      retryOf: root.id,
    },
    createdAt: Date.now(),
  };
}

/** Loads the selected records; a retry that can't be loaded leaves nothing behind. */
async function fill(context: ClientContext, id: string, made: Retry): Promise<{ row: BatchRow; loaded: number }> {
  const { store } = context;
  try {
    let loaded = 0;
    for await (const page of selected(context, made)) {
      made.options.signal?.throwIfAborted();
      if (made.renewed === null) await store.copyRecords(id, made.root.id, indicesOf(page));
      else await store.appendRecords(id, await rendered(made.renewed, made.root, page));
      loaded += page.length;
    }
    if (loaded === 0) throw nothing(made);
    await store.finishLoading(id);
    const row = await store.getBatch(id);
    if (row === undefined) throw new TemperedError('unknown', `Batch ${id} vanished while it was loaded.`);
    return { row, loaded };
  } catch (error) {
    await store.discardBatch(id);
    throw error;
  }
}

function nothing({ root, options }: Retry): TemperedError {
  const what = options.where === undefined ? 'has no record without a whole answer' : 'has no such record';
  return new TemperedError('input', `${root.id} ${what}: there is nothing to ask again.`, {
    remedy: `See \`tempered results ${root.id}\`. Records left out for their input need a task that takes them: --task.`,
  });
}

/** The records to ask again, in pages. */
async function* selected({ store }: ClientContext, made: Retry): AsyncGenerator<readonly Outcome[]> {
  const { root, where, renewed } = made;
  const withInput = renewed !== null || where?.usesInput === true;
  let page: Outcome[] = [];
  for await (const outcomes of latestPages(store, root.id, { withInput })) {
    for (const outcome of outcomes) {
      // The same task would leave them out again.
      if (renewed === null && outcome.error?.category === 'input') continue;
      if (!(where?.selects(outcome) ?? outcome.status !== 'succeeded')) continue;
      page.push(outcome);
    }
    if (page.length < CHUNK) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

function indicesOf(page: readonly Outcome[]): readonly number[] {
  return page.map(({ index }) => index);
}

/** The records under another task. They keep their ids: that is how their outcomes find each other. */
async function rendered(task: AnyTask, root: BatchRow, page: readonly Outcome[]): Promise<readonly LoadedRecord[]> {
  return Promise.all(
    page.map(async ({ id, index, input = null }) => ({
      ...(await toLoadedRecord(task, input, { index, file: `record ${index} of ${root.id}` })),
      id,
    })),
  );
}
