import { createHash } from 'node:crypto';
import {
  type Content,
  FunctionCallingConfigMode,
  FunctionResponse,
  type GenerateContentConfig,
  type GenerateContentParameters,
  type Part,
  type ThinkingLevel,
  type Tool,
} from '@google/genai';
import { z } from 'zod';
import type { JsonObject } from '../../task/json.js';
import { isJsonObject } from '../../task/json.js';
import type { ContentPart } from '../../task/spec.js';
import { readMedia } from '../media.js';
import { geminiSchema, withSchemaInstruction } from '../schemas.js';
import { sdkTimeoutMs } from '../transport.js';
import { type AssistantTurn, isOwnCallId, nativeOf, type ToolResult, type Turn } from '../turns.js';
import type { ModelRequest } from '../types.js';

/** A task's parameters go to the SDK as they are: it knows which part of the request each belongs to. */
const configParams = z.custom<GenerateContentConfig>(isJsonObject);

/** Tools as they are in a cache. */
const toolList = z.custom<Tool[]>((value) => Array.isArray(value)).optional();

/** Same for a level: models differ in which they know, and the provider says so. */
const thinkingLevel = z.custom<ThinkingLevel>((value) => typeof value === 'string');

const CALLING = {
  auto: FunctionCallingConfigMode.AUTO,
  none: FunctionCallingConfigMode.NONE,
  required: FunctionCallingConfigMode.ANY,
} as const;

function part(content: ContentPart): Part {
  if (content.type === 'text') return { text: content.text };
  const media = readMedia(content.type, content.url);
  if (media.kind === 'url') return { fileData: { fileUri: media.url, mimeType: media.mediaType } };
  return { inlineData: { mimeType: media.mediaType, data: media.data } };
}

/** Parts go back to the API as it wrote them. */
const partList = z.custom<Part[]>((value) => Array.isArray(value));

function assistant(turn: AssistantTurn): Content {
  const native = nativeOf(turn, 'gemini');
  if (native !== undefined) return { role: 'model', parts: partList.parse(native) };
  const text: Part[] = turn.content === '' ? [] : [{ text: turn.content }];
  return {
    role: 'model',
    parts: [...text, ...turn.toolCalls.map(({ name, arguments: args }) => ({ functionCall: { name, args } }))],
  };
}

function toolResult({ toolCallId, name, content, isError }: ToolResult): Part {
  const response = new FunctionResponse();
  response.name = name;
  response.response = isError === true ? { error: content } : { output: content };
  if (!isOwnCallId(toolCallId)) response.id = toolCallId;
  return { functionResponse: response };
}

function turn(said: Turn): Content {
  if ('toolCalls' in said) return assistant(said);
  if (said.role === 'tool') return { role: 'user', parts: [toolResult(said)] };
  const { role, content } = said;
  const parts = typeof content === 'string' ? [{ text: content }] : content.map(part);
  return { role: role === 'assistant' ? 'model' : 'user', parts };
}

/** Turns in the API's words. Results of tools called together stand in one turn, as the calls did. */
function contents(turns: readonly Turn[]): Content[] {
  const list: Content[] = [];
  turns.forEach((said, i) => {
    const last = list.at(-1);
    if (said.role === 'tool' && turns[i - 1]?.role === 'tool') last?.parts?.push(toolResult(said));
    else list.push(turn(said));
  });
  return list;
}

/** Tools and how they are chosen; empty for a request without. */
function toolConfig({ tools = [], toolChoice }: ModelRequest): GenerateContentConfig {
  if (tools.length === 0) return {};
  const functionDeclarations = tools.map(({ name, description, parameters }) => ({
    name,
    ...(description === undefined ? {} : { description }),
    parametersJsonSchema: parameters,
  }));
  if (toolChoice === undefined) return { tools: [{ functionDeclarations }] };
  const mode = typeof toolChoice === 'object' ? CALLING.required : CALLING[toolChoice];
  const allowed = typeof toolChoice === 'object' ? { allowedFunctionNames: [toolChoice.name] } : {};
  return { tools: [{ functionDeclarations }], toolConfig: { functionCallingConfig: { mode, ...allowed } } };
}

/** How the answer's form is asked for, and the system prompt that goes with it. */
function form(request: ModelRequest): {
  readonly instructions: string | undefined;
  readonly config: GenerateContentConfig;
} {
  const { schema, instructions } = request;
  if (schema === undefined) return { instructions, config: {} };
  const responseMimeType = 'application/json';
  const native: JsonObject | null = geminiSchema(schema);
  if (native !== null) return { instructions, config: { responseMimeType, responseJsonSchema: native } };
  return { instructions: withSchemaInstruction(instructions, schema), config: { responseMimeType } };
}

/** The beginning of a request: all that a cache of it holds, in the API's words. */
export interface GeminiBeginning {
  /** System prompt; undefined = none. */
  readonly systemInstruction: string | undefined;
  /** The task's tools and those of the request. */
  readonly tools: Tool[] | undefined;
  /** Its first turns. */
  readonly contents: Content[];
}

/** The beginning of a request; null for one whose choice of tools a cache can't hold beside them. */
export function geminiBeginning(request: ModelRequest, turns: number): GeminiBeginning | null {
  const own = toolConfig(request);
  const tools = toolList.parse(own.tools ?? request.params['tools']);
  if (own.toolConfig !== undefined || 'toolConfig' in request.params) return null;
  const { instructions } = form(request);
  const systemInstruction = instructions === '' ? undefined : instructions;
  return { systemInstruction, tools, contents: contents(request.messages.slice(0, turns)) };
}

/** Hash of a beginning, for one model. */
export function beginningHash(model: string, beginning: GeminiBeginning): string {
  return createHash('sha256')
    .update(JSON.stringify([model, beginning]))
    .digest('hex');
}

/** The request with its beginning left to the cache it names, if that holds exactly this beginning. */
function leftToCache(request: ModelRequest, whole: GenerateContentParameters): GenerateContentParameters {
  const { explicitCache: cache, model } = request;
  const beginning = cache === undefined ? null : geminiBeginning(request, cache.turns);
  if (cache === undefined || beginning === null || beginningHash(model, beginning) !== cache.hash) return whole;
  return {
    model,
    contents: contents(request.messages.slice(cache.turns)),
    config: { ...withoutBeginning(whole.config), cachedContent: cache.name },
  };
}

function withoutBeginning({ systemInstruction: _instruction, tools: _tools, ...config }: GenerateContentConfig = {}) {
  return config;
}

/** Parameters for `models.generateContent`. Throws `TemperedError` (`input`) for media that is no URL. */
export function geminiRequest(request: ModelRequest): GenerateContentParameters {
  const { params, effort, temperature } = request;
  const { instructions, config } = form(request);
  const given = configParams.parse(params);
  const thinking =
    effort === undefined
      ? {}
      : { thinkingConfig: { ...given.thinkingConfig, thinkingLevel: thinkingLevel.parse(effort.toUpperCase()) } };
  return leftToCache(request, {
    model: request.model,
    contents: contents(request.messages),
    config: {
      ...given,
      ...config,
      ...thinking,
      ...toolConfig(request),
      ...(instructions === undefined || instructions === '' ? {} : { systemInstruction: instructions }),
      ...(temperature === undefined ? {} : { temperature }),
      maxOutputTokens: request.maxOutputTokens,
      httpOptions: { timeout: sdkTimeoutMs(request.timeoutMs) },
      // One call is one request: the SDK would send more by itself.
      automaticContinuation: false,
      automaticFunctionCalling: { disable: true },
    },
  });
}
