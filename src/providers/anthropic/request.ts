import { type CacheMarks, markedBlocks, marksOf } from '../../caching/breakpoints.js';
import type { JsonObject } from '../../task/json.js';
import { isJsonObject } from '../../task/json.js';
import type { ContentPart } from '../../task/spec.js';
import { readMedia } from '../media.js';
import { withSchemaInstruction } from '../schemas.js';
import { type AssistantTurn, nativeOf, type ToolChoice, type ToolResult, type Turn } from '../turns.js';
import type { ModelRequest } from '../types.js';
import { withBreakpoints } from './breakpoints.js';
import { nativeSchema } from './nativeSchema.js';

/** The last API version that takes sampling parameters; later ones reject them for every model. */
const SAMPLING_API_VERSION = '2023-06-01';

const SAMPLING_PARAMETERS = ['temperature', 'top_p', 'top_k'];

/** A request as it goes to the SDK. */
export interface AnthropicRequest {
  /** The JSON body. */
  readonly body: JsonObject;
  /** Headers beside the SDK's own. */
  readonly headers: Readonly<Record<string, string>>;
}

function mediaSource(part: Extract<ContentPart, { url: string }>): JsonObject {
  const media = readMedia(part.type, part.url);
  if (media.kind === 'url') return { type: 'url', url: media.url };
  return { type: 'base64', media_type: media.mediaType, data: media.data };
}

function contentBlock(part: ContentPart): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
      return { type: 'image', source: mediaSource(part) };
    case 'pdf':
      return { type: 'document', source: mediaSource(part) };
  }
}

function toolResult({ toolCallId, content, isError }: ToolResult): JsonObject {
  return { type: 'tool_result', tool_use_id: toolCallId, content, ...(isError === true ? { is_error: true } : {}) };
}

function assistant(turn: AssistantTurn): JsonObject {
  const text: JsonObject[] = turn.content === '' ? [] : [{ type: 'text', text: turn.content }];
  const calls = turn.toolCalls.map(({ id, name, arguments: input }): JsonObject => ({
    type: 'tool_use',
    id,
    name,
    input,
  }));
  return { role: 'assistant', content: nativeOf(turn, 'anthropic') ?? [...text, ...calls] };
}

function message(turn: Turn): JsonObject {
  if ('toolCalls' in turn) return assistant(turn);
  if (turn.role === 'tool') return { role: 'user', content: [toolResult(turn)] };
  const { role, content } = turn;
  return { role, content: typeof content === 'string' ? content : content.map(contentBlock) };
}

/** Whether a turn stands in the message of the one before: results of tools called together must stand in one. */
function joins(turns: readonly Turn[], i: number): boolean {
  return turns[i]?.role === 'tool' && turns[i - 1]?.role === 'tool';
}

/** Turns in the API's words. */
function messages(turns: readonly Turn[]): JsonObject[] {
  const list: JsonObject[] = [];
  turns.forEach((turn, i) => {
    const content = list.at(-1)?.['content'];
    if (turn.role === 'tool' && joins(turns, i) && Array.isArray(content)) content.push(toolResult(turn));
    else list.push(message(turn));
  });
  return list;
}

/** The body with its breakpoints, which are told by turn, on the messages these stand in. */
function withMarks(body: JsonObject, marks: CacheMarks, { messages: turns, params }: ModelRequest): JsonObject {
  const begins = (i: number) => !joins(turns, i);
  const marked = markedBlocks(turns).filter((_, i) => begins(i));
  const shared = turns.slice(0, marks.turns).filter((_, i) => begins(i)).length;
  return withBreakpoints(body, { ...marks, turns: shared }, params, marked);
}

/** Tools and how they are chosen; empty for a request without. */
function toolFields({ tools = [], toolChoice }: ModelRequest): JsonObject {
  if (tools.length === 0) return {};
  const list = tools.map(({ name, description, parameters }): JsonObject => ({
    name,
    ...(description === undefined ? {} : { description }),
    input_schema: parameters,
  }));
  return { tools: list, ...(toolChoice === undefined ? {} : { tool_choice: choice(toolChoice) }) };
}

function choice(wanted: ToolChoice): JsonObject {
  if (typeof wanted === 'object') return { type: 'tool', name: wanted.name };
  return { type: wanted === 'required' ? 'any' : wanted };
}

/** The system prompt as one block, so that it can carry the cache breakpoint. */
function system(text: string | undefined): JsonObject {
  return text === undefined || text === '' ? {} : { system: [{ type: 'text', text }] };
}

/** A request for `POST /v1/messages`. Throws `TemperedError` (`input`) for media that is no URL. */
export function anthropicRequest(request: ModelRequest): AnthropicRequest {
  const { schema, params, effort } = request;
  const native = schema === undefined ? null : nativeSchema(request.model, schema);
  const asked =
    schema === undefined || native !== null
      ? request.instructions
      : withSchemaInstruction(request.instructions, schema);
  const given = isJsonObject(params['output_config']) ? params['output_config'] : {};
  const output: JsonObject = {
    ...given,
    ...(effort === undefined ? {} : { effort }),
    ...(native === null ? {} : { format: { type: 'json_schema', schema: native } }),
  };
  const body: JsonObject = {
    ...params,
    model: request.model,
    max_tokens: request.maxOutputTokens,
    ...system(asked),
    messages: messages(request.messages),
    ...toolFields(request),
    ...(Object.keys(output).length === 0 ? {} : { output_config: output }),
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
  };
  const samples = SAMPLING_PARAMETERS.some((name) => name in body);
  const marks = marksOf(request);
  return {
    body: marks === undefined ? body : withMarks(body, marks, request),
    headers: samples ? { 'anthropic-version': SAMPLING_API_VERSION } : {},
  };
}
