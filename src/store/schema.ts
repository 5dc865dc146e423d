import type { Generated, Selectable } from 'kysely';
import type { ErrorCategory, ItemError } from '../task/errors.js';
import type { Json, JsonObject } from '../task/json.js';
import type { Issue, OutcomeMetadata, OutcomeStatus, PromptVerdict, StageKind, Variation } from '../task/outcome.js';
import type { RenderedPrompt, TaskSpec } from '../task/spec.js';
import type { JsonText } from './jsonText.js';
import type { CircuitsTable, PoolDaysTable, PoolLeasesTable, PoolsTable } from './poolSchema.js';
import type { BatchOptions, BatchStatus, Control, JournalRow, PauseState } from './types.js';

/** Registered tasks. */
interface TasksTable {
  /** The task's hash. */
  readonly hash: string;
  /** The task. */
  readonly spec: JsonText<TaskSpec>;
}

/** One row per batch. `no` is what the big tables carry instead of the id. */
export interface BatchesTable {
  /** Number given by the database. */
  readonly no: Generated<number>;
  /** The batch id. */
  readonly id: string;
  /** The task's hash. */
  readonly task_hash: string;
  /** The task's name. */
  readonly task_name: string;
  /** Hash of the data set's content. */
  readonly data_hash: string;
  /** What the data set was, for people. */
  readonly source: string;
  /** State of the batch. */
  status: BatchStatus;
  /** Why it is paused or stopped. */
  status_reason: string | null;
  /** How it runs. */
  options: JsonText<BatchOptions>;
  /** Result of `prepare()`; null = not run. */
  prepared: JsonText<Json> | null;
  /** Milliseconds since epoch. */
  readonly created_at: number;
  /** Milliseconds since epoch; null = not yet. */
  started_at: number | null;
  /** Milliseconds since epoch; null = not yet. */
  finished_at: number | null;
  /** The open store that loads the batch: another one may take over when `touched_at` is old. */
  loader: string;
  /** Time of the last appended chunk; milliseconds since epoch. */
  touched_at: number;
}

/** Token columns, the same in the journal (nullable there) and in the counters. */
export interface UsageColumns<T> {
  /** The whole prompt. */
  readonly input_tokens: T;
  /** Read from the cache. */
  readonly cached_input_tokens: T;
  /** Written to the cache. */
  readonly cache_write_tokens: T;
  /** Written for an hour. */
  readonly cache_write_1h_tokens: T;
  /** Thinking included. */
  readonly output_tokens: T;
  /** Part of the output. */
  readonly thinking_tokens: T;
}

/** One row per batch, written with every group: it is also the lock that orders a batch's writers. */
export interface CountersTable extends UsageColumns<number> {
  /** Number of the batch. */
  readonly batch_no: number;
  /** Records loaded. */
  readonly items: number;
  /** Outcomes. */
  readonly succeeded: number;
  /** Outcomes. */
  readonly partial: number;
  /** Outcomes. */
  readonly failed: number;
  /** Outcomes. */
  readonly not_run: number;
  /** Prompts spent. */
  readonly prompts: number;
  /** Prompts sent and not settled yet. */
  readonly in_flight: number;
  /** Prompts whose usage nobody told. */
  readonly unknown_prompts: number;
  /** Prompts whose model has no known price. */
  readonly unpriced_prompts: number;
  /** Known cost, and the worst case where it is unknown; nano-dollars. */
  readonly spent_nano: number;
  /** Part of `spent_nano` that is a worst case; nano-dollars. */
  readonly unknown_nano: number;
  /** Worst case of prompts in flight; nano-dollars. */
  readonly reserved_nano: number;
  /** What caching saved, net; nano-dollars. */
  readonly cache_savings_nano: number;
  /** Number of the newest outcome in the order of commits. */
  readonly outcome_seq: number;
}

/** Prompts of a batch by rung and result. */
export interface StageCountsTable {
  /** Number of the batch. */
  readonly batch_no: number;
  /** 1-based rung. */
  readonly stage: number;
  /** Valid answers. */
  readonly valid: number;
  /** Invalid answers. */
  readonly invalid: number;
  /** Prompts that ended with an error. */
  readonly error: number;
}

/** The batch's input. */
interface RecordsTable {
  /** Number of the batch. */
  readonly batch_no: number;
  /** 0-based position in the input. */
  readonly idx: number;
  /** The record's own id, else its index. */
  readonly id: string;
  /** 1-based line in its file. */
  readonly line: number | null;
  /** Hash of the record's content and prompt; empty until it is asked for. */
  readonly record_hash: string;
  /** The record. */
  readonly input: JsonText<Json>;
  /** What the model is sent; null = rendered by the worker. */
  readonly rendered: JsonText<RenderedPrompt> | null;
}

/** The prompt journal. */
interface PromptsTable extends UsageColumns<number | null> {
  /** Number of the batch. */
  readonly batch_no: number;
  /** 0-based position in the input. */
  readonly idx: number;
  /** 1-based number within the item. */
  readonly prompt: number;
  /** 1-based rung. */
  readonly stage: number;
  /** What the rung asks for. */
  readonly kind: StageKind;
  /** What was really varied. */
  readonly variation: JsonText<Variation>;
  /** `provider/model` that was asked. */
  readonly model: string;
  /** Whose quota it used. */
  readonly pool: string;
  /** The pool's day it is charged to; null = written before days were counted. */
  readonly day: number | null;
  /** Where it stands. */
  readonly state: JournalRow['state'];
  /** How it ended; null while `sent`. */
  readonly result: PromptVerdict | null;
  /** What was wrong with the answer; null = nothing. */
  readonly issues: JsonText<readonly Issue[]> | null;
  /** The error, if that is how it ended. */
  readonly error: JsonText<ItemError> | null;
  /** Worst case; nano-dollars; null = no price known. */
  readonly worst_nano: number | null;
  /** What it cost; nano-dollars; null = unknown. */
  readonly cost_nano: number | null;
  /** What caching saved, net; nano-dollars. */
  readonly cache_savings_nano: number;
  /** Time to the whole answer. */
  readonly latency_ms: number | null;
  /** Raw facts, when the task asks for them. */
  readonly metadata: JsonText<OutcomeMetadata> | null;
  /** Valid fields kept aside. */
  readonly kept: JsonText<JsonObject> | null;
  /** What a repeated activity returns. */
  readonly reply: JsonText<JsonObject> | null;
  /** The provider's body. */
  readonly raw: JsonText<Json> | null;
}

/** Final outcomes; prompts, usage and cost are read from the journal. */
interface OutcomesTable {
  /** Number of the batch. */
  readonly batch_no: number;
  /** 0-based position in the input. */
  readonly idx: number;
  /** Rises in the order of commits, within the batch. */
  readonly seq: number;
  /** How the item ended. */
  readonly status: OutcomeStatus;
  /** Class of the failure. */
  readonly error_category: ErrorCategory | null;
  /** Finer reason. */
  readonly error_code: string | null;
  /** For a person. */
  readonly error_message: string | null;
  /** 0 or 1. */
  readonly error_retryable: number | null;
  /** The item; null = none was needed. */
  readonly workflow_id: string | null;
  /** The item's run. */
  readonly run_id: string | null;
  /** Raw facts, when the task asks for them. */
  readonly metadata: JsonText<OutcomeMetadata> | null;
  /** The answer, JSON's null when there is none. */
  readonly output: JsonText<Json>;
}

/** Chunks added to an open batch, by the sender's key. */
interface AddedKeysTable {
  /** Number of the batch. */
  readonly batch_no: number;
  /** The sender's key. */
  readonly client_key: string;
  /** First index. */
  readonly from_idx: number;
  /** Exclusive. */
  readonly to_idx: number;
}

/** Control rows. */
interface ControlTable {
  /** Number of the batch. */
  readonly batch_no: number;
  /** Rises with each publication. */
  readonly version: number;
  /** As published. */
  readonly body: JsonText<Control>;
  /** A worker's emergency pause, valid until a version above `halt_version` is published. */
  readonly halt: JsonText<PauseState> | null;
  /** Version the halting worker saw. */
  readonly halt_version: number | null;
}

/** Every table of the store. */
export interface StoreSchema {
  /** See {@link TasksTable}. */
  readonly tasks: TasksTable;
  /** See {@link BatchesTable}. */
  readonly batches: BatchesTable;
  /** See {@link CountersTable}. */
  readonly counters: CountersTable;
  /** See {@link StageCountsTable}. */
  readonly stage_counts: StageCountsTable;
  /** See {@link RecordsTable}. */
  readonly records: RecordsTable;
  /** See {@link PromptsTable}. */
  readonly prompts: PromptsTable;
  /** See {@link OutcomesTable}. */
  readonly outcomes: OutcomesTable;
  /** See {@link AddedKeysTable}. */
  readonly added_keys: AddedKeysTable;
  /** See {@link ControlTable}. */
  readonly control: ControlTable;
  /** See {@link PoolsTable}. */
  readonly pools: PoolsTable;
  /** See {@link PoolLeasesTable}. */
  readonly pool_leases: PoolLeasesTable;
  /** See {@link PoolDaysTable}. */
  readonly pool_days: PoolDaysTable;
  /** See {@link CircuitsTable}. */
  readonly circuits: CircuitsTable;
}

/** A journal row as it stands. */
export type PromptRow = Selectable<PromptsTable>;
/** An outcome row as it stands. */
export type OutcomeRow = Selectable<OutcomesTable>;
/** A counters row as it stands. */
export type CountersRow = Selectable<CountersTable>;
