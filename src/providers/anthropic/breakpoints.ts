import type { BarePrefix, CacheMarks } from '../../caching/breakpoints.js';
import { isJsonObject, type Json, type JsonObject } from '../../task/json.js';
import { nativeSchema } from './nativeSchema.js';

/** Breakpoints a request may have, those of the task's own parameters included. */
const MOST = 4;

/** Blocks that can carry one. Thinking blocks can't, and a message itself neither. */
const CARRIERS = new Set(['text', 'image', 'document', 'tool_result', 'tool_use']);

/** Where a breakpoint can stand: `system`, `tools` or a message's number, and the block in it. */
interface Spot {
  readonly list: 'system' | 'tools' | number;
  readonly block: number;
}

/** Whether a prefix without instructions and turns has a block to mark: a schema of `output_config` is none. */
export function marksBare(model: string, { schema, tools }: BarePrefix): boolean {
  return tools || (schema !== undefined && nativeSchema(model, schema) === null);
}

/**
 * Puts a request's breakpoints on the blocks of its finished body: the end of tools and system, the end of the turns
 * every record shares, and blocks the task marks (`marked` per message); the last ones when there are more than the four
 * the API takes. A task that sends its own `cache_control` at the top has said all there is to say and gets none.
 */
export function withBreakpoints(
  body: JsonObject,
  marks: CacheMarks,
  params: JsonObject,
  marked: readonly (readonly number[])[],
): JsonObject {
  const own = JSON.stringify(params).split('"cache_control"').length - 1;
  const room = 'cache_control' in params ? 0 : MOST - own;
  if (room <= 0) return body;
  // The task's own marks come first in the prompt, and a longer life must not follow a shorter one.
  const control: JsonObject = { type: 'ephemeral', ...(own === 0 && marks.life === '1h' ? { ttl: '1h' } : {}) };
  const spots = spotsOf(body, marks, marked).slice(-room);
  const mark = (list: Spot['list'], blocks: readonly Json[]): Json[] =>
    blocks.map((block, at) =>
      isJsonObject(block) && spots.some((spot) => spot.list === list && spot.block === at)
        ? { ...block, cache_control: control }
        : block,
    );
  const messages = listOf(body['messages']).map((message, turn) => {
    if (!isJsonObject(message) || !spots.some(({ list }) => list === turn)) return message;
    return { ...message, content: mark(turn, blocksOf(message)) };
  });
  return {
    ...body,
    ...('tools' in body ? { tools: mark('tools', listOf(body['tools'])) } : {}),
    ...('system' in body ? { system: mark('system', listOf(body['system'])) } : {}),
    messages,
  };
}

/** Blocks to mark, in the order of the prompt. */
function spotsOf(body: JsonObject, marks: CacheMarks, marked: readonly (readonly number[])[]): Spot[] {
  const system = listOf(body['system']).length;
  const tools = listOf(body['tools']).length;
  const spots: Spot[] = [];
  if (marks.system && system > 0) spots.push({ list: 'system', block: system - 1 });
  else if (marks.system && tools > 0) spots.push({ list: 'tools', block: tools - 1 });
  listOf(body['messages']).forEach((message, turn) => {
    const blocks = blocksOf(message);
    const wanted = new Set(marked[turn] ?? []);
    if (turn === marks.turns - 1) wanted.add(blocks.length - 1);
    blocks.forEach((block, at) => {
      if (wanted.has(at) && carries(block)) spots.push({ list: turn, block: at });
    });
  });
  return spots;
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** A message's blocks; a plain text is one block. */
function blocksOf(message: Json): readonly Json[] {
  const content = isJsonObject(message) ? message['content'] : undefined;
  return typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content);
}

function carries(block: Json): boolean {
  if (!isJsonObject(block) || block['text'] === '') return false;
  return typeof block['type'] === 'string' && CARRIERS.has(block['type']);
}
