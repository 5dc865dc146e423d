import type { Content, GenerateContentConfig, GenerateContentParameters, Part, ThinkingLevel } from '@google/genai';
import { z } from 'zod';
import type { JsonObject } from '../../task/json.js';
import { isJsonObject } from '../../task/json.js';
import type { ContentPart, Message } from '../../task/spec.js';
import { readMedia } from '../media.js';
import { geminiSchema, withSchemaInstruction } from '../schemas.js';
import { sdkTimeoutMs } from '../transport.js';
import type { ModelRequest } from '../types.js';

/** A task's parameters go to the SDK as they are: it knows which part of the request each belongs to. */
const configParams = z.custom<GenerateContentConfig>(isJsonObject);

/** Same for a level: models differ in which they know, and the provider says so. */
const thinkingLevel = z.custom<ThinkingLevel>((value) => typeof value === 'string');

function part(content: ContentPart): Part {
  if (content.type === 'text') return { text: content.text };
  const media = readMedia(content.type, content.url);
  if (media.kind === 'url') return { fileData: { fileUri: media.url, mimeType: media.mediaType } };
  return { inlineData: { mimeType: media.mediaType, data: media.data } };
}

function turn({ role, content }: Message): Content {
  const parts = typeof content === 'string' ? [{ text: content }] : content.map(part);
  return { role: role === 'assistant' ? 'model' : 'user', parts };
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

/** Parameters for `models.generateContent`. Throws `TemperedError` (`input`) for media that is no URL. */
export function geminiRequest(request: ModelRequest, signal: AbortSignal): GenerateContentParameters {
  const { params, effort, temperature } = request;
  const { instructions, config } = form(request);
  const given = configParams.parse(params);
  const thinking =
    effort === undefined
      ? {}
      : { thinkingConfig: { ...given.thinkingConfig, thinkingLevel: thinkingLevel.parse(effort.toUpperCase()) } };
  return {
    model: request.model,
    contents: request.messages.map(turn),
    config: {
      ...given,
      ...config,
      ...thinking,
      ...(instructions === undefined || instructions === '' ? {} : { systemInstruction: instructions }),
      ...(temperature === undefined ? {} : { temperature }),
      maxOutputTokens: request.maxOutputTokens,
      abortSignal: signal,
      httpOptions: { timeout: sdkTimeoutMs(request.timeoutMs) },
      // One call is one request: the SDK would send more by itself.
      automaticContinuation: false,
      automaticFunctionCalling: { disable: true },
    },
  };
}
