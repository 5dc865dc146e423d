import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '@temporalio/activity';
import { PAGE_BOUND_MS } from '../limits/bounds.js';
import { initialState } from '../recovery/ladder.js';
import type { OpenRecord } from '../store/types.js';
import { type ItemError, TemperedError } from '../task/errors.js';
import type { OutcomeStatus } from '../task/outcome.js';
import { ITEM_CANCELLED, itemTimeoutError } from '../workflows/ends.js';
import { indicesOf, toRanges } from '../workflows/paging.js';
import type { FailureNote } from '../workflows/types.js';
import { type ActivityDeps, type BatchFacts, batchPlan, type WorkerTask } from './context.js';
import { type Job, jobOf } from './job.js';
import { inLanes } from './lanes.js';
import { type PromptEnd, PromptRun, type PromptScope } from './promptRun.js';
import { mustWait, stopped, type Unsent, UnsentError, unsentFailure } from './signals.js';
import type { PageInput, PageResult, UnfinishedRecord } from './types.js';

/** Failures a page tells its shard: all of them are in the store. */
const FAILURE_NOTES = 3;

/** How often a record that someone cancelled is looked for among those in flight; milliseconds. */
const CANCELLED_EVERY_MS = 500;

/** How soon a page that could send nothing is tried again; milliseconds. */
const IDLE_RETRY_MS = 1_000;

type Wait = Extract<Unsent, { kind: 'wait' }>;

/** A record whose first prompt was begun. */
interface Begun {
  /** Ends it: its batch, or its own time, or someone who named it. */
  readonly end: AbortController;
  /** When its time began; undefined = its time has no limit. Milliseconds since epoch. */
  readonly since: number | undefined;
}

/** One attempt at a page. What it has done is in the store: nothing is lost with it. */
export class PageRun {
  /** Rate limits and refusals in a row, of the record that had most. */
  waits = 0;
  private readonly until: number;
  /** Records with an outcome, or that become workflows. */
  private readonly done = new Set<number>();
  private readonly more: UnfinishedRecord[] = [];
  private readonly failures: FailureNote[] = [];
  private readonly inFlight = new Map<number, Begun>();
  /** Why the page starts no more prompts. */
  private paused: Unsent | undefined;
  /** The longest wait its records were told; when it ends. */
  private told: { readonly why: Wait; readonly until: number } | undefined;
  /** Wakes records that wait: the activity or its worker ends. */
  private readonly ending = new AbortController();

  constructor(
    private readonly deps: ActivityDeps,
    private readonly input: PageInput,
    private readonly context: Pick<Context, 'cancellationSignal' | 'log'>,
    private readonly earlierWaits: number,
  ) {
    this.until = deps.now() + PAGE_BOUND_MS;
  }

  /** Sends what it can in its time. Throws a retryable failure when it is better to come again later. */
  async execute(): Promise<PageResult> {
    const { deps, input, context } = this;
    const batch = await deps.batches.get(input.batchId);
    const task = await deps.tasks.get(batch.taskHash);
    const cancel = () => this.cancelAll(context.cancellationSignal.reason);
    const end = () => this.ending.abort();
    context.cancellationSignal.addEventListener('abort', cancel, { once: true });
    deps.closing.addEventListener('abort', end, { once: true });
    const watch = setInterval(() => this.cancelItems(), CANCELLED_EVERY_MS);
    try {
      return this.result(await this.answerAll(batch, task));
    } finally {
      clearInterval(watch);
      context.cancellationSignal.removeEventListener('abort', cancel);
      deps.closing.removeEventListener('abort', end);
    }
  }

  /** Returns the records it did not get to, or that must come again. */
  private async answerAll(batch: BatchFacts, task: WorkerTask): Promise<readonly number[]> {
    const { batchId, ranges, lanes } = this.input;
    const indices = indicesOf(ranges);
    const seen = new Set<number>();
    let last = -1;
    const emptied = await inLanes(this.deps.store.openRecords(batchId, indices)[Symbol.asyncIterator](), {
      lanes,
      goOn: () => this.mayStart(),
      work: (one) => {
        last = one.record.index;
        seen.add(last);
        return this.answer(batch, task, one);
      },
    });
    // Records that were passed unseen have their outcome.
    return indices.filter((index) => (seen.has(index) ? !this.done.has(index) : !emptied && index > last));
  }

  private mayStart(): boolean {
    if (this.context.cancellationSignal.aborted) throw this.context.cancellationSignal.reason;
    return this.paused === undefined && !this.deps.closing.aborted && this.deps.now() < this.until;
  }

  /** The first prompt of one record, tried again in here while the waits it is told fit into the page's time. */
  private async answer(batch: BatchFacts, task: WorkerTask, { record, journal }: OpenRecord): Promise<void> {
    const { index } = record;
    const end = new AbortController();
    const warn = (message: string): void => void this.context.log.warn(message, { index });
    const { itemTimeoutMs: limit } = batchPlan(batch.options, task.spec);
    const timer =
      limit === undefined ? undefined : setTimeout(() => end.abort(stopped(itemTimeoutError(limit))), limit);
    this.inFlight.set(index, { end, since: limit === undefined ? undefined : this.deps.now() });
    try {
      for (let waits = this.earlierWaits; ;) {
        const state = jobOf(record, journal, initialState(task.plan));
        const job: Job = { batch, task, ...state, workflowId: null, runId: null };
        const why = await this.sent(job, { signal: end.signal, probe: false, warn }, waits);
        if (why === undefined || !(await this.waited(job, why))) return;
        waits = why.waits;
      }
    } finally {
      clearTimeout(timer);
      this.inFlight.delete(index);
    }
  }

  /** Sends it; returns the wait it was told, undefined when there is nothing more to do here. */
  private async sent(job: Job, scope: PromptScope, waits: number): Promise<Wait | undefined> {
    try {
      await this.took(job, await new PromptRun(this.deps, job, scope).execute(waits));
    } catch (error) {
      // What concerns this record alone is for its workflow to say; the rest concerns the page.
      if (error instanceof TemperedError && error.category === 'input') this.goesOn(job);
      else if (error instanceof UnsentError) return this.unsent(job, error.why);
      else throw error;
    }
    return undefined;
  }

  private async unsent(job: Job, why: Unsent): Promise<Wait | undefined> {
    if (why.kind === 'wait') return why;
    if (why.kind === 'paused') this.paused = why;
    else await this.end(job, why.error);
    return undefined;
  }

  private goesOn({ record: { index, id } }: Job): void {
    const since = this.inFlight.get(index)?.since;
    this.more.push({ index, id, ...(since === undefined ? {} : { since }) });
    this.done.add(index);
  }

  private async took(job: Job, { result, step }: PromptEnd): Promise<void> {
    const { index } = job.record;
    const why = this.givenUp(index);
    if (why !== undefined && result.verdict === 'cancelled') return this.end(job, why, 'failed');
    if (step.next === 'prompt') {
      this.goesOn(job);
      return;
    }
    this.done.add(index);
    if (step.status !== 'failed' || step.error === undefined || this.failures.length >= FAILURE_NOTES) return;
    this.failures.push({ index, category: step.error.category, message: step.error.message.slice(0, 300) });
  }

  /** Why a record alone was given up; undefined = it was not. */
  private givenUp(index: number): ItemError | undefined {
    const reason: unknown = this.inFlight.get(index)?.end.signal.reason;
    return reason instanceof UnsentError && reason.why.kind === 'stopped' ? reason.why.error : undefined;
  }

  /** A record that is asked nothing more gets its outcome. */
  private async end(
    job: Job,
    error: ItemError,
    status: OutcomeStatus = job.journal.length === 0 ? 'notRun' : 'failed',
  ): Promise<void> {
    const place = { batchId: job.batch.id, index: job.record.index, workflowId: null, runId: null };
    await this.deps.store.writeOutcome({ ...place, status, output: null, error, metadata: null });
    this.done.add(job.record.index);
  }

  /** Waits as told. False when the record or the page ends before: then the next one asks, not before the time told. */
  private async waited(job: Job, why: Wait): Promise<boolean> {
    const begun = this.inFlight.get(job.record.index);
    const until = this.deps.now() + why.waitMs;
    if (until < this.until && !this.deps.closing.aborted && begun !== undefined) {
      const signal = AbortSignal.any([this.ending.signal, begun.end.signal]);
      const whole = await sleep(why.waitMs, true, { signal }).catch(() => false);
      this.context.cancellationSignal.throwIfAborted();
      if (whole) return true;
    }
    const given = this.givenUp(job.record.index);
    if (given !== undefined) await this.end(job, given);
    // Its own workflow keeps its time, however long it waits.
    else if (begun?.since !== undefined) this.goesOn(job);
    if (this.done.has(job.record.index)) return false;
    this.waits = Math.max(this.waits, why.waits);
    if (this.told === undefined || this.told.until < until) this.told = { why, until };
    return false;
  }

  private result(left: readonly number[]): PageResult {
    const { more, failures, told } = this;
    if (left.length > 0) {
      if (this.paused !== undefined) throw unsentFailure(this.paused);
      const waitMs = Math.max(0, (told?.until ?? 0) - this.deps.now());
      if (told !== undefined && waitMs > 0) throw unsentFailure({ ...told.why, waitMs });
      if (this.done.size === 0) throw unsentFailure(nothingSent(this.waits).why);
    }
    return { more, left: toRanges(left), failures };
  }

  private cancelAll(reason: unknown): void {
    this.ending.abort();
    for (const { end } of this.inFlight.values()) end.abort(reason);
  }

  /** Ends prompts in flight whose record was cancelled by name. */
  private cancelItems(): void {
    this.deps.control.read(this.input.batchId).then(
      ({ cancelled }) => {
        for (const index of cancelled) this.inFlight.get(index)?.end.abort(stopped(ITEM_CANCELLED));
      },
      (error: unknown) => void this.context.log.warn('the control row could not be read', { error }),
    );
  }
}

function nothingSent(waits: number): UnsentError {
  return mustWait({ type: 'RateLimited', message: 'no prompt could start in time', waitMs: IDLE_RETRY_MS, waits });
}
