import type { ItemError } from '../task/errors.js';
import type { Json, JsonObject } from '../task/json.js';
import type { Issue, OutcomeStatus } from '../task/outcome.js';
import type { Stage } from '../task/spec.js';
import type { Usage } from '../task/usage.js';

/** Stages and limits of an item: what its workflow gets. Under 1 kB of JSON. */
export interface ItemPlan {
  /** The ladder, first rung first. */
  readonly stages: readonly Stage[];
  /** Prompts the item may spend. */
  readonly maxPrompts: number;
  /** Time for one prompt after the gate; milliseconds. */
  readonly promptTimeoutMs: number;
  /** Time for the whole record; milliseconds. Absent: no limit. */
  readonly itemTimeoutMs?: number;
  /** First output cap; raised by truncation. */
  readonly maxOutputTokens: number;
  /** Ask again after a refusal or safety block. */
  readonly retryRefusals: boolean;
}

/** An item's state between prompts, as recorded in history. JSON, at most about 1 KB beside `kept`. */
export interface RetryStateData {
  /** 0-based rung; grows past the last one never. */
  readonly stage: number;
  /** Prompts spent so far. */
  readonly promptsUsed: number;
  /** Valid fields of the best answer so far; null when there is none, or when they wait in the journal (`keptRef`). */
  readonly kept: JsonObject | null;
  /** Number of the prompt whose journal row holds the kept fields, when they are too big for history. */
  readonly keptRef: number | null;
  /** What was wrong with the best answer so far; at most 20, each message at most 300 characters. */
  readonly issues: readonly Issue[];
  /** Output cap in force: raised after a truncation. */
  readonly maxOutputTokens: number;
  /** Sum over prompts with known usage. */
  readonly usage: Usage;
  /** Nano-dollars; null when a part is unknown. */
  readonly costNano: number | null;
  /** Keys that `execute` and `onError` keep. */
  readonly user: JsonObject;
}

/** What one prompt did, as the ladder sees it. */
export type PromptEvent =
  | { readonly kind: 'valid' }
  | {
      readonly kind: 'invalid';
      readonly issues: readonly Issue[];
      /** Valid fields; null when partial recovery can't help (root not an object, nothing valid). */
      readonly kept: JsonObject | null;
      readonly keptRef: number | null;
    }
  | { readonly kind: 'error'; readonly error: ItemError }
  /** Sent, but the worker or the connection died before the answer was journalled. */
  | { readonly kind: 'lost'; readonly error: ItemError };

/** What a prompt did and what it cost: the input of one step of the ladder. */
export interface PromptReport {
  /** What happened, as the ladder sees it. */
  readonly event: PromptEvent;
  /** Prompts used by the item up to and with this one. */
  readonly promptsUsed: number;
  /** Tokens; null when nobody told. */
  readonly usage: Usage | null;
  /** Nano-dollars; null = unknown. */
  readonly costNano: number | null;
  /** The user's keys after this prompt. */
  readonly user: JsonObject;
}

/** What the ladder decides after a prompt. */
export type Step =
  | { readonly next: 'prompt'; readonly state: RetryStateData }
  | {
      readonly next: 'finish';
      readonly state: RetryStateData;
      readonly status: OutcomeStatus;
      /** Absent for `succeeded`. */
      readonly error?: ItemError;
    };

/** The result of reading a model's text as JSON. */
export type Extraction =
  | { readonly ok: true; readonly value: Json; /** Prose or fences were around it. */ readonly cleaned: boolean }
  | { readonly ok: false; readonly reason: 'none' | 'truncated' | 'malformed'; readonly message: string };

/** The verdict on one answer. */
export type Validation =
  { readonly ok: true; readonly output: Json } | { readonly ok: false; readonly issues: readonly Issue[] };
