import type { ErrorCategory, ItemError } from './errors.js';
import type { Json, JsonObject } from './json.js';
import type { Outcome, SafetyRating } from './outcome.js';
import type { ContentPart, Message } from './spec.js';
import type { Usage } from './usage.js';

/** What `before` may say of a record: nothing (use it), another input, an answer, or a skip with its reason. */
export type BeforeResult<Input, Output> =
  undefined | { readonly input: Input } | { readonly answer: Output } | { readonly skip: string };

/** What `validate` may say: nothing or an empty list (valid), issues by path, or a wish for a person to look. */
export type ValidateResult =
  | undefined
  | readonly { readonly path: readonly (string | number)[]; readonly message: string }[]
  | { readonly review: string };

/** The item's own state as user functions see it; changes are recorded in the item workflow. */
export interface UserState {
  /** The value of `key`, else `fallback`. */
  get<T extends Json>(key: string, fallback: T): T;
  /** Sets `key`; the value must be JSON. */
  set(key: string, value: Json): void;
  /** Forgets every key. */
  clear(): void;
}

/** Where an `execute` or `onError` call stands. */
export interface AttemptContext {
  /** 1-based number of the prompt. */
  readonly attempt: number;
  /** Time for this prompt; milliseconds. */
  readonly timeout: number;
  /** The item's own keys. */
  readonly state: UserState;
  /** Aborted when the item is cancelled or the time is over. */
  readonly signal: AbortSignal;
}

/** The request `execute` gets: what Tempered itself would send. */
export interface TaskRequest {
  /** `provider/model`. */
  readonly model: string;
  /** Static prefix. */
  readonly instructions: string | undefined;
  /** Turns, the record in the last one. */
  readonly messages: readonly Message[];
  /** The schema asked for: a sub-schema in a partial stage. */
  readonly schema: JsonObject | undefined;
  /** Cap of generated tokens, thinking included. */
  readonly maxOutputTokens: number;
  /** Sampling temperature; undefined = not sent. */
  readonly temperature: number | undefined;
  /** The record. */
  readonly input: Json;
}

/** What `execute` returns instead of a provider's answer. */
export interface ExecuteResult {
  /** The model's text, parsed and validated like a provider's. */
  readonly text: string;
  /** Tokens, when known. */
  readonly usage?: Usage;
  /** The provider's own word for why it stopped; null when it gave none. */
  readonly finishReason?: string;
  /** Ratings, for post-processors. */
  readonly safetyRatings?: readonly SafetyRating[];
}

/** What `postProcess` may say: nothing, another output, or that a person must look. */
export type PostProcessResult = undefined | { readonly output: Json } | { readonly review: string };

/** What `classify` may say of a failed prompt: nothing (keep ours), another category, a code beside it. */
export type ClassifyResult =
  undefined | { readonly category?: ErrorCategory; readonly code?: string; readonly retryable?: boolean };

/** Functions of a task, with input and output types. All optional; see `defineTask`. */
export interface TaskFunctions<Input, Output> {
  /** Meaning beyond the schema. Runs on answers that fit the schema. */
  validate?(output: Output, input: Input): ValidateResult | Promise<ValidateResult>;
  /** Runs once per outcome, as its own activity, after the outcome is stored. */
  postProcess?(outcome: Outcome): PostProcessResult | Promise<PostProcessResult>;
  /** Refines how a failed prompt is classed. */
  classify?(error: ItemError, raw: { readonly status: number | null; readonly body: string }): ClassifyResult;
  /** Replaces the provider call. */
  execute?(request: TaskRequest, context: AttemptContext): Promise<ExecuteResult>;
  /** Called after a failed prompt, before the next is chosen. May change the state. */
  onError?(error: ItemError, context: AttemptContext): void | Promise<void>;
  /** Runs once per batch, whatever crashes; its JSON result is handed to every prompt as `prepared`. */
  prepare?(): Json | Promise<Json>;
  /** Runs once at the end of the batch, also after a cancel. */
  cleanup?(prepared: Json): void | Promise<void>;
}

/** Functions of a task that run where records are loaded. */
export interface LoadFunctions<Input, Output> {
  /** Renders a record; text or whole turns. */
  prompt?(input: Input, context: { readonly prepared: Json }): string | readonly Message[] | readonly ContentPart[];
  /** Skips, rewrites or answers a record without a prompt. */
  before?(input: Input): BeforeResult<Input, Output> | Promise<BeforeResult<Input, Output>>;
}
