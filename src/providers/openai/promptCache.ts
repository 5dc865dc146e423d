import type { BarePrefix, CacheMarks } from '../../caching/breakpoints.js';
import { isJsonObject, type Json, type JsonObject } from '../../task/json.js';

/** GPT-5.6 and later: caching is billed when written, and the end of the prefix can be told. */
const TELLS_PREFIX = /^gpt-(?:5\.(?:[6-9]|\d\d)|[6-9]|\d\d)/;

/** Breakpoints a request may write. */
const MOST = 4;

/**
 * Whether a prefix without instructions and turns is cached: older models go by the prefix itself; later ones need a
 * breakpoint, which neither tools can carry nor a schema, unless it is asked for in words.
 */
export function cachesBarePrefix(model: string, { schema }: BarePrefix): boolean {
  return !TELLS_PREFIX.test(model) || (schema !== undefined && schema['type'] !== 'object');
}

/**
 * What OpenAI is told of a request's prefix: a key by which equal prefixes meet on one server, and, where the model
 * takes it, explicit breakpoints at the end of instructions and shared turns and on blocks the task marks: the last ones
 * when there are more than the four the API takes. The implicit breakpoint is switched off then: it would write each
 * record into the cache, for a quarter more than its price, and nobody reads that. Where nothing can carry a breakpoint
 * it stays on: without any the API does not cache at all.
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
  const spots = messages.flatMap((message, i) => {
    const turn = i - (system + 1);
    const ends = (marks.system && i === system) || (turn >= 0 && turn === marks.turns - 1);
    return blocksToMark(message, new Set(marked[turn] ?? []), ends).map((block) => ({ i, block }));
  });
  if (spots.length === 0) return keyed;
  const last = spots.slice(-MOST);
  const told = messages.map((message, i) =>
    breakpoints(message, new Set(last.flatMap((spot) => (spot.i === i ? [spot.block] : [])))),
  );
  // Thirty minutes is the only life there is.
  return { ...keyed, messages: told, prompt_cache_options: { mode: 'explicit', ttl: '30m' } };
}

/** A message's blocks; a plain text is one block. */
function blocksOf(message: Json): readonly Json[] {
  const content = isJsonObject(message) ? message['content'] : undefined;
  return typeof content === 'string' ? [{ type: 'text', text: content }] : Array.isArray(content) ? content : [];
}

/** Numbers of the blocks of a message that get a breakpoint. */
function blocksToMark(message: Json, marked: ReadonlySet<number>, ends: boolean): readonly number[] {
  const blocks = blocksOf(message);
  return blocks.flatMap((block, at) =>
    isJsonObject(block) && (marked.has(at) || (ends && at === blocks.length - 1)) ? [at] : [],
  );
}

function breakpoints(message: Json, marked: ReadonlySet<number>): Json {
  if (!isJsonObject(message) || marked.size === 0) return message;
  const content = blocksOf(message).map((block, at) =>
    isJsonObject(block) && marked.has(at) ? { ...block, prompt_cache_breakpoint: { mode: 'explicit' } } : block,
  );
  return { ...message, content };
}
