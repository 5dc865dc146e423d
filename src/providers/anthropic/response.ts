import { z } from 'zod';
import type { JsonObject } from '../../task/json.js';
import { isJsonObject } from '../../task/json.js';
import type { Usage } from '../../task/usage.js';
import { ownCallId, type ToolCall } from '../turns.js';
import type { Reading, Stop } from '../reading.js';
import { badArguments, consistentUsage, loose, objectOrNull, tokens, truncated } from '../reading.js';

const usageSchema = z.object({
  input_tokens: z.number(),
  output_tokens: tokens,
  cache_creation_input_tokens: tokens,
  cache_read_input_tokens: tokens,
  cache_creation: loose(z.object({ ephemeral_1h_input_tokens: tokens })),
  output_tokens_details: loose(z.object({ thinking_tokens: tokens })),
});

const messageSchema = z.object({
  content: z.array(
    z.looseObject({
      type: z.string(),
      text: loose(z.string()),
      id: loose(z.string()),
      name: loose(z.string()),
      input: z.json().optional(),
    }),
  ),
  model: loose(z.string()),
  stop_reason: loose(z.string()),
  stop_details: loose(z.object({ category: loose(z.string()), explanation: loose(z.string()) })),
  usage: loose(usageSchema),
});

/** `input_tokens` excludes what was read from and written to the cache. */
function usageOf(usage: z.infer<typeof usageSchema>): Usage {
  return consistentUsage({
    inputTokens: usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens,
    cachedInputTokens: usage.cache_read_input_tokens,
    cacheWriteTokens: usage.cache_creation_input_tokens,
    cacheWrite1hTokens: usage.cache_creation?.ephemeral_1h_input_tokens ?? 0,
    outputTokens: usage.output_tokens,
    thinkingTokens: usage.output_tokens_details?.thinking_tokens ?? 0,
  });
}

/** Calls whose arguments can be used. */
function toolCalls({ content }: z.infer<typeof messageSchema>): readonly ToolCall[] {
  return content.flatMap(({ type, id, name, input }, i) =>
    type === 'tool_use' && isJsonObject(input) ? [{ id: id ?? ownCallId(i), name: name ?? '', arguments: input }] : [],
  );
}

function stopOf(message: z.infer<typeof messageSchema>): Stop | null {
  const bad = message.content.find(({ type, input }) => type === 'tool_use' && !isJsonObject(input));
  if (bad !== undefined && message.stop_reason === 'tool_use') return badArguments(bad.name ?? '');
  switch (message.stop_reason) {
    case 'max_tokens':
      return truncated('max_tokens');
    case 'model_context_window_exceeded':
      return {
        category: 'context_length',
        code: 'model_context_window_exceeded',
        message: "The model's context was full before the answer was complete. Shorten the record.",
      };
    case 'refusal': {
      const why = message.stop_details;
      const said = why?.explanation ?? why?.category ?? null;
      return {
        category: 'refusal',
        code: why?.category ?? 'refusal',
        message: said === null ? 'The model refused to answer.' : `The model refused to answer: ${said}`,
      };
    }
    default:
      return null;
  }
}

/** Reads a message; null when the body is none. */
export function readAnthropic(body: JsonObject): Reading | null {
  const parsed = messageSchema.safeParse(body);
  if (!parsed.success) return null;
  const message = parsed.data;
  return {
    model: message.model,
    // Thinking blocks come before the text.
    text: message.content.flatMap((block) => (block.type === 'text' ? [block.text ?? ''] : [])).join(''),
    toolCalls: toolCalls(message),
    native: body['content'] ?? [],
    finishReason: message.stop_reason,
    safetyRatings: null,
    usage: message.usage === null ? null : usageOf(message.usage),
    rawUsage: objectOrNull(body['usage']),
    stop: stopOf(message),
    error: null,
  };
}
