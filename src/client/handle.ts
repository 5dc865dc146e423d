import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { Concurrency } from '../limits/types.js';
import { parseModelRef } from '../models/modelRef.js';
import type { PoolSettings } from '../limits/types.js';
import type { FailureGroup, OutcomeFilter, PoolPatch } from '../store/types.js';
import { TemperedError } from '../task/errors.js';
import type { Json } from '../task/json.js';
import type { Outcome } from '../task/outcome.js';
import { CONTROL_QUEUE, reviewId } from '../workflows/ids.js';
import type * as Messages from '../workflows/messages.js';
import type { review } from '../workflows/review.js';
import type { BatchConfig } from '../workflows/types.js';
import { type CacheStatistics, statisticsOf, statisticsOfModels } from './cacheStatistics.js';
import { checkOpen, chunksOf } from './addItems.js';
import { checkModel } from './checks.js';
import { batchUrl } from './connect.js';
import { closeGone } from './closeGone.js';
import type { ClientContext } from './context.js';
import { deleteCache } from './deleteCache.js';
import { type LatestOutcome, latestPages } from './latest.js';
import { isEnded, untilStatus } from './settled.js';
import { skip } from './skip.js';
import { type BatchSnapshot, readSnapshot, snapshotOf } from './snapshot.js';
import { type BatchSummary, summaryOf } from './summary.js';
import { explained } from './temporalErrors.js';
import { temporalClient } from './temporalPackages.js';
import { isTyped, type TypedOutcome } from './typedOutcome.js';

/** How often the store is asked for new outcomes; milliseconds. */
const POLL_MS = 300;

/** Longest wait for a workflow's last step after its last outcome; milliseconds. */
const CLOSE_WAIT_MS = 10_000;

/** Outcomes read at once while following. */
const FOLLOW_PAGE = 500;

/**
 * One batch: read it from the store, steer it by messages to its workflow. Updates (`set…`, `answer`) need a running
 * worker, and return when workers obey the new value; signals (`pause`, …) are kept until one is there.
 */
export class BatchHandle<Output = Json> {
  constructor(
    private readonly context: ClientContext,
    /** The batch's id, which is its workflow's too. */
    readonly id: string,
  ) {}

  /** How far it is. */
  progress(): Promise<BatchSnapshot> {
    return readSnapshot(this.context.store, this.id, this.context.providers);
  }

  /** What it came to so far: the object `run --json` prints. `out`: the results file to name in it. */
  async summary(out: string | null = null): Promise<BatchSummary> {
    return summaryOf(await this.progress(), out, await this.uiUrl());
  }

  /** What prompt caching was to do and did. */
  async cacheStatistics(): Promise<CacheStatistics> {
    return statisticsOf(this.context, await this.progress());
  }

  /** The same by the models it asked (`provider/model`): stages, a fallback or `setModel` may make them several. */
  async cacheStatisticsByModel(): Promise<Readonly<Record<string, CacheStatistics>>> {
    return statisticsOfModels(this.context, await this.progress());
  }

  /**
   * Deletes the explicit cache that the ended batch kept (`cache.keepCache`), at its provider; false when there is none.
   * Throws `input` while the batch runs.
   */
  deleteCache(): Promise<boolean> {
    return deleteCache(this.context, this.id);
  }

  /** Its page in Temporal's web UI; null when no server runs or its UI's address is not known. */
  async uiUrl(): Promise<string | null> {
    const target = await this.context.foundTarget();
    return target === null ? null : batchUrl(target, this.id);
  }

  /** Outcomes in input order, read in pages: any number of them in bounded memory. */
  async *outcomes(filter: OutcomeFilter = {}): AsyncGenerator<TypedOutcome<Output>> {
    for await (const page of this.outcomePages(filter)) yield* page;
  }

  /** {@link outcomes} as they are read, up to 500 at once: for those who don't want to wait for each of a million. */
  async *outcomePages(filter: OutcomeFilter = {}): AsyncGenerator<readonly TypedOutcome<Output>[]> {
    const pages = this.context.store.outcomePages(this.id, filter);
    for await (const page of pages) yield page.map((outcome) => typed<Output>(outcome));
  }

  /**
   * Outcomes in input order, each replaced by the newest success of a retry (`Tempered.retry`), and the batch that gave
   * it. The old one stays until then. For a batch nobody retried: its own.
   */
  async *latestOutcomes(filter: OutcomeFilter = {}): AsyncGenerator<LatestOutcome<TypedOutcome<Output>>> {
    for await (const page of this.latestOutcomePages(filter)) yield* page;
  }

  /** {@link latestOutcomes} as they are read, up to 500 at once. */
  async *latestOutcomePages(
    filter: OutcomeFilter = {},
  ): AsyncGenerator<readonly LatestOutcome<TypedOutcome<Output>>[]> {
    for await (const page of latestPages(this.context.store, this.id, filter)) {
      yield page.map(({ batchId, ...outcome }) => ({ ...typed<Output>(outcome), batchId }));
    }
  }

  /** Batches that asked again for records of this one, oldest first. */
  async retries(): Promise<readonly BatchSnapshot[]> {
    const { store, providers } = this.context;
    return Promise.all((await store.retriesOf(this.id)).map((row) => snapshotOf(store, row, providers)));
  }

  /** Outcomes as they are written, those there already first, until the batch has ended or `signal` aborts. */
  async *follow(signal?: AbortSignal): AsyncGenerator<TypedOutcome<Output>> {
    let cursor = 0;
    for (;;) {
      // Read before the page: outcomes written between the two are found by one more page.
      const ended = isEnded((await this.progress()).status);
      const page = await this.context.store.outcomesSince(this.id, cursor, FOLLOW_PAGE);
      cursor = page.cursor;
      for (const outcome of page.outcomes) yield typed<Output>(outcome);
      if (signal?.aborted === true || (ended && page.outcomes.length === 0)) return;
      if (page.outcomes.length === 0) await sleep(POLL_MS);
    }
  }

  /** Failures by cause, most frequent first. */
  failures(): Promise<readonly FailureGroup[]> {
    return this.context.store.failureGroups(this.id);
  }

  /** Waits for the batch's end. One whose workflow was terminated on the server is closed, and ends as `cancelled`. */
  async result(signal?: AbortSignal): Promise<BatchSummary> {
    await untilStatus(this, isEnded, signal);
    signal?.throwIfAborted();
    await this.closed();
    return this.summary();
  }

  /** Waits until its workflow has closed, which follows the last outcome by moments; 10 s at most. */
  async closed(): Promise<void> {
    const until = Date.now() + CLOSE_WAIT_MS;
    const isOpen = () => this.send(async (handle) => (await handle.describe()).status.name === 'RUNNING');
    while (Date.now() < until && (await isOpen())) await sleep(POLL_MS);
  }

  /** Closes the batch when its workflow was ended on the server behind our back: every record gets its outcome. */
  async checkAlive(): Promise<void> {
    await explained(this.id, () => closeGone(this.context, this.id));
  }

  /** Starts no more prompts; those in flight finish. */
  pause(reason?: string): Promise<void> {
    return this.send((handle, messages) =>
      handle.signal(messages.pauseSignal, reason === undefined ? undefined : { reason }),
    );
  }

  /** Continues after a pause, whatever caused it. */
  resume(): Promise<void> {
    return this.send((handle, messages) => handle.signal(messages.resumeSignal));
  }

  /** Prompts in flight, 1..10,000; `auto`: from now on as many as the endpoint takes well. Returns the number in force. */
  setConcurrency(value: Concurrency): Promise<number> {
    return this.send((handle, messages) => handle.executeUpdate(messages.setConcurrencyUpdate, { args: [value] }));
  }

  /** Part of a quota that several batches want, against theirs: 0.001..1,000. */
  setWeight(value: number): Promise<number> {
    return this.send((handle, messages) => handle.executeUpdate(messages.setWeightUpdate, { args: [value] }));
  }

  /** Money limit in USD; null = none. A higher one continues a batch that its budget paused. */
  setBudget(usd: number | null): Promise<number | null> {
    return this.send((handle, messages) => handle.executeUpdate(messages.setBudgetUpdate, { args: [usd] }));
  }

  /**
   * `provider/model` for every prompt from now on; null = the task's own. Continues a batch paused by the old model.
   * Throws `input` for one that is not known, `authentication` when this process has no key for it.
   */
  async setModel(model: string | null): Promise<string | null> {
    if (model !== null) await checkModel(parseModelRef(model), this.context.providers);
    return this.send((handle, messages) => handle.executeUpdate(messages.setModelUpdate, { args: [model] }));
  }

  /** ISO time after which no prompt starts; null = none. */
  setDeadline(iso: string | null): Promise<string | null> {
    return this.send((handle, messages) => handle.executeUpdate(messages.setDeadlineUpdate, { args: [iso] }));
  }

  /**
   * Quotas of the pool that the batch's model is in, for every batch and worker there, as `Tempered.setPool` changes
   * them; those not named stay, null takes one back. Returns all that is set so.
   */
  setLimits(limits: PoolPatch): Promise<PoolSettings> {
    return this.send((handle, messages) => handle.executeUpdate(messages.setLimitsUpdate, { args: [limits] }));
  }

  /** What it runs with. */
  config(): Promise<BatchConfig> {
    return this.send((handle, messages) => handle.query(messages.configQuery));
  }

  /** Ends the batch: prompts in flight are aborted, every record without an outcome gets `notRun` or `failed`. */
  async cancel(): Promise<void> {
    await this.send((handle) => handle.cancel());
  }

  /** Ends one record: as `notRun` when it was not asked yet, else its prompt in flight is aborted and it ends as `failed`. */
  cancelItem(index: number): Promise<void> {
    return this.send((handle, messages) => handle.signal(messages.cancelItemSignal, index));
  }

  /**
   * Ends a record at its own workflow, whatever it waits for: its prompt in flight is aborted, and it ends as by
   * {@link cancelItem}. Throws `input` for one no workflow is at: not begun, ended, or in a page (`inline`).
   */
  skip(index: number): Promise<void> {
    return skip(this.context, this.id, index);
  }

  /**
   * Adds records to a batch started with `open`. The same `clientKey` adds once; without one, the same records do.
   * Returns how many were sent. Throws `input` for a batch that has ended or whose input is closed (unless no worker is
   * there to say so; what came too late is then told by the query `failures`), and for a record over 256 KiB.
   */
  async addItems(
    records: Iterable<unknown> | AsyncIterable<unknown>,
    options: { readonly clientKey?: string } = {},
  ): Promise<number> {
    await checkOpen(this.context, this.id);
    let sent = 0;
    for await (const { clientKey, items } of chunksOf(records, options.clientKey)) {
      await this.send((handle, messages) => handle.signal(messages.addItemsSignal, { clientKey, items }));
      sent += items.length;
    }
    return sent;
  }

  /** Ends the input of an open batch: it finishes when what it has is done. */
  closeInput(): Promise<void> {
    return this.send((handle, messages) => handle.signal(messages.closeInputSignal));
  }

  /**
   * A person's answer for a record, in place of its outcome. Resolves when it is stored; throws `input` with the
   * issues when it does not fit the task's schema. `by`: who answered.
   */
  async answer(index: number, output: Json, by?: string): Promise<void> {
    if ((await this.context.store.getOutcome(this.id, index)) === undefined) {
      throw new TemperedError('input', `Record ${index} of batch ${this.id} has no outcome to replace yet.`);
    }
    const client = await this.context.client();
    const { WithStartWorkflowOperation } = temporalClient();
    const messages = await import('../workflows/messages.js');
    const startWorkflowOperation = new WithStartWorkflowOperation<typeof review>('review', {
      workflowId: reviewId(this.id, index),
      taskQueue: CONTROL_QUEUE,
      args: [{ batchId: this.id, index }],
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `answer for record ${index}`,
    });
    const args: [{ output: Json; by?: string }] = [by === undefined ? { output } : { output, by }];
    await explained(this.id, () =>
      client.workflow.executeUpdateWithStart(messages.answerUpdate, { args, startWorkflowOperation }),
    );
  }

  private async workflow(): Promise<WorkflowHandle> {
    return (await this.context.client()).workflow.getHandle(this.id);
  }

  private async send<T>(call: (handle: WorkflowHandle, messages: typeof Messages) => Promise<T>): Promise<T> {
    // Loaded by those who steer: to read a batch takes half the time to start without Temporal's packages.
    const messages = await import('../workflows/messages.js');
    return explained(this.id, async () => call(await this.workflow(), messages));
  }
}

function typed<Output>(outcome: Outcome): TypedOutcome<Output> {
  if (isTyped<Output>(outcome)) return outcome;
  throw new TemperedError('unknown', `Record ${outcome.index} has an answer and an error at once.`);
}
