import type { Generated, Selectable } from 'kysely';
import type { ErrorCategory, ItemError } from '../task/errors.js';
import type { Json, JsonObject } from '../task/json.js';
import type { Issue, OutcomeMetadata, OutcomeStatus, PromptVerdict, StageKind, Variation } from '../task/outcome.js';
import type { RenderedPrompt, TaskSpec } from '../task/spec.js';
import type { JsonText } from './jsonText.js';
import type { BatchOptions, BatchStatus, Control, JournalRow, PauseState } from './types.js';

/** Registered tasks. */
export interface TasksTable {
  readonly hash: string;
  readonly spec: JsonText<TaskSpec>;
}

/** One row per batch. `no` is what the big tables carry instead of the id. */
export interface BatchesTable {
  readonly no: Generated<number>;
  readonly id: string;
  readonly task_hash: string;
  readonly task_name: string;
  readonly data_hash: string;
  readonly source: string;
  status: BatchStatus;
  status_reason: string | null;
  options: JsonText<BatchOptions>;
  prepared: JsonText<Json> | null;
  readonly created_at: number;
  started_at: number | null;
  finished_at: number | null;
  /** The open store that loads the batch: another one may take over when `touched_at` is old. */
  loader: string;
  /** Time of the last appended chunk; milliseconds since epoch. */
  touched_at: number;
}

/** Token columns, the same in the journal (nullable there) and in the counters. */
export interface UsageColumns<T> {
  readonly input_tokens: T;
  readonly cached_input_tokens: T;
  readonly cache_write_tokens: T;
  readonly cache_write_1h_tokens: T;
  readonly output_tokens: T;
  readonly thinking_tokens: T;
}

/** One row per batch, written with every group: it is also the lock that orders a batch's writers. */
export interface CountersTable extends UsageColumns<number> {
  readonly batch_no: number;
  readonly items: number;
  readonly succeeded: number;
  readonly partial: number;
  readonly failed: number;
  readonly not_run: number;
  readonly prompts: number;
  readonly in_flight: number;
  readonly unknown_prompts: number;
  readonly unpriced_prompts: number;
  readonly spent_nano: number;
  readonly unknown_nano: number;
  readonly reserved_nano: number;
  readonly cache_savings_nano: number;
  /** Number of the newest outcome in the order of commits. */
  readonly outcome_seq: number;
}

/** Prompts of a batch by rung and result. */
export interface StageCountsTable {
  readonly batch_no: number;
  readonly stage: number;
  readonly valid: number;
  readonly invalid: number;
  readonly error: number;
}

/** The batch's input. */
export interface RecordsTable {
  readonly batch_no: number;
  readonly idx: number;
  readonly id: string;
  readonly line: number | null;
  readonly record_hash: string;
  readonly input: JsonText<Json>;
  readonly rendered: JsonText<RenderedPrompt> | null;
}

/** The prompt journal. */
export interface PromptsTable extends UsageColumns<number | null> {
  readonly batch_no: number;
  readonly idx: number;
  readonly prompt: number;
  readonly stage: number;
  readonly kind: StageKind;
  readonly variation: JsonText<Variation>;
  readonly model: string;
  readonly pool: string;
  readonly state: JournalRow['state'];
  readonly result: PromptVerdict | null;
  readonly issues: JsonText<readonly Issue[]> | null;
  readonly error: JsonText<ItemError> | null;
  readonly worst_nano: number | null;
  readonly cost_nano: number | null;
  readonly cache_savings_nano: number;
  readonly latency_ms: number | null;
  readonly metadata: JsonText<OutcomeMetadata> | null;
  readonly kept: JsonText<JsonObject> | null;
  readonly reply: JsonText<JsonObject> | null;
  readonly raw: JsonText<Json> | null;
}

/** Final outcomes; prompts, usage and cost are read from the journal. */
export interface OutcomesTable {
  readonly batch_no: number;
  readonly idx: number;
  /** Rises in the order of commits, within the batch. */
  readonly seq: number;
  readonly status: OutcomeStatus;
  readonly error_category: ErrorCategory | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  /** 0 or 1. */
  readonly error_retryable: number | null;
  readonly workflow_id: string | null;
  readonly run_id: string | null;
  readonly metadata: JsonText<OutcomeMetadata> | null;
  readonly output: JsonText<Json>;
}

/** Chunks added to an open batch, by the sender's key. */
export interface AddedKeysTable {
  readonly batch_no: number;
  readonly client_key: string;
  readonly from_idx: number;
  /** Exclusive. */
  readonly to_idx: number;
}

/** Control rows. */
export interface ControlTable {
  readonly batch_no: number;
  readonly version: number;
  readonly body: JsonText<Control>;
  /** A worker's emergency pause, valid until a version above `halt_version` is published. */
  readonly halt: JsonText<PauseState> | null;
  readonly halt_version: number | null;
}

/** A provider account's buckets. Times are the database's; milliseconds since epoch. */
export interface PoolsTable {
  readonly pool: string;
  /** Requests that may start; fractions accumulate. */
  readonly requests: number;
  /** Tokens that may be used; negative = debt. */
  readonly tokens: number;
  /** When the buckets were last filled. */
  readonly filled_at: number;
  readonly cooldown_until: number;
}

/** What each live worker holds of a pool. */
export interface PoolLeasesTable {
  readonly pool: string;
  readonly worker: string;
  readonly granted: number;
  readonly in_flight: number;
  readonly wanted: number;
  readonly rpm: number | null;
  readonly tpm: number | null;
  readonly in_flight_limit: number | null;
  readonly expires_at: number;
}

/** Every table of the store. */
export interface StoreSchema {
  readonly tasks: TasksTable;
  readonly batches: BatchesTable;
  readonly counters: CountersTable;
  readonly stage_counts: StageCountsTable;
  readonly records: RecordsTable;
  readonly prompts: PromptsTable;
  readonly outcomes: OutcomesTable;
  readonly added_keys: AddedKeysTable;
  readonly control: ControlTable;
  readonly pools: PoolsTable;
  readonly pool_leases: PoolLeasesTable;
}

/** A journal row as it stands. */
export type PromptRow = Selectable<PromptsTable>;
/** An outcome row as it stands. */
export type OutcomeRow = Selectable<OutcomesTable>;
/** A counters row as it stands. */
export type CountersRow = Selectable<CountersTable>;
