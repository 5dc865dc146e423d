import type { MaxFailures } from './maxFailures.js';
import type { SafetyLevel } from './safety.js';
import type { StageKind } from './outcome.js';
import type { Json, JsonObject } from './json.js';
import type { OptimizationLayer } from './optimization.js';

/**
 * A block of a message: text, or an image or PDF by reference (URL, or a file path read when the task is loaded).
 * `cache` marks the end of a part that many prompts share: everything up to it is cached.
 */
export type ContentPart =
  | { readonly type: 'text'; readonly text: string; readonly cache?: boolean }
  | { readonly type: 'image' | 'pdf'; readonly url: string };

/** One turn of a conversation. */
export interface Message {
  /** `user` or `assistant`. */
  readonly role: 'user' | 'assistant';
  /** Text, or parts. */
  readonly content: string | readonly ContentPart[];
}

/** One rung of the ladder as a task configures it. */
export interface Stage {
  /** `full` asks for the whole answer, `partial` only for the fields that failed. */
  readonly kind: StageKind;
  /** Wanted sampling temperature, 0..2. Turned into another variation where the model takes none. */
  readonly temperature?: number;
  /** Wanted effort or thinking level (`low`, `medium`, `high`), where the model has one. */
  readonly effort?: string;
  /** Another model for this stage, `provider/model`. */
  readonly model?: string;
}

/** Quotas of the provider account, shared by every batch in the pool. Absent = not limited by us. */
export interface PoolLimits {
  /** Requests a minute. */
  readonly rpm?: number;
  /** Tokens a minute, input and output together. */
  readonly tpm?: number;
  /** Input tokens a minute, where the provider counts them apart; Anthropic leaves those read from a cache out. */
  readonly inputTpm?: number;
  /** Output tokens a minute, where the provider counts them apart. */
  readonly outputTpm?: number;
  /** Prompts in flight at once, over all workers. */
  readonly inFlight?: number;
}

/**
 * The serialisable part of a task: what to do with each record. All of it that changes an answer is in the task's
 * hash. Functions of a task module are beside it, see `TaskFunctions`.
 */
export interface TaskSpec {
  /** Short name, `[a-z0-9-]`, used in batch ids. */
  readonly name: string;
  /** `provider/model`. */
  readonly model: string;
  /** Asked instead while the endpoint of `model` keeps failing, `provider/model` of another endpoint. Absent: wait. */
  readonly fallbackModel?: string;
  /** Static prefix: the system prompt. */
  readonly instructions?: string;
  /** Template with `{{field}}` places. Absent when `messages` or a prompt function is used. */
  readonly prompt?: string;
  /** Few-shot turns and the final user turn, templates too. */
  readonly messages?: readonly Message[];
  /** JSON Schema of the answer. Absent: the answer is text. */
  readonly schema?: JsonObject;
  /** Cap of generated tokens per prompt, thinking included. Default 1,024. */
  readonly maxOutputTokens: number;
  /** Provider parameters passed through as they are (`topP`, `reasoning_effort`, …); none that decides about the bill. */
  readonly params: JsonObject;
  /** Prompts an item may spend. Default 5. */
  readonly maxPrompts: number;
  /** The ladder; the last rung repeats until `maxPrompts`. */
  readonly stages: readonly Stage[];
  /** Time for one prompt, from leaving the gate to the whole answer; milliseconds. Default 120,000. */
  readonly promptTimeoutMs: number;
  /**
   * Time for a record from its start to its end, all prompts and waits included; milliseconds. Absent: no limit. Not
   * part of the task's identity.
   */
  readonly itemTimeoutMs?: number;
  /** Ask again after a refusal or safety block. Default false: they end the item. */
  readonly retryRefusals: boolean;
  /** Keep safety ratings, finish reason and raw usage in the outcome. Default false. */
  readonly includeMetadata: boolean;
  /** Whether the task wants its static prefix cached; true when it does not say. */
  readonly cache: { readonly enabled: boolean };
  /** What the task says of caching and the like; not part of its identity. Absent: nothing. */
  readonly optimization?: OptimizationLayer;
  /** Quotas of the provider account; not part of the task's identity. */
  readonly limits: PoolLimits;
  /** What is held for a person: answers whose model rated them unsafe, from this level up. Absent = nothing. */
  readonly review?: { readonly safety: SafetyLevel };
  /** Failures after which a batch pauses, unless it is started with its own limit; not part of the identity. */
  readonly maxFailures?: MaxFailures;
  /** Free text that is part of the identity: change it when code that no hash can see has changed. */
  readonly version?: string;
  /** Its prompt or `before` is a function: records added to a running batch are loaded by workers with the module. */
  readonly rendersInCode?: boolean;
  /** Which functions the task's module brings; a spec with any needs workers that loaded that module. */
  readonly functions: readonly TaskFunctionName[];
}

/** Longest time a record can be given; milliseconds. Thirty days: longer than any batch is meant to run. */
export const MAX_ITEM_TIMEOUT_MS = 30 * 86_400_000;

/** Functions of a task module that run in workers. */
export const TASK_FUNCTION_NAMES = [
  'validate',
  'postProcess',
  'classify',
  'execute',
  'onError',
  'prepare',
  'cleanup',
] as const;

/** One of {@link TASK_FUNCTION_NAMES}. */
export type TaskFunctionName = (typeof TASK_FUNCTION_NAMES)[number];

/** A record's prompt after its places were filled in: what the store keeps and the model is sent. */
export interface RenderedPrompt {
  /** Turns to send, the record in the last one. */
  readonly messages: readonly Message[];
}

/** A record on its way into the store. */
export interface LoadedRecord {
  /** The record's own id, else its index as text. */
  readonly id: string;
  /** 1-based line or row in its file, when it came from one. */
  readonly line: number | null;
  /** The record as read (after `before` rewrote it, if it did). */
  readonly input: Json;
  /** Null when the task has `prepare`: then rendering waits for its result. */
  readonly rendered: RenderedPrompt | null;
  /** An answer or a skip that `before` gave: no prompt is needed. */
  readonly preset?: RecordPreset;
}

/** What `before` decided for a record that needs no prompt. */
export type RecordPreset =
  { readonly kind: 'answer'; readonly output: Json } | { readonly kind: 'skip'; readonly reason: string };
