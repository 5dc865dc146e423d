import { z } from 'zod';
import type { Json, JsonObject } from '../../task/json.js';
import { isJsonObject } from '../../task/json.js';
import type { Usage } from '../../task/usage.js';
import { findError, parseBody } from '../errorBody.js';
import { ownCallId, type ToolCall } from '../turns.js';
import type { Reading, Stop } from '../reading.js';
import { badArguments, consistentUsage, loose, objectOrNull, tokens, truncated } from '../reading.js';

const usageSchema = z.object({
  prompt_tokens: z.number(),
  completion_tokens: tokens,
  prompt_tokens_details: loose(z.object({ cached_tokens: tokens, cache_write_tokens: tokens })),
  completion_tokens_details: loose(z.object({ reasoning_tokens: tokens })),
});

const contentSchema = z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: loose(z.string()) }))]);

const callSchema = z.object({
  id: loose(z.string()),
  function: z.object({ name: z.string(), arguments: loose(z.string()) }),
});

const choiceSchema = z.object({
  message: loose(
    z.object({ content: loose(contentSchema), refusal: loose(z.string()), tool_calls: loose(z.array(callSchema)) }),
  ),
  finish_reason: loose(z.string()),
});

const completionSchema = z.object({
  choices: z.array(choiceSchema),
  model: loose(z.string()),
  usage: loose(usageSchema),
});

type Choice = z.infer<typeof choiceSchema>;

/** Both counts are whole: cached tokens and reasoning included. */
function usageOf(usage: z.infer<typeof usageSchema>): Usage {
  return consistentUsage({
    inputTokens: usage.prompt_tokens,
    cachedInputTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    cacheWriteTokens: usage.prompt_tokens_details?.cache_write_tokens ?? 0,
    cacheWrite1hTokens: 0,
    outputTokens: usage.completion_tokens,
    thinkingTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
  });
}

/** The answer; local servers put thinking into fields of its own, which are not it. */
function textOf(choice: Choice | undefined): string {
  const content = choice?.message?.content ?? '';
  if (typeof content === 'string') return content;
  return content.flatMap((part) => (part.type === 'text' ? [part.text ?? ''] : [])).join('');
}

/** Every call, with arguments that are no JSON object as null. Servers send none for a tool without any. */
function callsOf(
  choice: Choice | undefined,
): readonly (Omit<ToolCall, 'arguments'> & { arguments: JsonObject | null })[] {
  return (choice?.message?.tool_calls ?? []).map(({ id, function: called }, i) => {
    const given = called.arguments ?? '';
    const parsed = given.trim() === '' ? {} : parseBody(given);
    return { id: id ?? ownCallId(i), name: called.name, arguments: isJsonObject(parsed) ? parsed : null };
  });
}

function stopOf(choice: Choice | undefined): Stop | null {
  const refusal = choice?.message?.refusal ?? null;
  if (refusal !== null && refusal !== '') {
    return { category: 'refusal', code: 'refusal', message: `The model refused to answer: ${refusal}` };
  }
  switch (choice?.finish_reason) {
    case 'length':
      return truncated('length');
    case 'content_filter':
      return { category: 'safety', code: 'content_filter', message: 'The content filter stopped the answer.' };
    default: {
      const bad = callsOf(choice).find((call) => call.arguments === null);
      return bad === undefined ? null : badArguments(bad.name);
    }
  }
}

/** The first choice as it came: routers put an upstream's error into it. */
function firstChoice(body: JsonObject): Json | undefined {
  const choices = body['choices'];
  return Array.isArray(choices) ? choices[0] : undefined;
}

/** Reads a completion; null when the body is none. */
export function readChat(body: JsonObject): Reading | null {
  const parsed = completionSchema.safeParse(body);
  if (!parsed.success) return null;
  const { choices, model, usage } = parsed.data;
  const choice = choices[0];
  const raw = firstChoice(body);
  return {
    model,
    text: textOf(choice),
    toolCalls: callsOf(choice).flatMap(({ arguments: given, ...call }) =>
      given === null ? [] : [{ ...call, arguments: given }],
    ),
    native: null,
    finishReason: choice?.finish_reason ?? null,
    safetyRatings: null,
    usage: usage === null ? null : usageOf(usage),
    rawUsage: objectOrNull(body['usage']),
    stop: stopOf(choice),
    error: isJsonObject(raw) ? findError(raw) : null,
  };
}
