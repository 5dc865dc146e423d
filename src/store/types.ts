import type { Lease, LeaseRequest, StopReason } from '../limits/types.js';
import type { ItemError } from '../task/errors.js';
import type { Json, JsonObject } from '../task/json.js';
import type {
  Counters,
  Issue,
  Outcome,
  OutcomeMetadata,
  OutcomeStatus,
  PromptVerdict,
  StageKind,
  Variation,
} from '../task/outcome.js';
import type { LoadedRecord, RenderedPrompt, TaskSpec } from '../task/spec.js';
import type { Usage } from '../task/usage.js';

/** States of a batch. `open`: still takes items by `addItems`. */
export type BatchStatus = 'loading' | 'ready' | 'running' | 'paused' | 'finished' | 'cancelled' | 'stopped';

/** How a batch runs; changed by messages, published in the control row. */
export interface BatchOptions {
  /** Prompts in flight. */
  readonly concurrency: number;
  readonly execution: 'item';
  readonly budgetNano: number | null;
  readonly onBudget: 'pause' | 'stop';
  /** Milliseconds since epoch. */
  readonly deadline: number | null;
  /** Input may grow by `addItems` until `closeInput`. */
  readonly open: boolean;
}

/** A batch's row. */
export interface BatchRow {
  readonly id: string;
  readonly taskHash: string;
  readonly taskName: string;
  readonly dataHash: string;
  /** What the data set was, for people: a path or `library`. */
  readonly source: string;
  readonly status: BatchStatus;
  /** Why it is paused or stopped. */
  readonly statusReason: string | null;
  /** Records loaded so far; the whole number once `ready`. */
  readonly items: number;
  readonly options: BatchOptions;
  /** Result of `prepare()`; undefined = not run. */
  readonly prepared: Json | undefined;
  readonly createdAt: number;
  readonly startedAt: number | null;
  /** Time of the last durable outcome. */
  readonly finishedAt: number | null;
}

/** Why a batch is paused. `user`: someone asked. */
export interface PauseState {
  readonly reason: 'user' | 'budget' | ItemError['category'];
  /** What happened and what to do, for a person. */
  readonly message: string;
  readonly since: number;
}

/** What workers read before each prompt, at most 500 ms stale. Written by the batch workflow, versioned. */
export interface Control {
  /** Rises with each publication. */
  readonly version: number;
  readonly paused: PauseState | null;
  readonly stop: StopReason | null;
  /** Overrides the task's model. */
  readonly model: string | null;
  readonly budgetNano: number | null;
  readonly deadline: number | null;
  readonly concurrency: number;
  /** Indices cancelled one by one. */
  readonly cancelled: readonly number[];
  /** Pool limits set live; they override the task's. */
  readonly limits: { readonly rpm?: number; readonly tpm?: number; readonly inFlight?: number };
}

/** A record as the activity reads it. */
export interface StoredRecord {
  readonly index: number;
  readonly id: string;
  readonly line: number | null;
  readonly input: Json;
  readonly rendered: RenderedPrompt | null;
  readonly recordHash: string;
}

/** A prompt about to be sent. */
export interface Reservation {
  readonly batchId: string;
  readonly index: number;
  /** 1-based number of the prompt within the item. */
  readonly prompt: number;
  /** 1-based rung. */
  readonly stage: number;
  readonly kind: StageKind;
  readonly variation: Variation;
  readonly model: string;
  readonly pool: string;
  /** Worst case; null = price unknown (allowed only without a budget). */
  readonly worstNano: number | null;
  /** The batch's cap in force; null = none. */
  readonly budgetNano: number | null;
}

/** Whether the money was there. */
export type ReserveResult =
  | { readonly ok: true }
  /** `needsNano`: the smallest budget with which this prompt could be sent. */
  | { readonly ok: false; readonly needsNano: number };

/** What a prompt came to. */
export interface Settlement {
  readonly batchId: string;
  readonly index: number;
  readonly prompt: number;
  readonly result: PromptVerdict;
  readonly issues: readonly Issue[];
  /** The item's error when `result` is neither valid nor invalid. */
  readonly error: ItemError | null;
  /** Valid fields, kept here when too big for history. */
  readonly kept: JsonObject | null;
  /** Null: nobody told. */
  readonly usage: Usage | null;
  /** Null: unknown; then the worst case stays charged. 0 when it is known that nothing was billed. */
  readonly costNano: number | null;
  readonly cacheSavingsNano: number;
  readonly latencyMs: number | null;
  /** The provider's body. */
  readonly raw: Json;
  readonly metadata: OutcomeMetadata | null;
  /**
   * What a retried activity returns without a second request: the model's text or failure and what was decided.
   */
  readonly reply: JsonObject | null;
  /** False gives the prompt back: it reached no model (429, refused connection), so it isn't one. */
  readonly spent: boolean;
  /** The item's end, when this prompt brings it: written in the same transaction. */
  readonly outcome: NewOutcome | null;
}

/** A prompt in the journal. */
export interface JournalRow {
  readonly prompt: number;
  readonly stage: number;
  readonly kind: StageKind;
  readonly variation: Variation;
  readonly model: string;
  /** `sent`: reserved, no answer journalled. */
  readonly state: 'sent' | 'settled' | 'unknown';
  readonly result: PromptVerdict | null;
  readonly issues: readonly Issue[];
  readonly error: ItemError | null;
  readonly kept: JsonObject | null;
  readonly usage: Usage | null;
  readonly costNano: number | null;
  readonly worstNano: number | null;
  readonly latencyMs: number | null;
  readonly reply: JsonObject | null;
  readonly metadata: OutcomeMetadata | null;
}

/** An outcome as it is written; prompts, usage and cost come from the journal. */
export interface NewOutcome {
  readonly batchId: string;
  readonly index: number;
  readonly status: OutcomeStatus;
  readonly output: Json;
  readonly error: ItemError | null;
  readonly workflowId: string | null;
  readonly runId: string | null;
  readonly metadata: OutcomeMetadata | null;
}

/** Which outcomes to stream. */
export interface OutcomeFilter {
  /** Only these states; default all. */
  readonly statuses?: readonly OutcomeStatus[];
  /** Add each record's input. */
  readonly withInput?: boolean;
}

/** Counts of a closed range. */
export interface RangeCounts {
  readonly succeeded: number;
  readonly partial: number;
  readonly failed: number;
  readonly notRun: number;
}

/** Everything durable outside Temporal. One contract, two backends. All methods throw `TemperedError` for a full disk, a read-only folder, or a lost database. */
export interface Store {
  /** `sqlite:path` or `postgres://…` without its password, for people. */
  readonly url: string;

  /** Registers a task; a second time is no error. */
  putTask(hash: string, spec: TaskSpec): Promise<void>;
  getTask(hash: string): Promise<TaskSpec | undefined>;

  /**
   * Claims the batch id for loading. `created`: the caller loads. `exists`: see the row; a `loading` row whose loader
   * has not called `appendRecords` for 15 s is emptied and claimed anew (`created`).
   */
  createBatch(
    row: Omit<BatchRow, 'status' | 'statusReason' | 'items' | 'prepared' | 'startedAt' | 'finishedAt'>,
  ): Promise<'created' | 'exists'>;
  getBatch(id: string): Promise<BatchRow | undefined>;
  /** Newest first. */
  listBatches(limit: number): Promise<readonly BatchRow[]>;
  updateBatch(
    id: string,
    patch: Partial<Pick<BatchRow, 'status' | 'statusReason' | 'options' | 'prepared' | 'startedAt' | 'finishedAt'>>,
  ): Promise<void>;
  /** Removes a batch that failed to load, with its records. */
  discardBatch(id: string): Promise<void>;

  /** Appends a chunk (at most a few thousand) after the last record; presets become outcomes. Throws `input` on a duplicate id, naming both lines. */
  appendRecords(batchId: string, records: readonly LoadedRecord[]): Promise<void>;
  /** Marks loading as complete: status `ready`. */
  finishLoading(batchId: string): Promise<void>;
  /** Appends added items once per `clientKey`; the same key again returns the same range. `to` is exclusive. */
  addItems(
    batchId: string,
    clientKey: string,
    records: readonly LoadedRecord[],
  ): Promise<{ readonly from: number; readonly to: number }>;
  getRecord(batchId: string, index: number): Promise<StoredRecord | undefined>;
  /** Indices in `[from, to)` that have no outcome, rising, with their ids. */
  pending(
    batchId: string,
    from: number,
    to: number,
  ): Promise<readonly { readonly index: number; readonly id: string }[]>;
  /**
   * `--reuse`: copies succeeded outcomes of earlier batches with the same task and record hash to records of this
   * batch that have none. Returns how many. Copies cost nothing here: no prompts, no usage.
   */
  reuseOutcomes(batchId: string, taskHash: string): Promise<number>;

  /** Journals a prompt and reserves its worst case, if the budget allows. Grouped with others' writes. */
  reserve(reservation: Reservation): Promise<ReserveResult>;
  /** Journals what came of it, corrects the money, and writes the outcome if there is one. Grouped. */
  settle(settlement: Settlement): Promise<void>;
  /** Marks a `sent` prompt whose worker died as unknown: it stays charged at its worst case. */
  markUnknown(batchId: string, index: number, prompt: number, error: ItemError): Promise<void>;
  /** The item's prompts, in order. */
  journal(batchId: string, index: number): Promise<readonly JournalRow[]>;

  /** Writes an outcome if there is none. False: there was one already. Grouped. */
  writeOutcome(outcome: NewOutcome): Promise<boolean>;
  /** Replaces an outcome (a person's answer, a post-processor's change); counters follow. */
  replaceOutcome(
    batchId: string,
    index: number,
    change: Pick<NewOutcome, 'status' | 'output' | 'error'>,
  ): Promise<void>;
  getOutcome(batchId: string, index: number): Promise<Outcome | undefined>;
  /**
   * Gives every record of `[from, to)` without an outcome its final one: records with prompts in the journal become
   * `failed`, the others `notRun`, both with this error. Returns the range's counts.
   */
  closeRange(batchId: string, from: number, to: number, error: ItemError): Promise<RangeCounts>;
  /** Outcomes in input order, streamed in bounded memory. */
  outcomes(batchId: string, filter?: OutcomeFilter): AsyncIterable<Outcome>;
  /** Outcomes in the order they were written, after `cursor` (0 = from the start): for `--follow`. */
  outcomesSince(
    batchId: string,
    cursor: number,
    limit: number,
  ): Promise<{ readonly outcomes: readonly Outcome[]; readonly cursor: number }>;
  counters(batchId: string): Promise<Counters>;
  /** Failures grouped by category and code, biggest first, with up to 3 example indices each. */
  failureGroups(batchId: string): Promise<readonly FailureGroup[]>;

  /** Publishes a control row; a lower version than the stored one is ignored. Clears a worker's halt. */
  publishControl(batchId: string, control: Control): Promise<void>;
  /** The control row with a worker's halt folded into `paused`. Undefined before the first publication. */
  readControl(batchId: string): Promise<Control | undefined>;
  /** A worker's emergency pause (wrong key, budget): true for the first caller at this version, who tells the workflow. */
  halt(batchId: string, atVersion: number, pause: PauseState): Promise<boolean>;

  /** One statement: gives back, takes, and reads the cooldown. Creates the pool's row if needed. */
  lease(request: LeaseRequest): Promise<Lease>;
  /** No request in the pool before `until` (ms since epoch); only ever moves it later. */
  cooldown(pool: string, until: number): Promise<void>;
  /** Gives a worker's in-flight leases back at its end. */
  dropLeases(worker: string): Promise<void>;

  close(): Promise<void>;
}

/** Failures of one cause. */
export interface FailureGroup {
  readonly category: ItemError['category'];
  readonly code: string | null;
  readonly count: number;
  readonly examples: readonly number[];
  readonly message: string;
}
