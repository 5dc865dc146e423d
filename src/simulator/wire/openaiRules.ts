import { z } from 'zod';
import type { ModelInfo } from '../../models/types.js';
import { isJsonObject, type Json, type JsonObject } from '../../task/json.js';
import { Refused, type Call } from './types.js';

/** A part of a message. */
const partSchema = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  prompt_cache_breakpoint: z.looseObject({ mode: z.literal('explicit') }).nullish(),
});

/** What is read of `POST /chat/completions`. */
export const chatSchema = z.looseObject({
  model: z.string().default(''),
  messages: z
    .array(
      z.looseObject({
        role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
        content: z.union([z.string(), z.array(partSchema)]).nullish(),
      }),
    )
    .min(1),
  max_tokens: z.number().int().positive().nullish(),
  max_completion_tokens: z.number().int().positive().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  reasoning_effort: z.string().nullish(),
  stream: z.boolean().nullish(),
  n: z.number().int().nullish(),
  prompt_cache_options: z.looseObject({ mode: z.enum(['implicit', 'explicit']).optional() }).nullish(),
  response_format: z
    .looseObject({
      type: z.string(),
      json_schema: z
        .looseObject({
          name: z.string().optional(),
          strict: z.boolean().nullish(),
          schema: z.record(z.string(), z.unknown()).optional(),
        })
        .optional(),
    })
    .nullish(),
});

/** The body of `POST /chat/completions`. */
export type ChatBody = z.output<typeof chatSchema>;

/** What an error says beside its message. */
export interface ErrorParts {
  /** HTTP status. */
  readonly status: number;
  /** Class; default `invalid_request_error`. */
  readonly type?: string;
  /** The field it is about. */
  readonly param?: string;
  /** The machine's word for it. */
  readonly code?: string;
}

/** An error body. */
export function openaiError(call: Call, message: string, parts: ErrorParts): Refused {
  const { status, type = 'invalid_request_error', param = null, code = null } = parts;
  return new Refused({
    status,
    headers: { 'x-request-id': call.id },
    body: { error: { message, type, param, code } },
  });
}

function invalid(call: Call, message: string, param: string, code?: string): Refused {
  return openaiError(call, message, { status: 400, param, ...(code === undefined ? {} : { code }) });
}

/** Reads a body or refuses it. */
export function readChat(call: Call, body: JsonObject | null): ChatBody {
  if (body === null) {
    const message =
      "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library " +
      'correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)';
    throw openaiError(call, message, { status: 400 });
  }
  const result = chatSchema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const param = issue?.path.join('.') ?? '';
  throw invalid(call, `Invalid value for '${param}': ${issue?.message ?? 'not valid'}`, param);
}

/** GPT-5 and later and the o series think before they answer, and refuse what older models took. */
function reasons(info: ModelInfo): boolean {
  return info.effort !== null || /^(?:o\d|gpt-(?:[5-9]|\d\d))/.test(info.ref.model);
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(', ');
}

function checkParameters(call: Call, body: ChatBody, info: ModelInfo): void {
  const { temperature, reasoning_effort: effort } = body;
  if (!reasons(info)) {
    if (effort !== undefined && effort !== null) {
      throw invalid(call, 'Unrecognized request argument supplied: reasoning_effort', 'reasoning_effort');
    }
    return;
  }
  if (body.max_tokens !== undefined && body.max_tokens !== null) {
    const message =
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    throw invalid(call, message, 'max_tokens', 'unsupported_parameter');
  }
  const levels = info.effort?.levels;
  if (effort !== undefined && effort !== null && levels !== undefined && !levels.includes(effort)) {
    const message = `Unsupported value: 'reasoning_effort' does not support '${effort}' with this model. Supported values are: ${quoted(levels)}.`;
    throw invalid(call, message, 'reasoning_effort', 'unsupported_value');
  }
  const withoutReasoning = (effort ?? info.effort?.standard) === 'none' && info.sampling.kind !== 'none';
  if (temperature !== undefined && temperature !== null && temperature !== 1 && !withoutReasoning) {
    const message = `Unsupported value: 'temperature' does not support ${temperature} with this model. Only the default (1) value is supported.`;
    throw invalid(call, message, 'temperature', 'unsupported_value');
  }
}

/** What strict mode has against a schema; undefined = nothing. */
function strictProblem(schema: Json | undefined, context: readonly string[]): string | undefined {
  if (!isJsonObject(schema)) return undefined;
  const at = `In context=(${context.map((key) => `'${key}'`).join(', ')})`;
  const properties = schema['properties'];
  if (isJsonObject(properties)) {
    if (schema['additionalProperties'] !== false) {
      return `${at}, 'additionalProperties' is required to be supplied and to be false.`;
    }
    const required = schema['required'];
    const missing = Object.keys(properties).find((name) => !Array.isArray(required) || !required.includes(name));
    if (missing !== undefined) {
      return `${at}, 'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`;
    }
  }
  const named = ['properties', '$defs'].flatMap((key) => {
    const inner = schema[key];
    return isJsonObject(inner)
      ? Object.entries(inner).map(([name, value]) => strictProblem(value, [...context, key, name]))
      : [];
  });
  const { items, anyOf } = schema;
  const unions = Array.isArray(anyOf)
    ? anyOf.map((part, i) => strictProblem(part, [...context, 'anyOf', String(i)]))
    : [];
  return [...named, strictProblem(items, [...context, 'items']), ...unions].find((problem) => problem !== undefined);
}

function checkFormat(call: Call, body: ChatBody, schema: JsonObject | undefined): void {
  const format = body.response_format;
  if (format === undefined || format === null) return;
  if (format.type === 'json_object' && !/json/i.test(JSON.stringify(body.messages))) {
    const message =
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.";
    throw invalid(call, message, 'messages');
  }
  if (format.type !== 'json_schema') return;
  const name = format.json_schema?.name;
  if (name === undefined || schema === undefined) {
    const param = `response_format.json_schema${name === undefined ? '.name' : ''}`;
    throw invalid(call, `Missing required parameter: '${param}'.`, param, 'missing_required_parameter');
  }
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    const message = `Invalid 'response_format.json_schema.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`;
    throw invalid(call, message, 'response_format.json_schema.name', 'invalid_value');
  }
  const root =
    schema['type'] === 'object'
      ? undefined
      : `schema must be a JSON Schema of 'type: "object"', got 'type: ${JSON.stringify(schema['type'] ?? 'None')}'.`;
  const problem = root ?? (format.json_schema?.strict === true ? strictProblem(schema, []) : undefined);
  if (problem !== undefined) {
    throw invalid(call, `Invalid schema for response_format '${name}': ${problem}`, 'response_format');
  }
}

/** Refuses what OpenAI itself refuses. */
export function checkOpenai(call: Call, body: ChatBody, info: ModelInfo, schema: JsonObject | undefined): void {
  checkParameters(call, body, info);
  checkFormat(call, body, schema);
}

/** Refuses what LM Studio refuses, in its own form: `error` is a plain text there. */
export function checkLmStudio(body: ChatBody): void {
  const type = body.response_format?.type;
  if (type === undefined || type === 'json_schema' || type === 'text') return;
  throw new Refused({
    status: 400,
    headers: {},
    body: { error: "'response_format.type' must be 'json_schema' or 'text'" },
  });
}

/** Refuses what this simulator can't do. */
export function checkSimulated(call: Call, body: ChatBody): void {
  if (typeof body.n === 'number' && body.n !== 1) throw invalid(call, 'The simulator makes one choice.', 'n');
}
