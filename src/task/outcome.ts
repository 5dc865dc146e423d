import type { ItemError } from './errors.js';
import type { Json, JsonObject } from './json.js';
import type { Usage } from './usage.js';

/** How an item ended. `partial`: prompts spent, some fields valid. `notRun`: no answer was asked for to the end. */
export type OutcomeStatus = 'succeeded' | 'partial' | 'failed' | 'notRun';

/** What a stage asks for: the whole answer, or only the fields that failed so far. */
export type StageKind = 'full' | 'partial';

/** What was really sent to make a stage differ from the one before: a model that rejects temperature gets another. */
export interface Variation {
  /** Sampling temperature, where the model takes one. */
  readonly temperature?: number;
  /** Effort or thinking level, where the model has that instead. */
  readonly effort?: string;
  /** A reworded instruction was appended. */
  readonly reworded?: boolean;
  /** The stage used another model than the task's. */
  readonly model?: string;
}

/** One thing wrong with an answer. */
export interface Issue {
  /** Where: keys and array positions from the root; empty for the root itself. */
  readonly path: readonly (string | number)[];
  /** What is wrong, in words a model understands. */
  readonly message: string;
  /** The validator's own code: `invalid_type`, `required`, `enum`, `custom`, … */
  readonly code: string;
}

/** How one prompt ended: an answer that is valid, one that is not, or an error category. */
export type PromptVerdict = 'valid' | 'invalid' | ItemError['category'];

/** One prompt of an item, as it stands in the outcome line. */
export interface PromptRecord {
  /** 1-based rung of the ladder. */
  readonly stage: number;
  /** Whole answer, or only the failed fields. */
  readonly kind: StageKind;
  /** What was really sent to make the stage differ. */
  readonly variation: Variation;
  /** `provider/model` that was asked. */
  readonly model: string;
  /** How it ended. */
  readonly result: PromptVerdict;
  /** What was wrong with the answer. */
  readonly issues?: readonly Issue[];
  /** Null when the provider never told (a reset, a crash). */
  readonly usage: Usage | null;
  /** Null when usage or price is unknown. */
  readonly costUsd: number | null;
  /** From request to whole answer; null = unknown. */
  readonly latencyMs: number | null;
}

/** One of Gemini's ratings; other providers have none. */
export interface SafetyRating {
  /** `HARM_CATEGORY_…`. */
  readonly category: string;
  /** `NEGLIGIBLE`, `LOW`, `MEDIUM` or `HIGH`. */
  readonly probability: string;
  /** Whether it blocked the answer. */
  readonly blocked?: boolean;
}

/** Raw facts about the final prompt, present when the task asks for `includeMetadata`. */
export interface OutcomeMetadata {
  /** Gemini's ratings; null when there are none. */
  readonly safetyRatings: readonly SafetyRating[] | null;
  /** The provider's own word for why it stopped; null when it gave none. */
  readonly finishReason: string | null;
  /** The provider's own usage object, untouched. */
  readonly tokenUsage: JsonObject | null;
  /** Where the raw response is in the store: `<batch>/<index>/<prompt>`. */
  readonly rawRef: string;
}

/** An item's one final record: a line of the results file. */
export interface Outcome {
  /** 0-based position in the input. */
  readonly index: number;
  /** The record's own id, else the index as text. */
  readonly id: string;
  /** How it ended. */
  readonly status: OutcomeStatus;
  /** The valid answer; for `partial` the valid fields; else null. */
  readonly output: Json;
  /** Why it failed; null or absent when it did not. */
  readonly error?: ItemError;
  /** Every prompt spent, in order. */
  readonly prompts: readonly PromptRecord[];
  /** Sum over the prompts whose usage is known. */
  readonly usage: Usage;
  /** Null when any part is unknown. */
  readonly costUsd: number | null;
  /** Null when no workflow was needed (answered without a prompt, reused, never started). */
  readonly workflowId: string | null;
  /** The item's run; null when none was needed. */
  readonly runId: string | null;
  /** Raw facts, when the task asks for them; else null. */
  readonly metadata?: OutcomeMetadata;
  /** The record itself, with `--with-input`. */
  readonly input?: Json;
}

/** Totals of a batch, as kept by the store's grouped writes. */
export interface Counters {
  /** Records loaded. */
  readonly items: number;
  /** Records with a valid answer. */
  readonly succeeded: number;
  /** Records with some valid fields. */
  readonly partial: number;
  /** Records that failed. */
  readonly failed: number;
  /** Records no answer was asked for to the end. */
  readonly notRun: number;
  /** Prompts spent. */
  readonly prompts: number;
  /** Sum over prompts with known usage. */
  readonly usage: Usage;
  /** Prompts sent and not settled yet. */
  readonly inFlight: number;
  /** Prompts whose usage nobody told: left out of the sum. */
  readonly unknownPrompts: number;
  /** Prompts whose cost can't be known because their model has no known price. */
  readonly unpricedPrompts: number;
  /** Known cost so far, plus the worst case of prompts whose usage is unknown; nano-dollars. */
  readonly spentNano: number;
  /** Part of `spentNano` that is a worst case: prompts whose cost is unknown; nano-dollars. */
  readonly unknownNano: number;
  /** Reserved for prompts in flight, worst case; nano-dollars. */
  readonly reservedNano: number;
  /** What cache reads saved, net of what cache writes cost extra; nano-dollars. */
  readonly cacheSavingsNano: number;
  /** Prompts by stage and result, for the funnel: key `"<stage>"`, 1-based. */
  readonly stages: Readonly<Record<string, StageCount>>;
}

/** How the prompts of one stage ended. */
export interface StageCount {
  /** Prompts with a valid answer. */
  readonly valid: number;
  /** Prompts whose answer was not valid. */
  readonly invalid: number;
  /** Prompts that ended with an error. */
  readonly error: number;
}
