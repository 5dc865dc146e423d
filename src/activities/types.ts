import type { ItemPlan, PromptReport, RetryStateData } from '../recovery/types.js';
import type { PoolSettings } from '../limits/types.js';
import type { Control, PoolPatch, RangeCounts } from '../store/types.js';
import type { BatchCache } from '../task/cachePlan.js';
import type { ItemError } from '../task/errors.js';
import type { Json } from '../task/json.js';
import type { OutcomeStatus, PromptVerdict, StageKind, Variation } from '../task/outcome.js';
import type { Range } from '../workflows/fanout.js';
import type { AddItems, BatchInput, FailureNote, Notice, ReviewAnswer } from '../workflows/types.js';
import type { ScheduledInput, ScheduledResult } from '../workflows/scheduleTypes.js';
import type { Listener } from './notifier.js';

/** What the `prompt` activity gets: enough to find everything else in the store. */
export interface PromptInput {
  /** The batch. */
  readonly batchId: string;
  /** 0-based position in the input. */
  readonly index: number;
  /** State before this prompt. */
  readonly state: RetryStateData;
  /** The batch's first prompt, sent ahead of its item: journalled, but ends nothing. */
  readonly probe?: true;
}

/** What the `prompt` activity returns, and what its failures carry as their first detail. */
export interface PromptResult extends PromptReport {
  /** 1-based rung. */
  readonly stage: number;
  /** Whole answer, or only the failed fields. */
  readonly kind: StageKind;
  /** What was really sent to make the stage differ. */
  readonly variation: Variation;
  /** `provider/model` that was asked. */
  readonly model: string;
  /** How the prompt ended. */
  readonly verdict: PromptVerdict;
  /** The valid answer, when it is at most 64 KiB; bigger ones are in the store only. */
  readonly output?: Json;
}

/** Prompts. Run on the pool's queue, or on the task's when it has functions. */
export interface PromptActivities {
  /**
   * Sends one prompt and journals it; writes the item's outcome when the prompt ends it. Fails with type `Paused`,
   * `RateLimited` or `Overloaded` (retryable, nothing spent), `Stopped` (the batch starts nothing more), or an error
   * category with a {@link PromptResult} as detail (a prompt was spent).
   */
  prompt(input: PromptInput): Promise<PromptResult>;
  /**
   * The first prompts of a page of records, each as `prompt` sends it. Fails with type `Paused`, `RateLimited` or
   * `Overloaded` (retryable, nothing spent by records without an outcome). A repeated page asks the store what is done.
   */
  page(input: PageInput): Promise<PageResult>;
}

/** What the `page` activity gets. */
export interface PageInput {
  /** The batch. */
  readonly batchId: string;
  /** The page's records, rising. */
  readonly ranges: readonly Range[];
  /** Prompts it keeps in flight. */
  readonly lanes: number;
}

/** A record that needs more than its first prompt: its state waits in the journal. */
export interface UnfinishedRecord {
  /** 0-based position in the input. */
  readonly index: number;
  /** The record's id, for its workflow's summary. */
  readonly id: string;
  /** When its time began; milliseconds since epoch. Absent: its time has no limit. */
  readonly since?: number;
}

/** What a page came to. Every record in none of its lists has its outcome. */
export interface PageResult {
  /** Records that become workflows. */
  readonly more: readonly UnfinishedRecord[];
  /** Records there was no time for, rising. */
  readonly left: readonly Range[];
  /** Some of the records that failed. */
  readonly failures: readonly FailureNote[];
}

/** Preparing a batch's prompt cache at the provider. Run on the queue of its prompts. */
export interface CacheActivities {
  /**
   * Has the provider count the prefix where that is free, decides, finds or makes the explicit cache where that pays,
   * and tells the worker's log.
   */
  prepareCache(input: PromptInput): Promise<BatchCache>;
}

/** What becomes of a batch's explicit caches. Run on the queue of its prompts. */
export interface CacheLifeActivities {
  /**
   * Lets the batch's own cache live longer; null = it is gone. It is ended, unless it is to be kept, where money was
   * limited since and nobody asked for it.
   */
  renewCache(cache: NamedCache & { readonly batchId: string }): Promise<{ readonly expiresAt: number } | null>;
  /** Ends an explicit cache; one that is gone already is no error. */
  removeCache(cache: Omit<NamedCache, 'ttlSeconds'>): Promise<void>;
  /** Ends every cache that the provider of `model` lists as made for the batch, unless its settings keep them; how many. */
  sweepCaches(batch: { readonly batchId: string; readonly model: string }): Promise<number>;
}

/** An explicit cache at its provider. */
export interface NamedCache {
  /** `provider/model` it is for. */
  readonly model: string;
  /** The provider's name of it. */
  readonly name: string;
  /** How long it shall live from now; seconds. */
  readonly ttlSeconds: number;
}

/** How a batch begins where its settings want a cache. */
export interface OpenedCaching {
  /** The decision by estimate. */
  readonly plan: BatchCache;
  /** The prefix is long enough to ask its provider about it. */
  readonly ask: boolean;
  /** One prompt goes first and writes the cache. */
  readonly warmFirst: boolean;
  /** Time until what it wrote can be read; milliseconds. */
  readonly settleMs: number;
}

/** A batch as its workflow needs it. */
export interface OpenedBatch {
  /** The task's hash. */
  readonly taskHash: string;
  /** The task's name. */
  readonly taskName: string;
  /** `provider/model`. */
  readonly model: string;
  /** Stages and limits of an item. */
  readonly plan: ItemPlan;
  /** Records in the store. */
  readonly items: number;
  /** Providers the worker that opened it knows; absent in older histories. */
  readonly providers?: readonly string[];
  /** Queue of the prompts. */
  readonly queue: string;
  /** Queue of the task's other functions; the control queue when it has none. */
  readonly functionQueue: string;
  /** The task has `prepare()`. */
  readonly hasPrepare: boolean;
  /** The task has `cleanup()`. */
  readonly hasCleanup: boolean;
  /** The task has `postProcess()`. */
  readonly hasPostProcess: boolean;
  /** Absent: nothing is to be cached. */
  readonly caching?: OpenedCaching;
  /** Who wants to be told of its pauses and its end; absent = nobody. */
  readonly listeners?: readonly Listener[];
}

/** A batch's final figures. */
export interface BatchTotals extends RangeCounts {
  /** Records in all. */
  readonly items: number;
  /** Prompts spent. */
  readonly prompts: number;
  /** Dollars for prompts with known usage; null when a price is unknown. */
  readonly costUsd: number | null;
}

/** Keeping a batch's rows. Run on the control queue. */
export interface BatchActivities {
  /** Registers the task and the batch's row if another SDK started it; returns what the workflow needs. */
  openBatch(batchId: string, input: BatchInput): Promise<OpenedBatch>;
  /** Publishes what workers read before each prompt. */
  publishControl(batchId: string, control: Control): Promise<void>;
  /** Changes the quotas of the pool `model` is in (null: the task's own); returns all that are set live there. */
  setPoolLimits(batchId: string, model: string | null, patch: PoolPatch): Promise<PoolSettings>;
  /** First index of `[from, items)` without an outcome; null when there is none. */
  firstPending(batchId: string, from: number): Promise<number | null>;
  /** Stores the batch's end. */
  finishBatch(
    batchId: string,
    status: 'finished' | 'cancelled' | 'stopped',
    reason: string | null,
  ): Promise<BatchTotals>;
}

/** What the outside world is told. */
export interface NotifyActivities {
  /** Tells one listener, by its name. */
  notify(listener: string, notice: Notice): Promise<void>;
}

/** Firings of schedules. */
export interface ScheduleActivities {
  /** Loads the files as they are now, and starts their batch. */
  submitScheduled(batchId: string, input: ScheduledInput): Promise<void>;
  /** Waits for a batch's end. */
  awaitBatch(batchId: string): Promise<ScheduledResult>;
  /** Cancels a batch. */
  cancelBatch(batchId: string): Promise<void>;
}

/** The task's functions around a batch. Run on the task's queue. */
export interface FunctionActivities {
  /** `prepare()`, once: a result in the store is never made again. */
  prepare(batchId: string): Promise<void>;
  /** `cleanup()`. */
  cleanup(batchId: string): Promise<void>;
  /** Stores added items; returns the number of records the batch has now. */
  loadItems(batchId: string, added: AddItems): Promise<{ readonly items: number }>;
  /** `postProcess(outcome)`; returns what it changed, for the story. */
  postProcess(batchId: string, index: number): Promise<{ readonly changed: 'nothing' | 'output' | 'review' }>;
  /** `postProcess` for the outcomes of a page, `lanes` at a time; one that keeps throwing leaves its outcome as it was. */
  postProcessPage(page: PageInput): Promise<ProcessedPage>;
}

/** What `postProcessPage` came to. */
export interface ProcessedPage {
  /** Records there was no time for, rising. */
  readonly left: readonly Range[];
  /** Some of the records whose post-processor kept throwing. */
  readonly failures: readonly FailureNote[];
}

/** A shard's pending records. */
export interface OpenedShard {
  /** Indices without an outcome, rising. */
  readonly indices: readonly number[];
  /** Their ids, same order. */
  readonly ids: readonly string[];
}

/** How an item ends when no prompt of its own decided it. */
export interface ItemEnd {
  /** The batch. */
  readonly batchId: string;
  /** 0-based position in the input. */
  readonly index: number;
  /** How it ends. */
  readonly status: OutcomeStatus;
  /** Why it failed; null or absent when it did not. */
  readonly error: ItemError;
}

/** Keeping a shard's and an item's rows. Run on the control queue. */
export interface ItemActivities {
  /** The range's records without an outcome. */
  openShard(batchId: string, from: number, to: number): Promise<OpenedShard>;
  /** The same as ranges, for a shard that needs no ids. */
  openPages(batchId: string, from: number, to: number): Promise<readonly Range[]>;
  /** Every record of `[from, to)` without an outcome gets its final one; returns the range's counts. */
  closeShard(batchId: string, from: number, to: number, error: ItemError): Promise<RangeCounts>;
  /**
   * Writes an outcome the ladder could not write: the kept fields of the journal become its output. A record that is
   * to end as `notRun` but was asked ends as `failed`, or `partial`. Returns how it ended; undefined in older histories.
   */
  finishItem(end: ItemEnd): Promise<OutcomeStatus | undefined>;
}

/** A person's answers. Run on the task's queue, because `validate` is asked too. */
export interface ReviewActivities {
  /** Validates the answer and replaces the outcome. Fails with type `invalid_output` naming the issues. */
  answerItem(batchId: string, index: number, answer: ReviewAnswer): Promise<void>;
  /** Where this batch's answers are validated. */
  reviewQueue(batchId: string): Promise<string>;
}
