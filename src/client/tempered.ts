import type { RunningWorker } from '../worker/startWorker.js';
import type { PoolSettings } from '../limits/types.js';
import type { BatchRow, EndpointCircuit, PoolPatch, PoolState } from '../store/types.js';
import type { AnyTask, Task } from '../task/defineTask.js';
import type { Json } from '../task/json.js';
import { loadTask } from '../task/loadTask.js';
import { CONTROL_QUEUE } from '../workflows/ids.js';
import { applyOptions } from './applyOptions.js';
import { type CacheStatistics, statisticsByModel, statisticsByService } from './cacheStatistics.js';
import { type CostOptions, type Costs, readCosts } from './costs.js';
import type { ClientContext, ServerState } from './context.js';
import { estimateBatch } from './estimate/estimate.js';
import type { Estimate, EstimateOptions } from './estimate/types.js';
import { findBatch } from './findBatch.js';
import { BatchHandle } from './handle.js';
import { openContext, type TemperedOptions } from './openContext.js';
import { unpolled } from './pollers.js';
import { retry, type RetryOptions } from './retry.js';
import { type BatchSnapshot, promptQueue, snapshotOf } from './snapshot.js';
import type { BatchData } from './spool.js';
import { type StartOptions, type Submission, submit } from './submit.js';
import type { BatchSummary } from './summary.js';
import { isEnded, isSettled, untilStatus } from './settled.js';
import type { TypedOutcome } from './typedOutcome.js';
import { Schedules } from './schedules/schedules.js';
import { poolsOf, work, type WorkOptions } from './work.js';

/** A task, or the path of its file (`.ts`, `.js`, `.json`, `.yaml`). */
export type TaskSource<Input, Output> = Task<Input, Output> | string;

/** A batch that was run to its end, or until it paused. */
export interface BatchRun<Output> {
  /** What it came to; `status` tells whether it finished, paused or was stopped. */
  readonly summary: BatchSummary;
  /** Its outcomes in input order, read from the store as they are iterated. May be iterated again. */
  readonly outcomes: AsyncIterable<TypedOutcome<Output>>;
}

/** A batch that was started or found. */
export interface StartedBatch<Output> {
  /** The batch. */
  readonly batch: BatchHandle<Output>;
  /** What starting it came to: new, attached or shown; what was loaded, skipped, taken over. */
  readonly submission: Submission;
}

/** One store and one Temporal server: batches are started, found and worked on here. */
export class Tempered {
  constructor(private readonly context: ClientContext & { close(): Promise<void> }) {}

  /** Loads the data and starts the batch, or finds it. Workers elsewhere, or `startWorker`, do the work. */
  async startBatch<Input, Output>(
    task: TaskSource<Input, Output>,
    data: BatchData<Input>,
    options: StartOptions = {},
  ): Promise<BatchHandle<Output>> {
    return (await this.submit(task, data, options)).batch;
  }

  /** Like `startBatch`, and tells what the start came to. */
  async submit<Input, Output>(
    task: TaskSource<Input, Output>,
    data: BatchData<Input>,
    options: StartOptions = {},
  ): Promise<StartedBatch<Output>> {
    const submission = await submit(this.context, await resolveTask(task), data, options);
    return { batch: new BatchHandle<Output>(this.context, submission.batchId), submission };
  }

  /**
   * Starts the batch, or finds it, and works on it in this process until it has ended or paused. A batch that had
   * ended before is returned as it is. `signal` leaves the batch: prompts in flight finish, the rest waits.
   */
  async runBatch<Input, Output>(
    task: TaskSource<Input, Output>,
    data: BatchData<Input>,
    options: StartOptions & Pick<WorkOptions, 'log'> = {},
  ): Promise<BatchRun<Output>> {
    const loaded = await resolveTask(task);
    const { batch, submission } = await this.submit<Input, Output>(task, data, options);
    if (submission.kind !== 'shown') await this.workOn(batch, loaded, submission, options);
    return { summary: await batch.summary(), outcomes: { [Symbol.asyncIterator]: () => batch.outcomes() } };
  }

  /**
   * What a run would come to: tokens, money, time. Sends no prompt unless `sample` says so: then that many records run
   * in this process as a batch of their own. Throws `input` for bad data, and for a task with `prepare` without `sample`.
   */
  async estimate<Input, Output>(
    task: TaskSource<Input, Output>,
    data: BatchData<Input>,
    options: EstimateOptions & Pick<WorkOptions, 'log'> & Pick<StartOptions, 'signal'> = {},
  ): Promise<Estimate> {
    const { budgetUsd, concurrency, idField, signal, log } = options;
    return estimateBatch(this.context, await resolveTask(task), data, options, async (asked, values, optimization) => {
      const start = { budgetUsd, concurrency, idField, signal, log, optimization, onBudget: 'stop' } as const;
      const { batch, submission } = await this.submit(asked, values, start);
      if (submission.kind !== 'shown') await this.workOn(batch, asked, submission, start);
      return batch.id;
    });
  }

  /**
   * Asks again for records of a batch that has ended: those without a whole answer, or those `options.where` selects,
   * with the batch's own task or, with `task`, another. Makes and starts the linked batch `<batch>-rN`; the outcomes of
   * both are read together with `BatchHandle.latestOutcomes`.
   */
  async retry<Input, Output = Json>(
    batchId: string,
    options: RetryOptions & { readonly task?: TaskSource<Input, Output> | undefined } = {},
  ): Promise<StartedBatch<Output>> {
    const { task, ...rest } = options;
    const renewed = task === undefined ? null : await resolveTask(task);
    const submission = await retry(this.context, batchId, renewed, rest);
    return { batch: new BatchHandle<Output>(this.context, submission.batchId), submission };
  }

  /** A batch by its whole id. Nothing is looked up. */
  batch(id: string): BatchHandle {
    return new BatchHandle(this.context, id);
  }

  /** A batch by its id, a unique prefix of it, or `latest`. Throws `input` when none or several fit. */
  async findBatch(name: string): Promise<BatchHandle> {
    const { id, status } = await findBatch(this.context.store, name);
    const batch = this.batch(id);
    // A batch terminated in the UI can't close itself. Nothing is asked of a server that is away.
    if (!isEnded(status) && (await this.context.serverState()).up) await batch.checkAlive();
    return batch;
  }

  /** The newest batches of the store, newest first. */
  async batches(limit = 20): Promise<readonly BatchSnapshot[]> {
    const rows: readonly BatchRow[] = await this.context.store.listBatches(limit);
    return Promise.all(rows.map((row) => snapshotOf(this.context.store, row, this.context.providers)));
  }

  /** Tasks that run again and again, on the server's schedules. */
  get schedules(): Schedules {
    return new Schedules(this.context);
  }

  /** What the batches of the store cost, by day, week, service, model or batch. */
  costs(options: CostOptions = {}): Promise<Costs> {
    return readCosts(this.context.store, options, Date.now());
  }

  /**
   * What prompt caching was to do and did over the newest 1,000 batches, by service (a task's name; the default) or by
   * `provider/model`. By model the journal is added up: seconds for a million prompts.
   */
  cacheStatistics(by: 'service' | 'model' = 'service'): Promise<Readonly<Record<string, CacheStatistics>>> {
    return by === 'service' ? statisticsByService(this.context) : statisticsByModel(this.context);
  }

  /** Starts a worker in this process. Shut it down before `close`. */
  startWorker(options: WorkOptions = {}): Promise<RunningWorker> {
    return work(this.context, options);
  }

  /** Provider accounts this process can serve: their key is set, or they need none. */
  get availablePools(): readonly string[] {
    return this.context.providers.available;
  }

  /** Quotas of every pool that was used or changed: what was set live, what the provider told, what holds it back. */
  pools(): Promise<readonly PoolState[]> {
    return this.context.store.listPools();
  }

  /** Endpoints that failed since they last answered, and whether prompts leave them alone for now. */
  circuits(): Promise<readonly EndpointCircuit[]> {
    return this.context.store.listCircuits();
  }

  /**
   * Changes a pool's quotas for every worker, at once and until changed again: over what is configured or told by the
   * provider; null takes one back. Returns all that is set so. A batch that brings lower limits keeps to those.
   */
  setPool(pool: string, patch: PoolPatch): Promise<PoolSettings> {
    return this.context.store.setPool(pool, patch);
  }

  /** Which queues of a batch no worker polls now: nothing there goes on until one does. */
  async unpolled(batch: BatchHandle<unknown>): Promise<readonly string[]> {
    return unpolled(await this.context.client(), [CONTROL_QUEUE, (await batch.progress()).queue]);
  }

  /** The same for batches of a task, before one is started. */
  async unpolledFor(task: AnyTask): Promise<readonly string[]> {
    return unpolled(await this.context.client(), [CONTROL_QUEUE, promptQueue(task.hash, task.spec)]);
  }

  /** The server's address; starts the embedded one when no other is configured. Throws `network`. */
  async serverAddress(): Promise<{ readonly address: string; readonly ui: string | null }> {
    const { address, uiUrl } = await this.context.target();
    return { address, ui: uiUrl };
  }

  /** Where the server is and whether it answers; starts nothing. */
  serverState(): Promise<ServerState> {
    return this.context.serverState();
  }

  /** Closes the store and the connection. The embedded server stays up for its UI, until it is idle. */
  async close(): Promise<void> {
    await this.context.close();
  }

  /** Closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private async workOn(
    batch: BatchHandle<unknown>,
    task: AnyTask,
    submission: Submission,
    options: StartOptions & Pick<WorkOptions, 'log'>,
  ): Promise<void> {
    const worker = await this.startWorker({ tasks: [task], pools: poolsOf(task), log: options.log });
    try {
      if (submission.kind === 'attached') await applyOptions(batch, options);
      await Promise.race([untilStatus(batch, isSettled, options.signal), worker.run]);
      if (isEnded((await batch.progress()).status)) await batch.closed();
    } finally {
      await worker.shutdown();
    }
  }
}

/** Opens the store, reads the configuration; connects to the server when it is first needed. Throws `TemperedError`. */
export async function openTempered(options: TemperedOptions = {}): Promise<Tempered> {
  return new Tempered(await openContext(options));
}

async function resolveTask<Input, Output>(task: TaskSource<Input, Output>): Promise<AnyTask> {
  return typeof task === 'string' ? loadTask(task) : task;
}

export type { EndpointCircuit, FailureGroup, PoolPatch, PoolState } from '../store/types.js';
