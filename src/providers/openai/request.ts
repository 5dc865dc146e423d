import { markedBlocks, marksOf } from '../../caching/breakpoints.js';
import { TemperedError } from '../../task/errors.js';
import type { JsonObject } from '../../task/json.js';
import type { ContentPart } from '../../task/spec.js';
import { readMedia } from '../media.js';
import { openaiStrictSchema, schemaName, withoutDialect, withSchemaInstruction } from '../schemas.js';
import type { AssistantTurn, Turn } from '../turns.js';
import type { ModelRequest } from '../types.js';
import { withPromptCache } from './promptCache.js';

/** How servers of the same wire differ in what they take. */
export interface Dialect {
  /** The field that limits the output: OpenAI rejects the old one for newer models, local servers know only that. */
  readonly outputLimit: 'max_completion_tokens' | 'max_tokens';
  /**
   * `strict`: a schema that qualifies is sent rewritten for OpenAI's strict mode, another one unchanged as a hint.
   * `grammar`: the server compiles any schema into a grammar, so it is sent whole.
   */
  readonly schemas: 'strict' | 'grammar';
  /** The server takes OpenAI's own fields about its prompt cache. */
  readonly promptCache: boolean;
}

function block(part: ContentPart): JsonObject {
  if (part.type === 'text') return { type: 'text', text: part.text };
  const media = readMedia(part.type, part.url);
  const url = media.kind === 'url' ? media.url : `data:${media.mediaType};base64,${media.data}`;
  if (part.type === 'image') return { type: 'image_url', image_url: { url } };
  if (media.kind === 'url') {
    throw new TemperedError('input', 'Chat completions take PDFs as data, not by URL.', {
      remedy: 'Download the PDF and give its path in the messages.',
    });
  }
  return { type: 'file', file: { filename: 'document.pdf', file_data: url } };
}

function assistant(turn: AssistantTurn): JsonObject {
  const calls = turn.toolCalls.map(({ id, name, arguments: called }): JsonObject => ({
    id,
    type: 'function',
    function: { name, arguments: JSON.stringify(called) },
  }));
  return {
    role: 'assistant',
    content: turn.content === '' ? null : turn.content,
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

function message(turn: Turn): JsonObject {
  if ('toolCalls' in turn) return assistant(turn);
  if (turn.role === 'tool') return { role: 'tool', tool_call_id: turn.toolCallId, content: turn.content };
  const { role, content } = turn;
  return { role, content: typeof content === 'string' ? content : content.map(block) };
}

/** Tools and how they are chosen; empty for a request without. */
function toolFields({ tools = [], toolChoice }: ModelRequest): JsonObject {
  if (tools.length === 0) return {};
  const list = tools.map(({ name, description, parameters }): JsonObject => ({
    type: 'function',
    function: { name, ...(description === undefined ? {} : { description }), parameters },
  }));
  if (toolChoice === undefined) return { tools: list };
  const wanted =
    typeof toolChoice === 'object' ? { type: 'function', function: { name: toolChoice.name } } : toolChoice;
  return { tools: list, tool_choice: wanted };
}

/** `response_format`, or null when the schema has to go into the instructions. */
function responseFormat(schema: JsonObject, dialect: Dialect): JsonObject | null {
  const name = schemaName(schema);
  const format = (content: JsonObject, strict: boolean): JsonObject => ({
    response_format: { type: 'json_schema', json_schema: { name, schema: content, strict } },
  });
  if (dialect.schemas === 'grammar') return format(withoutDialect(schema), true);
  const strict = openaiStrictSchema(schema);
  if (strict !== null) return format(strict, true);
  // The root must be an object, strict or not.
  return schema['type'] === 'object' ? format(withoutDialect(schema), false) : null;
}

/** A body for `POST /chat/completions`. Throws `TemperedError` (`input`) for media the API cannot carry. */
export function chatRequest(request: ModelRequest, dialect: Dialect): JsonObject {
  const { schema, params, temperature, effort, instructions } = request;
  const format = schema === undefined ? null : responseFormat(schema, dialect);
  const system = schema === undefined || format !== null ? instructions : withSchemaInstruction(instructions, schema);
  const limited = 'max_tokens' in params || 'max_completion_tokens' in params;
  const body: JsonObject = {
    ...params,
    model: request.model,
    messages: [
      ...(system === undefined || system === '' ? [] : [{ role: 'system', content: system }]),
      ...request.messages.map(message),
    ],
    ...toolFields(request),
    ...(limited ? {} : { [dialect.outputLimit]: request.maxOutputTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(effort === undefined ? {} : { reasoning_effort: effort }),
    ...(format ?? {}),
  };
  const marks = dialect.promptCache ? marksOf(request) : undefined;
  if (marks === undefined) return body;
  return withPromptCache(body, request.model, marks, markedBlocks(request.messages));
}
