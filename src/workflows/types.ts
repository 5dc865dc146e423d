import type { NoticeEvent } from '../activities/notifier.js';
import type { ItemPlan, RetryStateData } from '../recovery/types.js';
import type { BatchOptions, ExecutionMode, OnDeadline, PauseState, RangeCounts } from '../store/types.js';
import type { Concurrency, StopReason } from '../limits/types.js';
import type { BatchCache } from '../task/cachePlan.js';
import type { MaxFailures } from '../task/maxFailures.js';
import type { Json, JsonObject } from '../task/json.js';
import type { OptimizationConfig } from '../task/optimization.js';
import type { PoolLimits } from '../task/spec.js';

/**
 * Input of the `batch` workflow. Its id is the batch id. Started by Tempered's client after loading, or by any SDK
 * with signal-with-start `addItems`: then `task` is a hash registered before, or a whole task file as JSON.
 */
export interface BatchInput {
  /** Hash of a registered task, or a task file's content. */
  readonly task: string | JsonObject;
  /** Prompts in flight, or `auto`: as many as the endpoint takes well. Default 50. */
  readonly concurrency?: Concurrency;
  /** Money limit in USD. */
  readonly budgetUsd?: number;
  /** Default `pause`. */
  readonly onBudget?: 'pause' | 'stop';
  /** ISO time after which no prompt starts. */
  readonly deadline?: string;
  /** Whether prompts in flight at the deadline finish (`drain`, default) or are aborted (`cancel`). */
  readonly onDeadline?: OnDeadline;
  /** Time for a record, from its start, with all its prompts and waits; milliseconds. Default: the task's. */
  readonly itemTimeoutMs?: number;
  /** Whether every record is a workflow (`item`), or only those that need more than one prompt (`inline`). Default `item`. */
  readonly execution?: ExecutionMode;
  /** The batch's part of a quota that several want, against theirs. Default 1; up to 100 records 100. */
  readonly weight?: number;
  /** Failures after which it pauses: a number or a share (`5%`). Default: the task's, else it does not. */
  readonly maxFailures?: MaxFailures;
  /** Input grows by `addItems` until `closeInput`. Default false: the records are in the store already. */
  readonly open?: boolean;
  /** Tells nobody of its pauses and its end. Default: whom `tempered.config` names under `notify`. */
  readonly quiet?: boolean;
  /** How prompts are made cheaper. From another SDK any part of it: task and the worker's configuration say the rest. */
  readonly optimization?: OptimizationConfig;
  /** State carried over a continue-as-new. Not for callers. */
  readonly carried?: BatchCarry;
}

/** What a batch carries over a continue-as-new: nothing else is remembered. */
export interface BatchCarry {
  /** First index no shard has been opened for. */
  readonly cursor: number;
  /** Ranges `[from, to)` a draining shard gave back. */
  readonly returned: readonly (readonly [number, number])[];
  /** Number of the next shard. */
  readonly nextShard: number;
  /** Counts of closed shards. */
  readonly counts: RangeCounts;
  /** Version of the last published control row. */
  readonly controlVersion: number;
  /** What messages changed. */
  readonly settings: BatchSettings;
  /** No more records are to come. */
  readonly inputClosed: boolean;
  /** Records in all. */
  readonly items: number;
  /** `addItems` payloads that came during the drain. */
  readonly backlog: readonly AddItems[];
  /** `prepare()` and the first prompt are done. */
  readonly probed: boolean;
  /** Null = not paused. */
  readonly paused: PauseState | null;
  /** The last failures, for the query `failures`. */
  readonly failures: readonly FailureNote[];
  /** The last messages that could not be used. */
  readonly rejected: readonly string[];
}

/** What messages change in a running batch. */
export interface BatchSettings {
  /** Prompts in flight. */
  readonly concurrency: number;
  /** That follows how the endpoint takes it; absent = no. */
  readonly autoConcurrency?: boolean;
  /** The batch's part of a quota that several want; absent: by its size. */
  readonly weight?: number;
  /** Money limit in nano-dollars; null = none. */
  readonly budgetNano: number | null;
  /** Milliseconds since epoch after which no prompt starts; null = none. */
  readonly deadline: number | null;
  /** Overrides the task's model; null = the task's own. */
  readonly model: string | null;
  /** Quotas in force. */
  readonly limits: PoolLimits;
  /** Indices cancelled one by one. */
  readonly cancelled: readonly number[];
  /** How prompts are cached; absent = not at all. */
  readonly cache?: BatchCache;
}

/** Payload of the signal `addItems`: at most 256 KiB. Bigger inputs are stored first and their range sent. */
export interface AddItems {
  /** The sender's key for this chunk: the same key twice adds once. */
  readonly clientKey: string;
  /** Records to store; or */
  readonly items?: readonly Json[];
  /** a range `[from, to)` already in the store. */
  readonly range?: { readonly from: number; readonly to: number };
}

/** Result of the `batch` workflow. */
export interface BatchResult extends RangeCounts {
  /** How it ended. */
  readonly status: 'finished' | 'cancelled' | 'stopped';
  /** Why it ended early; null = it did not. */
  readonly reason: StopReason | null;
  /** Records in all. */
  readonly items: number;
  /** Prompts spent. */
  readonly prompts: number;
  /** Dollars; null when a part is unknown. */
  readonly costUsd: number | null;
}

/** Answer of the query `progress`. */
export interface BatchProgress extends RangeCounts {
  /** What the batch is doing. */
  readonly status: 'preparing' | 'running' | 'paused' | 'draining' | 'finished';
  /** Why it is paused. */
  readonly paused: PauseState | null;
  /** Records in all. */
  readonly items: number;
  /** Shards whose workflow runs. */
  readonly openShards: number;
  /** It takes more records. */
  readonly open: boolean;
  /** ISO time of the newest count. */
  readonly asOf: string;
}

/** Answer of the query `config`. */
export interface BatchConfig {
  /** The task's hash. */
  readonly taskHash: string;
  /** The task's name. */
  readonly taskName: string;
  /** `provider/model` in force. */
  readonly model: string;
  /** How it runs. */
  readonly options: BatchOptions;
  /** What messages changed. */
  readonly settings: BatchSettings;
}

/** One of the last failures, answer of the query `failures` (at most 50, newest last; all of them are in the store). */
export interface FailureNote {
  /** The record; -1 for a message that could not be used. */
  readonly index: number;
  /** Class of the failure. */
  readonly category: string;
  /** What happened and what to do. */
  readonly message: string;
}

/** Input of a `shard` workflow. */
export interface ShardInput {
  /** The batch. */
  readonly batchId: string;
  /** Its number in the batch. */
  readonly shard: number;
  /** Range `[from, to)`. */
  readonly from: number;
  /** End of the range, exclusive. */
  readonly to: number;
  /** Items in flight. */
  readonly share: number;
  /** Stages and limits of an item. */
  readonly plan: ItemPlan;
  /** Queue of the prompts. */
  readonly queue: string;
  /** Queue of the task's other functions. */
  readonly functionQueue: string;
  /** Whether outcomes have a post-processor. */
  readonly postProcess: boolean;
  /** Absent = `item`. */
  readonly execution?: ExecutionMode;
}

/** Result of a `shard`. */
export interface ShardResult {
  /** Counts of closed shards. */
  readonly counts: RangeCounts;
  /** First index it did not start because the batch wanted to continue as new; `to` if it started all. */
  readonly next: number;
  /** The last few failures. */
  readonly failures: readonly FailureNote[];
  /** In `inline` mode: how its records went. For people who read it in the UI. */
  readonly inline?: InlineCounts;
}

/** How the records of a shard in `inline` mode went. */
export interface InlineCounts {
  /** Records that ended with their first prompt, without a workflow of their own. */
  readonly answeredAtOnce: number;
  /** Records that needed more and became workflows. */
  readonly becameItems: number;
}

/** Input of an `item` workflow. */
export interface ItemInput {
  /** The batch. */
  readonly batchId: string;
  /** 0-based position in the input. */
  readonly index: number;
  /** Stages and limits of an item. */
  readonly plan: ItemPlan;
  /** Queue of the prompts. */
  readonly queue: string;
  /** Queue of the task's other functions. */
  readonly functionQueue: string;
  /** Whether the outcome has a post-processor. */
  readonly postProcess: boolean;
  /** Carried state when it starts mid-ladder. */
  readonly state?: RetryStateData;
  /** When its time began, if that was before this workflow; milliseconds since epoch. */
  readonly since?: number;
}

/** Result of an `item` that ended without failing; its `story` is for people who read it in the UI. */
export interface ItemResult {
  /** How it ended. */
  readonly status: 'succeeded' | 'partial' | 'notRun';
  /** Stage by stage: what was asked, how it varied, what was wrong, what it cost. */
  readonly story: readonly string[];
  /** Prompts spent. */
  readonly prompts: number;
  /** Dollars; null when a part is unknown. */
  readonly costUsd: number | null;
}

/** What listeners are told. */
export interface Notice {
  /** The batch. */
  readonly batchId: string;
  /** Its end, or a pause. */
  readonly event: NoticeEvent;
  /** Tells pauses apart; 0 for the end. */
  readonly number: number;
  /** When it happened; milliseconds since epoch. */
  readonly at: number;
  /** The batch's state now. */
  readonly status: 'paused' | BatchResult['status'];
  /** Why it paused or ended early; null = it did not. */
  readonly reason: { readonly category: string; readonly message: string } | null;
}

/** Payload of the signal `halted`: a worker paused the store's control row at this version. */
export interface Halt {
  /** Why and since when. */
  readonly pause: PauseState;
  /** Version of the control row the worker had read. */
  readonly atVersion: number;
}

/** Payload of the signal `tuned`: a worker says what concurrency would be better. */
export interface Tuned {
  /** The concurrency it saw: at another one its word is void. */
  readonly from: number;
  /** What it should be. */
  readonly to: number;
}

/** Payload of the update `answer` of a `review` workflow. */
export interface ReviewAnswer {
  /** The person's output; must fit the task's schema. */
  readonly output: Json;
  /** Who answered, for the record. */
  readonly by?: string;
}

/** Input of a `review` workflow. */
export interface ReviewInput {
  /** The batch. */
  readonly batchId: string;
  /** 0-based position in the input. */
  readonly index: number;
}
