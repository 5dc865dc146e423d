import type { z } from 'zod';
import type { CacheStatistics } from '../caching/statistics.js';
import type { ToolCall, ToolChoice, ToolSpec, Turn, AssistantTurn } from '../providers/turns.js';
import type { JsonObject } from '../task/json.js';
import type { OptimizationOptions } from '../task/optimization.js';
import type { SafetyRating } from '../task/outcome.js';
import type { Usage } from '../task/usage.js';

/** A turn of a conversation; `system` ones become the instructions. */
export type LlmMessage = { readonly role: 'system'; readonly content: string } | Turn;

/** What a model is asked: the user's words, or a conversation. */
export type LlmInput = string | readonly LlmMessage[];

/** Parameters every provider has in some form. A model that takes one of them not refuses it before anything is sent. */
export interface LlmParameters {
  /** Sampling temperature, in the model's own range. */
  readonly temperature?: number | undefined;
  /** Nucleus sampling, 0 to 1. */
  readonly topP?: number | undefined;
  /** Only the likeliest so many tokens, 1 or more. */
  readonly topK?: number | undefined;
  /** Most tokens to generate, thinking included. Default 1,024. */
  readonly maxOutputTokens?: number | undefined;
}

/** What one call may change. It wins over the handle's own parameters. */
export interface InvokeOptions extends LlmParameters {
  /** The provider's own parameters, passed through; added to the handle's. */
  readonly params?: JsonObject | undefined;
  /** Time for the whole answer; milliseconds. Default 120,000. */
  readonly timeoutMs?: number | undefined;
  /** Aborts the request. Default never. */
  readonly signal?: AbortSignal | undefined;
}

/** A usable answer. */
export interface LlmAnswer {
  /** What the model wrote, thinking left out; blank when it only asks for tools. */
  readonly text: string;
  /** Tools it asks for. */
  readonly toolCalls: readonly ToolCall[];
  /** The turn to put into the conversation before the tools' results. */
  readonly turn: AssistantTurn;
  /** The provider's word for how the answer ended. */
  readonly finishReason: string | null;
  /** Gemini's ratings; null elsewhere. */
  readonly safetyRatings: readonly SafetyRating[] | null;
  /** Tokens; null when the server sent none. */
  readonly usage: Usage | null;
  /** Null when usage or price is unknown. */
  readonly costUsd: number | null;
  /** The model that says it answered; null when it does not say. */
  readonly model: string | null;
  /** Time from request to complete answer; milliseconds. */
  readonly latencyMs: number;
}

/** An answer whose text is JSON that fits a schema. */
export interface StructuredAnswer<T> extends LlmAnswer {
  /** The checked value. */
  readonly output: T;
}

/** A piece of a streamed answer: text as it comes, and at the end the whole answer. */
export type LlmChunk =
  { readonly type: 'text'; readonly text: string } | { readonly type: 'answer'; readonly answer: LlmAnswer };

/** A handle whose answers fit a schema. */
export interface StructuredLlm<T> {
  /** Asks once. Throws {@link LlmError}, `invalid_output` for an answer that does not fit. */
  invoke(input: LlmInput, options?: InvokeOptions): Promise<StructuredAnswer<T>>;
}

/** A handle as data: without keys, to be made again by `registry.fromJSON`. */
export interface LlmDescription extends LlmParameters {
  /** The endpoint. */
  readonly provider: string;
  /** The model's name there. */
  readonly model: string;
  /** Which kind of handle it is. */
  readonly enhanced: boolean;
  /** The provider's own parameters. */
  readonly params?: JsonObject | undefined;
  /** Tools it was bound to. */
  readonly tools?: readonly ToolSpec[] | undefined;
  /** How they are chosen. */
  readonly toolChoice?: ToolChoice | undefined;
  /** Share of the context above which it warns. */
  readonly contextBudget?: number | undefined;
  /** How its prompts are made cheaper, as it was asked for; false = not at all. */
  readonly optimization?: OptimizationOptions | false | undefined;
  /** The service it works for. */
  readonly service?: string | undefined;
  /** What it is used for. */
  readonly purpose?: string | undefined;
}

/** A model to talk to. Plain and enhanced handles have it in common. */
export interface Llm {
  /** The endpoint. */
  readonly provider: string;
  /** The model's name there. */
  readonly model: string;
  /** Which kind of handle it is. */
  readonly isEnhanced: boolean;
  /** Whether its prompts are marked for the provider's cache: see `optimize`. */
  readonly isOptimized: boolean;
  /** The handle without optimization, with the parameters in force; of one without, itself. */
  readonly baseModel: Llm;
  /** What caching was to do, and did. Handles of the same model, service, purpose and settings are counted together. */
  getCacheStats(): CacheStatistics;
  /** Counts from nothing again. */
  resetCacheStats(): void;
  /**
   * Asks once, without retries: exactly one request, but for a prompt whose cache marks the provider refuses, which it
   * does not bill: that goes out again without. Throws {@link LlmError}; `input` for parameters the model takes not.
   */
  invoke(input: LlmInput, options?: InvokeOptions): Promise<LlmAnswer>;
  /** The same, streamed. Who stops reading ends the request. */
  stream(input: LlmInput, options?: InvokeOptions): AsyncGenerator<LlmChunk, void, undefined>;
  /** A handle whose answers fit a zod schema, typed by it, or a JSON Schema. It keeps this one's parameters. */
  withStructuredOutput<S extends z.ZodType>(schema: S): StructuredLlm<z.output<S>>;
  /** A handle whose answers fit a JSON Schema. Throws `input` for one that is none. */
  withStructuredOutput(schema: JsonObject): StructuredLlm<unknown>;
  /** The same handle, which may ask for tools. */
  bindTools(tools: readonly ToolSpec[], choice?: ToolChoice): Llm;
  /** The handle as data, without keys. */
  toJSON(): LlmDescription;
}
