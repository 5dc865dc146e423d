import { z } from 'zod';
import type { ModelInfo } from '../../models/types.js';
import type { Json, JsonObject } from '../../task/json.js';
import { Refused, type Call } from './types.js';

/** A part of a content. */
const partSchema = z.looseObject({ text: z.string().optional(), thought: z.boolean().optional() });

/** A turn, or the instructions. */
export const contentSchema = z.looseObject({
  role: z.string().optional(),
  parts: z.array(partSchema).default([]),
});

const generationConfigSchema = z.looseObject({
  temperature: z.number().min(0).max(2).optional(),
  maxOutputTokens: z.number().int().positive().optional(),
  candidateCount: z.number().int().optional(),
  responseMimeType: z.string().optional(),
  responseSchema: z.record(z.string(), z.unknown()).optional(),
  responseJsonSchema: z.record(z.string(), z.unknown()).optional(),
  presencePenalty: z.number().optional(),
  frequencyPenalty: z.number().optional(),
  thinkingConfig: z
    .looseObject({
      thinkingLevel: z.string().optional(),
      thinkingBudget: z.number().int().optional(),
      includeThoughts: z.boolean().optional(),
    })
    .optional(),
});

/** What is read of `models/M:generateContent`. */
export const generateSchema = z.looseObject({
  contents: z.array(contentSchema).default([]),
  systemInstruction: contentSchema.optional(),
  tools: z.array(z.unknown()).optional(),
  toolConfig: z.unknown().optional(),
  cachedContent: z.string().optional(),
  generationConfig: generationConfigSchema.default({}),
});

/** The body of `models/M:generateContent`. */
export type GenerateBody = z.output<typeof generateSchema>;

const FIELDS: ReadonlySet<string> = new Set([
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'cachedContent',
  'generationConfig',
  'safetySettings',
  'serviceTier',
  'model',
  'labels',
  'store',
]);

const CONFIG_FIELDS: ReadonlySet<string> = new Set([
  'temperature',
  'topP',
  'topK',
  'candidateCount',
  'maxOutputTokens',
  'stopSequences',
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  'thinkingConfig',
  'responseLogprobs',
  'logprobs',
  'responseModalities',
  'mediaResolution',
  'speechConfig',
  'imageConfig',
  'enableEnhancedCivicAnswers',
]);

/** An error body. `status` is Google's own word. */
export function geminiError(code: number, status: string, message: string, details: Json[] = []): Refused {
  return new Refused({
    status: code,
    headers: {},
    body: { error: { code, message, status, ...(details.length === 0 ? {} : { details }) } },
  });
}

/** A 400. */
export function invalidArgument(message: string): Refused {
  return geminiError(400, 'INVALID_ARGUMENT', message);
}

/** Python's and REST's names are both taken: `system_instruction`. */
function camel(body: JsonObject): JsonObject {
  const renamed = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [renamed(name), value]));
}

/** Reads a body or refuses it. */
export function readGenerate(body: JsonObject | null): GenerateBody {
  if (body === null) throw invalidArgument('Invalid JSON payload received. Expected an object.');
  const named = camel(body);
  const unknown = Object.keys(named).find((name) => !FIELDS.has(name));
  if (unknown !== undefined) {
    throw invalidArgument(`Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`);
  }
  const result = generateSchema.safeParse(named);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw invalidArgument(`Invalid value at '${issue?.path.join('.') ?? ''}': ${issue?.message ?? 'not valid'}`);
  }
  const wrong = Object.keys(result.data.generationConfig).find((name) => !CONFIG_FIELDS.has(name));
  if (wrong !== undefined) {
    throw invalidArgument(
      `Invalid JSON payload received. Unknown name "${wrong}" at 'generation_config': Cannot find field.`,
    );
  }
  return result.data;
}

/** Gemini 3.6 and later ignore sampling parameters, but not penalties; those of ours without a temperature are these. */
function checkSampling(body: GenerateBody, info: ModelInfo): void {
  if (info.sampling.kind !== 'none' || !/^gemini-(?:3\.[5-9]|[4-9])/.test(info.ref.model)) return;
  const { presencePenalty, frequencyPenalty } = body.generationConfig;
  if (presencePenalty !== undefined || frequencyPenalty !== undefined) {
    throw invalidArgument(`Penalty is not enabled for models/${info.ref.model}`);
  }
  if (body.contents.at(-1)?.role === 'model') {
    throw invalidArgument('Please ensure that the last content of the request has the role "user".');
  }
}

function checkThinking(body: GenerateBody, info: ModelInfo): void {
  const { thinkingLevel, thinkingBudget } = body.generationConfig.thinkingConfig ?? {};
  const levels = info.effort?.levels;
  if (thinkingLevel !== undefined && levels !== undefined && !levels.includes(thinkingLevel.toLowerCase())) {
    throw invalidArgument(`Thinking level ${thinkingLevel} is not supported for this model.`);
  }
  if (thinkingBudget !== undefined && info.ref.model.startsWith('gemini-4')) {
    throw invalidArgument('Thinking budget is not supported for this model. Use thinking_level instead.');
  }
}

/** Refuses what the real API refuses. */
export function checkGemini(call: Call, body: GenerateBody, info: ModelInfo): void {
  if (body.contents.length === 0) {
    throw invalidArgument('* GenerateContentRequest.contents: contents is not specified\n');
  }
  for (const [i, { parts }] of body.contents.entries()) {
    if (parts.length > 0) continue;
    throw invalidArgument(`* GenerateContentRequest.contents[${i}].parts: contents.parts must not be empty.\n`);
  }
  checkSampling(body, info);
  checkThinking(body, info);
  const { responseSchema, responseJsonSchema, responseMimeType, maxOutputTokens, candidateCount } =
    body.generationConfig;
  if (responseSchema !== undefined && responseJsonSchema !== undefined) {
    throw invalidArgument('Only one of response_schema and response_json_schema can be set.');
  }
  if ((responseSchema ?? responseJsonSchema) !== undefined && responseMimeType !== 'application/json') {
    throw invalidArgument(
      `Function calling config or response schema requires response mimetype 'application/json'; got '${responseMimeType ?? 'text/plain'}'.`,
    );
  }
  if (maxOutputTokens !== undefined && info.maxOutputTokens !== null && maxOutputTokens > info.maxOutputTokens) {
    throw invalidArgument(
      `Unable to submit request because it has a maxOutputTokens value of ${maxOutputTokens} but the supported range is ` +
        `from 1 (inclusive) to ${info.maxOutputTokens + 1} (exclusive). Update the value and try again.`,
    );
  }
  if (candidateCount !== undefined && candidateCount !== 1) {
    throw invalidArgument(`The simulator makes one candidate; ${call.path} asked for ${candidateCount}.`);
  }
  if (body.cachedContent !== undefined && (body.systemInstruction ?? body.tools ?? body.toolConfig) !== undefined) {
    throw invalidArgument(
      'CachedContent can not be used with GenerateContent request setting system_instruction, tools or tool_config.',
    );
  }
}
