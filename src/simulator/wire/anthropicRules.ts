import { z } from 'zod';
import type { ModelInfo } from '../../models/types.js';
import { isJsonObject, type Json, type JsonObject } from '../../task/json.js';
import { Refused, type Call } from './types.js';

/** From this version on sampling parameters are refused for every model. */
const NO_SAMPLING_SINCE = '2026-10-21';

const MOST_BREAKPOINTS = 4;

const FIELDS: ReadonlySet<string> = new Set([
  'model',
  'max_tokens',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'stop_sequences',
  'thinking',
  'output_config',
  'cache_control',
  'diagnostics',
  'inference_geo',
  'metadata',
  'service_tier',
  'speed',
  'container',
  'stream',
  'temperature',
  'top_p',
  'top_k',
  'mcp_servers',
  'context_management',
]);

const cacheControl = z.strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() }).nullable();

/** A content block; fields of other types than text are kept for their size. */
const blockSchema = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  cache_control: cacheControl.optional(),
});

const messageSchema = z.looseObject({
  role: z.enum(['user', 'assistant', 'system']),
  content: z.union([z.string(), z.array(blockSchema)]),
});

/** What is read of `POST /v1/messages`. */
export const messagesSchema = z.looseObject({
  model: z.string(),
  max_tokens: z.number().int().min(0),
  messages: z.array(messageSchema),
  system: z.union([z.string(), z.array(blockSchema)]).optional(),
  tools: z.array(z.looseObject({ name: z.string(), cache_control: cacheControl.optional() })).optional(),
  output_config: z
    .looseObject({
      effort: z.string().optional(),
      format: z.looseObject({ type: z.literal('json_schema'), schema: z.record(z.string(), z.unknown()) }).optional(),
    })
    .optional(),
  cache_control: cacheControl.optional(),
  temperature: z.number().optional(),
  stream: z.boolean().optional(),
});

/** The body of `POST /v1/messages`. */
export type MessagesBody = z.output<typeof messagesSchema>;

/** Counting needs no output cap. */
export const countSchema = messagesSchema.extend({ max_tokens: z.number().int().min(0).default(0) });

/** An error body. */
export function anthropicError(call: Call, status: number, type: string, message: string): Refused {
  return new Refused({
    status,
    headers: { 'request-id': call.id },
    body: { type: 'error', error: { type, message }, request_id: call.id },
  });
}

function invalid(call: Call, message: string): Refused {
  return anthropicError(call, 400, 'invalid_request_error', message);
}

/** Reads a body, or refuses it in the API's words: `max_tokens: Field required`. */
export function readBody(call: Call, body: JsonObject | null, schema: z.ZodType<MessagesBody>): MessagesBody {
  if (body === null) throw invalid(call, 'The request body is not valid JSON: expected an object');
  const unknown = Object.keys(body).find((name) => !FIELDS.has(name));
  if (unknown !== undefined) throw invalid(call, `${unknown}: Extra inputs are not permitted`);
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.join('.') ?? '';
  const missing = issue?.code === 'invalid_type' && issue.input === undefined && issue.message.includes('undefined');
  throw invalid(call, `${path}: ${missing ? 'Field required' : (issue?.message ?? 'Input is not valid')}`);
}

function checkSampling(call: Call, body: MessagesBody, info: ModelInfo): void {
  const version = call.headers['anthropic-version'];
  if (typeof version !== 'string') throw invalid(call, 'anthropic-version: header is required');
  const sent = ['temperature', 'top_p', 'top_k'].filter((name) => body[name] !== undefined);
  const [first] = sent;
  if (first === undefined) return;
  if (version >= NO_SAMPLING_SINCE) throw invalid(call, `${first}: Extra inputs are not permitted`);
  const { temperature } = body;
  if (info.sampling.kind === 'none') {
    const refused = sent.find((name) => name !== 'temperature' || temperature !== 1);
    if (refused !== undefined) throw invalid(call, `\`${refused}\` is deprecated for this model.`);
  }
  if (temperature !== undefined && (temperature < 0 || temperature > 1))
    throw invalid(call, 'temperature: range: 0..1');
}

interface Marked {
  readonly place: string;
  readonly type: string;
  readonly text: string | undefined;
  readonly ttl: '5m' | '1h';
}

/** Every cache breakpoint, in the order of the prompt. */
function breakpoints(body: MessagesBody): readonly Marked[] {
  const blocks = (place: string, content: string | readonly z.output<typeof blockSchema>[] | undefined) =>
    typeof content === 'string' || content === undefined
      ? []
      : content.map((block, i) => ({
          place: `${place}.${i}`,
          type: block.type,
          text: block.text,
          mark: block.cache_control,
        }));
  const tools = (body.tools ?? []).map((tool, i) => ({
    place: `tools.${i}`,
    type: 'tool',
    text: undefined,
    mark: tool.cache_control,
  }));
  const all = [
    ...tools,
    ...blocks('system', body.system),
    ...body.messages.flatMap(({ content }, i) => blocks(`messages.${i}.content`, content)),
    { place: 'request', type: 'request', text: undefined, mark: body.cache_control },
  ];
  return all.flatMap(({ mark, ...rest }) =>
    mark === null || mark === undefined ? [] : [{ ...rest, ttl: mark.ttl ?? '5m' }],
  );
}

function checkCaching(call: Call, body: MessagesBody): void {
  const misplaced = body.messages.findIndex((message) => 'cache_control' in message);
  if (misplaced >= 0) throw invalid(call, `messages.${misplaced}.cache_control: Extra inputs are not permitted`);
  const marked = breakpoints(body);
  if (marked.length > MOST_BREAKPOINTS) {
    throw invalid(
      call,
      `A maximum of ${MOST_BREAKPOINTS} blocks with cache_control may be provided. Found ${marked.length}.`,
    );
  }
  for (const { place, type, text } of marked) {
    if (type === 'thinking' || type === 'redacted_thinking') {
      throw invalid(call, `${place}.${type}.cache_control: Extra inputs are not permitted`);
    }
    if (type === 'text' && text === '') {
      throw invalid(call, `${place}.text: cache_control cannot be set for empty text blocks`);
    }
  }
  const late = marked.findIndex(
    ({ ttl }, i) => ttl === '1h' && marked.slice(0, i).some((earlier) => earlier.ttl === '5m'),
  );
  if (late >= 0) {
    throw invalid(
      call,
      `${marked[late]?.place ?? ''}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' ` +
        'cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.',
    );
  }
}

function checkMessages(call: Call, body: MessagesBody, info: ModelInfo): void {
  if (body.messages.length === 0) throw invalid(call, 'messages: at least one message is required');
  const newest = String(call.headers['anthropic-version']) >= NO_SAMPLING_SINCE;
  for (const [i, { role, content }] of body.messages.entries()) {
    const last = i === body.messages.length - 1;
    if (content.length === 0 && !(last && role === 'assistant')) {
      throw invalid(call, `messages.${i}: user messages must have non-empty content`);
    }
    if (typeof content === 'string') continue;
    for (const block of content) {
      if (block.type === 'text' && (block.text ?? '') === '') {
        throw invalid(call, 'messages: text content blocks must be non-empty');
      }
      if (newest && role === 'assistant' && block.type === 'document') {
        throw invalid(call, `messages.${i}.content: document blocks are not permitted in assistant messages`);
      }
      if (
        newest &&
        role === 'user' &&
        block.type === 'text' &&
        Array.isArray(block['citations']) &&
        block['citations'].length > 0
      ) {
        throw invalid(call, `messages.${i}.content: citations are not permitted on user text blocks`);
      }
    }
  }
  if (body.messages.at(-1)?.role === 'assistant' && info.sampling.kind === 'none') {
    throw invalid(
      call,
      'This model does not support assistant message prefill. The conversation must end with a user message.',
    );
  }
}

/** Keywords that structured output does not know, by type; helpers of the SDK move them into descriptions. */
const UNSUPPORTED: Readonly<Record<string, readonly string[]>> = {
  string: ['minLength', 'maxLength'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  array: ['maxItems', 'uniqueItems'],
};

/** What structured output has against a schema; undefined = nothing. */
function schemaProblem(schema: Json | undefined): string | undefined {
  if (Array.isArray(schema)) return schema.map(schemaProblem).find((problem) => problem !== undefined);
  if (!isJsonObject(schema)) return undefined;
  const types = [schema['type']].flat().filter((type) => typeof type === 'string');
  if (types.includes('object') && schema['additionalProperties'] !== false) {
    return "For 'object' type, 'additionalProperties' must be explicitly set to false";
  }
  for (const type of types) {
    const bad = (UNSUPPORTED[type] ?? []).filter((keyword) => schema[keyword] !== undefined);
    if (bad.length > 0) return `For '${type}' type, properties ${bad.join(', ')} are not supported`;
  }
  const least = schema['minItems'];
  if (typeof least === 'number' && least > 1)
    return "For 'array' type, 'minItems' values other than 0 or 1 are not supported";
  const named = ['properties', '$defs', 'definitions'].flatMap((key) => {
    const inner = schema[key];
    return isJsonObject(inner) ? Object.values(inner) : [];
  });
  const unions = ['items', 'anyOf', 'allOf'].flatMap((key) => schema[key] ?? []);
  return [...named, ...unions].map(schemaProblem).find((problem) => problem !== undefined);
}

/** Refuses what the real API refuses. */
export function checkAnthropic(call: Call, body: MessagesBody, info: ModelInfo, schema: JsonObject | undefined): void {
  checkSampling(call, body, info);
  checkMessages(call, body, info);
  checkCaching(call, body);
  const most = info.maxOutputTokens;
  if (most !== null && body.max_tokens > most) {
    const model = info.ref.model;
    throw invalid(
      call,
      `max_tokens: ${body.max_tokens} > ${most}, which is the maximum allowed number of output tokens for ${model}`,
    );
  }
  const effort = body.output_config?.effort;
  if (effort !== undefined && info.effort !== null && !info.effort.levels.includes(effort)) {
    throw invalid(
      call,
      `output_config.effort: Input should be ${info.effort.levels.map((level) => `'${level}'`).join(', ')}`,
    );
  }
  const problem = schemaProblem(schema);
  if (problem !== undefined) throw invalid(call, `output_config.format.schema: ${problem}`);
}
