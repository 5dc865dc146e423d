import type { CacheMarks } from '../../caching/breakpoints.js';
import { isJsonObject, type Json, type JsonObject } from '../../task/json.js';

/** GPT-5.6 and later: caching is billed when written, and the end of the prefix can be told. */
const TELLS_PREFIX = /^gpt-(?:5\.(?:[6-9]|\d\d)|[6-9]|\d\d)/;

/**
 * What OpenAI is told of a request's prefix: a key by which equal prefixes meet on one server, and, where the model
 * takes it, an explicit breakpoint at the end of instructions and shared turns. The implicit breakpoint is switched off
 * then: it would write each record into the cache, for a quarter more than its price, and nobody reads that.
 */
export function withPromptCache(
  body: JsonObject,
  model: string,
  marks: CacheMarks,
  marked: readonly (readonly number[])[],
): JsonObject {
  const keyed = { prompt_cache_key: marks.key, ...body };
  if (!TELLS_PREFIX.test(model) || 'prompt_cache_options' in body) return keyed;
  const messages = Array.isArray(body['messages']) ? body['messages'] : [];
  const system = messages.findLastIndex((message) => isJsonObject(message) && message['role'] === 'system');
  const told = messages.map((message, i) => {
    const turn = i - (system + 1);
    const ends = (marks.system && i === system) || (turn >= 0 && turn === marks.turns - 1);
    return breakpoints(message, new Set(marked[turn] ?? []), ends);
  });
  // Thirty minutes is the only life there is.
  return { ...keyed, messages: told, prompt_cache_options: { mode: 'explicit', ttl: '30m' } };
}

function breakpoints(message: Json, marked: ReadonlySet<number>, ends: boolean): Json {
  if (!isJsonObject(message) || (marked.size === 0 && !ends)) return message;
  const { content } = message;
  const blocks: readonly Json[] =
    typeof content === 'string' ? [{ type: 'text', text: content }] : Array.isArray(content) ? content : [];
  const told = blocks.map((block, at) =>
    isJsonObject(block) && (marked.has(at) || (ends && at === blocks.length - 1))
      ? { ...block, prompt_cache_breakpoint: { mode: 'explicit' } }
      : block,
  );
  return { ...message, content: told };
}
