import { setTimeout as sleep } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import type { Concurrency } from '../limits/types.js';
import type { BatchOptions, BatchRow, BatchStatus } from '../store/types.js';
import type { AnyTask } from '../task/defineTask.js';
import { TemperedError } from '../task/errors.js';
import type { MaxFailures } from '../task/maxFailures.js';
import type { OptimizationConfig, OptimizationOptions } from '../task/optimization.js';
import { usdToNano } from '../task/money.js';
import { batchId } from '../workflows/ids.js';
import { concurrencyOf, DEFAULT_CONCURRENCY } from '../workflows/settings.js';
import { parseOptimization } from '../caching/config.js';
import {
  checkBudget,
  checkConcurrency,
  checkDeadline,
  checkItemTimeout,
  checkMaxFailures,
  checkModels,
  checkStoreReach,
  checkWeight,
} from './checks.js';
import type { ClientContext } from './context.js';
import { type LoadReport, loadRecords } from './load.js';
import { isEnded } from './settled.js';
import { startWorkflow } from './startWorkflow.js';
import { type BatchData, openData, type OpenedData } from './spool.js';

/** How often a batch that another process loads is looked at; milliseconds. */
const LOADING_POLL_MS = 500;

/** How a batch is started. */
export interface StartOptions {
  /**
   * Prompts in flight, 1..10,000. Default 50. Start lower when the provider account has small limits. `auto`: begins with
   * 20 and finds out how many the endpoint takes well.
   */
  readonly concurrency?: Concurrency | undefined;
  /**
   * How records run. `item` (default): each is a workflow from its first prompt. `inline`: first prompts are sent in
   * pages, and only records that need more become workflows; many times faster, with less to see in the web UI.
   */
  readonly execution?: 'item' | 'inline' | undefined;
  /** Part of a quota that several batches want, against theirs: 0.001..1,000. Default 1; up to 100 records 100. */
  readonly weight?: number | undefined;
  /** Use only the first records. Part of the batch's identity. */
  readonly limit?: number | undefined;
  /** Most the batch may cost; USD. Default: no limit. */
  readonly budgetUsd?: number | undefined;
  /** At the budget's end: `pause` (default) waits for a higher one, `stop` gives the rest no prompt. */
  readonly onBudget?: 'pause' | 'stop' | undefined;
  /** Time after which no prompt starts: ISO text or a date. Default: none. */
  readonly deadline?: string | Date | undefined;
  /** At the deadline prompts in flight may finish (`drain`, default) or are aborted (`cancel`). */
  readonly onDeadline?: 'drain' | 'cancel' | undefined;
  /** Time for a record, from its start, with all its prompts and waits; milliseconds. Default: the task's. */
  readonly itemTimeout?: number | undefined;
  /**
   * Records that may end without a whole answer before the batch pauses: a number, or a share (`5%`) of those asked,
   * judged from 20 records and 5 failures on. Default: the task's, else it does not pause.
   */
  readonly maxFailures?: MaxFailures | undefined;
  /** The batch's id. Default: made of the task's name and the hashes of task and data. */
  readonly batchId?: string | undefined;
  /** Run again although the same task ran on the same data. Default false. */
  readonly new?: boolean | undefined;
  /** Take over answers earlier batches got for the same task and records. Default false. */
  readonly reuse?: boolean | undefined;
  /** A record that can't be used ends the start (`fail`, default) or is left out (`skip`). */
  readonly onBadInput?: 'fail' | 'skip' | undefined;
  /** Field that holds each record's id. Default `id`; a record without it has its index. */
  readonly idField?: string | undefined;
  /** Keep the input open for `addItems` until `closeInput`. Default false. */
  readonly open?: boolean | undefined;
  /** How prompts are made cheaper, before what the task and the configuration say. Default: what those say. */
  readonly optimization?: OptimizationOptions | undefined;
  /** Gives up waiting for loading or the server. What was loaded is dropped. */
  readonly signal?: AbortSignal | undefined;
}

/** What a start came to. */
export interface Submission {
  /** The batch. */
  readonly batchId: string;
  /** `started`: new. `attached`: it runs or is paused already. `shown`: it had ended before. */
  readonly kind: 'started' | 'attached' | 'shown';
  /** The batch's state when it was found. */
  readonly status: BatchStatus;
  /** What was loaded; null when the records were in the store already. */
  readonly load: LoadReport | null;
  /** Answers taken over from earlier batches. */
  readonly reused: number;
}

/**
 * Loads the data and starts the batch, or finds it: the same task on the same data is the same batch. Returns when the
 * server has it, without waiting for a prompt. Throws `input` for anything wrong with task, data or options,
 * `authentication` for a missing key, `network` for no server.
 */
export async function submit(
  context: ClientContext,
  task: AnyTask,
  data: BatchData,
  options: StartOptions,
): Promise<Submission> {
  checkConcurrency(options.concurrency);
  checkWeight(options.weight);
  checkBudget(task.spec, options.budgetUsd, context.providers);
  const deadline = checkDeadline(options.deadline);
  checkItemTimeout(options.itemTimeout);
  checkMaxFailures(options.maxFailures);
  const onBad = options.onBadInput ?? 'fail';
  const call = options.optimization === undefined ? undefined : parseOptimization(options.optimization);
  checkStoreReach(context.store.url, await context.foundTarget());
  const opened = await openData(data, { limit: options.limit, onBad });
  try {
    const dataHash = dataHashOf(opened, options.idField);
    const id = await chooseId(context, task, dataHash, options);
    const optimization = await context.optimization(task.spec, id, call);
    const claimed = { id, task, data: opened, dataHash, optimization, options: { ...options, deadline } };
    const found = await claim(context, claimed);
    if (isEnded(found.row.status)) {
      return { batchId: id, kind: 'shown', status: found.row.status, load: null, reused: 0 };
    }
    const fresh = found.row.status === 'ready';
    const reused = options.reuse === true && fresh ? await context.store.reuseOutcomes(id, task.hash) : 0;
    await unlessAborted(context.target(), options.signal);
    await startWorkflow(context, task, found.row);
    const { status } = (await context.store.getBatch(id)) ?? found.row;
    if (isEnded(status) && !fresh) return { batchId: id, kind: 'shown', status, load: null, reused };
    const kind = fresh ? 'started' : 'attached';
    return { batchId: id, kind, status: found.row.status, load: found.load, reused };
  } finally {
    await opened.close();
  }
}

/** Waits for `work`, or until `signal` aborts: then throws its reason. */
async function unlessAborted(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const aborted = new Promise<void>((resolve) => {
    signal?.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([work, aborted]);
  signal?.throwIfAborted();
}

/** Hash of a batch's data: of its content, and of the field its ids are in where one was named. */
export function dataHashOf({ dataset: { hash } }: OpenedData, idField: string | undefined): string {
  return idField === undefined ? hash : createHash('sha256').update(`${hash} ${idField}`).digest('hex');
}

async function chooseId(
  { store }: ClientContext,
  task: AnyTask,
  dataHash: string,
  options: StartOptions,
): Promise<string> {
  const given = options.batchId === undefined ? undefined : checkedId(options.batchId);
  for (let run = 0; ; run += 1) {
    const own = given === undefined || run === 0 ? given : `${given}-r${run}`;
    const id = own ?? batchId(task.spec.name, task.hash, dataHash, run);
    if (options.new !== true || (await store.getBatch(id)) === undefined) return id;
  }
}

function checkedId(id: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(id)) return id;
  throw new TemperedError('input', `"${id}" can't be a batch id.`, {
    remedy: 'Use letters, digits, dots, dashes and underscores, 200 at most.',
  });
}

/** What a claim needs to know. */
interface Claim {
  readonly id: string;
  readonly task: AnyTask;
  readonly data: OpenedData;
  readonly dataHash: string;
  readonly optimization: OptimizationConfig;
  readonly options: StartOptions & { readonly deadline: string | undefined };
}

/** Makes the batch's row and loads its records, or finds it; waits while another process loads it. */
async function claim(context: ClientContext, claimed: Claim): Promise<{ row: BatchRow; load: LoadReport | null }> {
  const { id, task, dataHash, options } = claimed;
  let told = false;
  for (;;) {
    options.signal?.throwIfAborted();
    const row = await context.store.getBatch(id);
    if (row !== undefined) checkSame(row, task, dataHash);
    if (row !== undefined && row.status !== 'loading') return { row, load: null };
    if (row === undefined) await checkModels(task.spec, context.providers);
    await context.store.putTask(task.hash, task.spec);
    if ((await context.store.createBatch(newRow(claimed))) === 'created') return fill(context, claimed);
    if (!told) context.onProgress(`Another process loads ${id}; waiting for it.`);
    told = true;
    await sleep(LOADING_POLL_MS, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}

/** Loads the records of a claimed batch; one that can't be loaded leaves nothing behind. */
async function fill(context: ClientContext, claimed: Claim): Promise<{ row: BatchRow; load: LoadReport }> {
  const { store, providers, onProgress } = context;
  const { id, task, data, options } = claimed;
  const { idField, signal, onBadInput: onBad = 'fail' } = options;
  try {
    const load = await loadRecords(store, id, task, data, { idField, signal, onBad, providers, onProgress });
    await store.finishLoading(id);
    const row = await store.getBatch(id);
    if (row === undefined)
      throw new TemperedError('unknown', `Batch ${id} vanished from the store while it was loaded.`);
    return { row, load };
  } catch (error) {
    await store.discardBatch(id);
    throw error;
  }
}

function newRow(claimed: Claim): Parameters<ClientContext['store']['createBatch']>[0] {
  const { id, task, data, dataHash, optimization, options } = claimed;
  const { concurrency = DEFAULT_CONCURRENCY, budgetUsd, onBudget = 'pause', deadline, weight, open = false } = options;
  const { execution = 'item', onDeadline, itemTimeout } = options;
  const limit = options.maxFailures ?? task.spec.maxFailures;
  const settings: BatchOptions = {
    ...concurrencyOf(concurrency),
    execution,
    budgetNano: budgetUsd === undefined ? null : usdToNano(budgetUsd),
    onBudget,
    deadline: deadline === undefined ? null : Date.parse(deadline),
    open,
    ...(onDeadline === undefined ? {} : { onDeadline }),
    ...(itemTimeout === undefined ? {} : { itemTimeoutMs: itemTimeout }),
    ...(weight === undefined ? {} : { weight }),
    ...(limit === undefined ? {} : { maxFailures: limit }),
    optimization,
  };
  const { hash: taskHash, spec } = task;
  const source = data.dataset.source;
  return { id, taskHash, taskName: spec.name, dataHash, source, options: settings, createdAt: Date.now() };
}

function checkSame(row: BatchRow, task: AnyTask, dataHash: string): void {
  if (row.taskHash === task.hash && row.dataHash === dataHash) return;
  const what = row.taskHash === task.hash ? 'other data' : 'another task';
  throw new TemperedError('input', `Batch ${row.id} exists already, for ${what}.`, {
    remedy: 'Choose another --batch-id, or leave it out: the id is then made of task and data.',
  });
}
