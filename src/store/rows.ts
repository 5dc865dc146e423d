import type { StopReason } from '../limits/types.js';
import type { ItemError } from '../task/errors.js';
import type { FailureCount, MaxFailures } from '../task/maxFailures.js';
import type { Json, JsonObject } from '../task/json.js';
import type { BatchCache } from '../task/cachePlan.js';
import type { OptimizationConfig } from '../task/optimization.js';
import type { Issue, OutcomeMetadata, OutcomeStatus, PromptVerdict, StageKind, Variation } from '../task/outcome.js';
import type { PoolLimits, RenderedPrompt } from '../task/spec.js';
import type { Usage } from '../task/usage.js';

/** States of a batch. `open`: still takes items by `addItems`. */
export type BatchStatus = 'loading' | 'ready' | 'running' | 'paused' | 'finished' | 'cancelled' | 'stopped';

/** How a batch's records are run: each in a workflow from its first prompt, or only those that need more than one. */
export type ExecutionMode = 'item' | 'inline';

/** What a passed deadline does with prompts in flight: lets them finish, or aborts them. */
export type OnDeadline = 'drain' | 'cancel';

/** How a batch runs; changed by messages, published in the control row. */
export interface BatchOptions {
  /** Prompts in flight, to begin with. */
  readonly concurrency: number;
  /** Then as many as its endpoint takes well. Absent: no. */
  readonly autoConcurrency?: boolean;
  /** Execution mode. */
  readonly execution: ExecutionMode;
  /** Money limit in nano-dollars; null = none. */
  readonly budgetNano: number | null;
  /** Whether a used-up budget pauses or stops the batch. */
  readonly onBudget: 'pause' | 'stop';
  /** Milliseconds since epoch. */
  readonly deadline: number | null;
  /** Whether prompts in flight at the deadline may finish; absent = `drain`. */
  readonly onDeadline?: OnDeadline;
  /** Time for a record, in place of the task's; milliseconds. */
  readonly itemTimeoutMs?: number;
  /** Failures after which it pauses; absent = it does not. */
  readonly maxFailures?: MaxFailures;
  /** The batch whose failures it asks again; absent = it is none such. */
  readonly retryOf?: string;
  /** Input may grow by `addItems` until `closeInput`. */
  readonly open: boolean;
  /** The batch's part of a quota that several want; absent: by its size. */
  readonly weight?: number;
  /** How prompts are made cheaper, as resolved when the batch started. Absent: as the task says. */
  readonly optimization?: OptimizationConfig;
}

/** A batch's row. */
export interface BatchRow {
  /** The batch id, also its workflow id. */
  readonly id: string;
  /** The task's hash. */
  readonly taskHash: string;
  /** The task's name. */
  readonly taskName: string;
  /** Hash of the data set's content. */
  readonly dataHash: string;
  /** What the data set was, for people: a path or `library`. */
  readonly source: string;
  /** State of the batch. */
  readonly status: BatchStatus;
  /** Why it is paused or stopped. */
  readonly statusReason: string | null;
  /** Records loaded so far; the whole number once `ready`. */
  readonly items: number;
  /** How it runs. */
  readonly options: BatchOptions;
  /** Result of `prepare()`; undefined = not run. */
  readonly prepared: Json | undefined;
  /** Milliseconds since epoch. */
  readonly createdAt: number;
  /** When its workflow opened it; null = not yet. */
  readonly startedAt: number | null;
  /** Time of the last durable outcome. */
  readonly finishedAt: number | null;
}

/** Why a batch is paused. `user`: someone asked. */
export interface PauseState {
  /** `user`, `budget`, `failures` (more than `maxFailures`), or the category of the provider's error. */
  readonly reason: 'user' | 'budget' | 'failures' | ItemError['category'];
  /** What happened and what to do, for a person. */
  readonly message: string;
  /** Milliseconds since epoch. */
  readonly since: number;
}

/** What workers read before each prompt, at most 500 ms stale. Written by the batch workflow, versioned. */
export interface Control {
  /** Rises with each publication. */
  readonly version: number;
  /** Null = not paused. */
  readonly paused: PauseState | null;
  /** Null = prompts may start. */
  readonly stop: StopReason | null;
  /** Overrides the task's model. */
  readonly model: string | null;
  /** Money limit in nano-dollars; null = none. */
  readonly budgetNano: number | null;
  /** Milliseconds since epoch after which no prompt starts; null = none. */
  readonly deadline: number | null;
  /** Prompts in flight. */
  readonly concurrency: number;
  /** That follows how the endpoint takes it. Absent: no. */
  readonly autoConcurrency?: boolean;
  /** Indices cancelled one by one. */
  readonly cancelled: readonly number[];
  /** Pool limits set live; they override the task's. */
  readonly limits: PoolLimits;
  /** The batch's part of a quota that several want; absent: by its size. */
  readonly weight?: number;
  /** The pause is a worker's: the batch's workflow has not made it its own yet. */
  readonly halted?: boolean;
  /** Failures that count no more: those before the last `resume` after too many, or before the model changed. */
  readonly forgiven?: FailureCount;
  /** How prompts are cached; absent = not at all. */
  readonly cache?: BatchCache;
}

/** A record as the activity reads it. */
export interface StoredRecord {
  /** 0-based position in the input. */
  readonly index: number;
  /** The record's own id, else its index as text. */
  readonly id: string;
  /** 1-based line in its file; null when it came from none. */
  readonly line: number | null;
  /** The record. */
  readonly input: Json;
  /** Its prompt; null when rendering waits for `prepare()`. */
  readonly rendered: RenderedPrompt | null;
}

/** A record without an outcome, with the prompts it has had. */
export interface OpenRecord {
  /** The record. */
  readonly record: StoredRecord;
  /** Its prompts, in order. */
  readonly journal: readonly JournalRow[];
}

/** A prompt about to be sent. */
export interface Reservation {
  /** The batch. */
  readonly batchId: string;
  /** 0-based position in the input. */
  readonly index: number;
  /** 1-based number of the prompt within the item. */
  readonly prompt: number;
  /** 1-based rung. */
  readonly stage: number;
  /** Whole answer, or only the failed fields. */
  readonly kind: StageKind;
  /** What was really sent to make the stage differ. */
  readonly variation: Variation;
  /** `provider/model`. */
  readonly model: string;
  /** The pool's name. */
  readonly pool: string;
  /** Worst case; null = price unknown (allowed only without a budget). */
  readonly worstNano: number | null;
  /** The batch's cap in force; null = none. */
  readonly budgetNano: number | null;
  /** Number of the pool's day it is charged to. */
  readonly day: number;
  /** The pool's cap of that day; null = none. */
  readonly dayNano: number | null;
}

/** Whether the prompt may be sent. */
export type ReserveResult =
  | { readonly ok: true }
  /** The record has its outcome already. */
  | { readonly ok: false; readonly needsNano: null }
  | {
      readonly ok: false;
      /** The smallest cap with which this prompt could be sent now. */
      readonly needsNano: number;
      /** The batch's budget, or the pool's day. */
      readonly limit: 'budget' | 'day';
      /** Spent and reserved, when what prompts in flight give back may be enough; null = it can't be. */
      readonly committedNano: number | null;
    };

/** What a prompt came to. */
export interface Settlement {
  /** The batch. */
  readonly batchId: string;
  /** 0-based position in the input. */
  readonly index: number;
  /** 1-based number of the prompt within the item. */
  readonly prompt: number;
  /** How the prompt ended. */
  readonly result: PromptVerdict;
  /** What was wrong with the answer. */
  readonly issues: readonly Issue[];
  /** The item's error when `result` is neither valid nor invalid. */
  readonly error: ItemError | null;
  /** Valid fields, kept here when too big for history. */
  readonly kept: JsonObject | null;
  /** Null: nobody told. */
  readonly usage: Usage | null;
  /** Null: unknown; then the worst case stays charged. 0 when it is known that nothing was billed. */
  readonly costNano: number | null;
  /** Saved by cache reads net of write premiums; nano-dollars. */
  readonly cacheSavingsNano: number;
  /** From request to whole answer; null = unknown. */
  readonly latencyMs: number | null;
  /** The provider's body. */
  readonly raw: Json;
  /** Raw facts, when the task asks for them; else null. */
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
  /** 1-based number of the prompt within the item. */
  readonly prompt: number;
  /** 1-based rung. */
  readonly stage: number;
  /** Whole answer, or only the failed fields. */
  readonly kind: StageKind;
  /** What was really sent to make the stage differ. */
  readonly variation: Variation;
  /** `provider/model`. */
  readonly model: string;
  /** `sent`: reserved, no answer journalled. */
  readonly state: 'sent' | 'settled' | 'unknown';
  /** How it ended; null while `sent`. */
  readonly result: PromptVerdict | null;
  /** What was wrong with the answer. */
  readonly issues: readonly Issue[];
  /** Why it failed; null or absent when it did not. */
  readonly error: ItemError | null;
  /** Valid fields. */
  readonly kept: JsonObject | null;
  /** Tokens; null when nobody told. */
  readonly usage: Usage | null;
  /** Nano-dollars; null = unknown. */
  readonly costNano: number | null;
  /** What was reserved; nano-dollars, null = price unknown. */
  readonly worstNano: number | null;
  /** From request to whole answer; null = unknown. */
  readonly latencyMs: number | null;
  /** What a retried activity returns instead of a second request. */
  readonly reply: JsonObject | null;
  /** Raw facts, when the task asks for them; else null. */
  readonly metadata: OutcomeMetadata | null;
}

/** An outcome as it is written; prompts, usage and cost come from the journal. */
export interface NewOutcome {
  /** The batch. */
  readonly batchId: string;
  /** 0-based position in the input. */
  readonly index: number;
  /** How it ended. */
  readonly status: OutcomeStatus;
  /** The valid answer; the valid fields of a `partial`; else null. */
  readonly output: Json;
  /** Why it failed; null or absent when it did not. */
  readonly error: ItemError | null;
  /** The item's workflow; null when none was needed. */
  readonly workflowId: string | null;
  /** The item's run; null when none was needed. */
  readonly runId: string | null;
  /** Raw facts, when the task asks for them; else null. */
  readonly metadata: OutcomeMetadata | null;
}

/** Which outcomes to stream. */
export interface OutcomeFilter {
  /** Only these states; default all. */
  readonly statuses?: readonly OutcomeStatus[];
  /** Only failures of this class; default all outcomes. */
  readonly category?: ItemError['category'];
  /** Add each record's input. */
  readonly withInput?: boolean;
}
