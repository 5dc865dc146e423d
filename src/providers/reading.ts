import { z } from 'zod';
import type { ErrorCategory } from '../task/errors.js';
import type { Json, JsonObject } from '../task/json.js';
import { isJsonObject } from '../task/json.js';
import type { SafetyRating } from '../task/outcome.js';
import type { Usage } from '../task/usage.js';
import type { ErrorBody } from './errorBody.js';
import type { ToolCall } from './turns.js';

/** A provider's answer in our words. */
export interface Reading {
  /** The model that says it answered. */
  readonly model: string | null;
  /** Everything the model wrote as its answer, thinking left out. */
  readonly text: string;
  /** Tools the model asks for. */
  readonly toolCalls: readonly ToolCall[];
  /** The answer's content in the provider's words. */
  readonly native: Json;
  /** The provider's word for how the answer ended. */
  readonly finishReason: string | null;
  /** Gemini's ratings; null elsewhere. */
  readonly safetyRatings: readonly SafetyRating[] | null;
  /** Tokens; null when the server sent none. */
  readonly usage: Usage | null;
  /** The provider's usage object, untouched. */
  readonly rawUsage: JsonObject | null;
  /** Why the text cannot be used; null when nothing speaks against it. */
  readonly stop: Stop | null;
  /** An error the provider put inside the answer, to be classified like any other. */
  readonly error: ErrorBody | null;
}

/** An answer that ended otherwise than by its own end. */
export interface Stop {
  /** The class of failure it is. */
  readonly category: ErrorCategory;
  /** The provider's word for it. */
  readonly code?: string;
  /** What happened and what to do. */
  readonly message: string;
}

/** The output limit was reached. */
export function truncated(code: string): Stop {
  return {
    category: 'truncated',
    code,
    message: 'The answer was cut off at the output limit, thinking included. Raise maxOutputTokens.',
  };
}

/** A call whose arguments are no JSON object: it must not be run with others. */
export function badArguments(name: string): Stop {
  return {
    category: 'invalid_output',
    code: 'tool_arguments',
    message: `The model asked for the tool ${name} with arguments that are no JSON object. Ask again.`,
  };
}

/** A field that may be missing or null, or of a type we don't expect: then it counts as missing. */
export function loose<T extends z.ZodType>(schema: T): z.ZodCatch<z.ZodPrefault<z.ZodNullable<T>>> {
  // What is missing is no failure: to make one takes longer than to read the rest.
  return schema.nullable().prefault(null).catch(null);
}

/** A token count; missing is 0. */
export const tokens = z.number().nonnegative().default(0).catch(0);

/** The value as a JSON object, else null. */
export function objectOrNull(value: Json | undefined): JsonObject | null {
  return isJsonObject(value) ? value : null;
}

/** A usage whose parts can't exceed their whole, whatever a server said. */
export function consistentUsage(usage: Usage): Usage {
  const cacheWriteTokens = Math.min(usage.cacheWriteTokens, usage.inputTokens);
  return {
    inputTokens: usage.inputTokens,
    cachedInputTokens: Math.min(usage.cachedInputTokens, usage.inputTokens - cacheWriteTokens),
    cacheWriteTokens,
    cacheWrite1hTokens: Math.min(usage.cacheWrite1hTokens, cacheWriteTokens),
    outputTokens: usage.outputTokens,
    thinkingTokens: Math.min(usage.thinkingTokens, usage.outputTokens),
  };
}
