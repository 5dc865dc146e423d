import type { ModelInfo } from '../../models/types.js';
import { isJsonObject, parseJson, type Json, type JsonObject } from '../../task/json.js';
import { hashOf, hex } from '../hash.js';
import type { PromptBlock } from '../promptCache.js';
import { mediaText, textTokens } from '../tokens.js';
import { GeminiCaches, partsText } from './geminiCaches.js';
import { checkGemini, geminiError, invalidArgument, readGenerate } from './geminiRules.js';
import type { GenerateBody } from './geminiRules.js';
import { geminiEvents } from './events.js';
import { findModel, modelsOf } from './models.js';
import { geminiOffer } from './toolRules.js';
import { bodyObject, header } from './types.js';
import type { Answer, Asked, Call, HttpReply, Trouble, Wire } from './types.js';

/** Comes with every call and has to go back with it. */
const SIGNATURE = Buffer.from('simulated thought').toString('base64');

const CATEGORIES = ['HARASSMENT', 'HATE_SPEECH', 'SEXUALLY_EXPLICIT', 'DANGEROUS_CONTENT'];

function ok(body: JsonObject): HttpReply {
  return { status: 200, headers: {}, body };
}

function blocksOf(content: GenerateBody['contents'][number] | undefined): readonly PromptBlock[] {
  return (content?.parts ?? []).map((part) => ({ text: part.text ?? mediaText(hex(hashOf(JSON.stringify(part)))) }));
}

function schemaOf({ generationConfig }: GenerateBody): JsonObject | undefined {
  const schema = generationConfig.responseJsonSchema ?? generationConfig.responseSchema;
  if (schema === undefined) return undefined;
  const json = parseJson(JSON.stringify(schema));
  return isJsonObject(json) ? json : undefined;
}

function modelFor(call: Call, model: string): ModelInfo {
  const info = findModel(call.scenario, 'gemini', model);
  if (info !== null) return info;
  const version = call.path.split('/')[1] ?? '';
  throw geminiError(
    404,
    'NOT_FOUND',
    `models/${model} is not found for API version ${version}, or is not supported for generateContent. Call ListModels ` +
      'to see the list of available models and their supported methods.',
  );
}

function ask(call: Call, model: string, caches: GeminiCaches, stream: boolean): Asked {
  const body = readGenerate(bodyObject(call.text));
  const info = modelFor(call, model);
  checkGemini(call, body, info);
  const cache = body.cachedContent === undefined ? undefined : caches.use(body.cachedContent, model, call.now);
  const schema = schemaOf(body);
  const { generationConfig: config } = body;
  const tools = body.tools === undefined ? [] : [{ text: JSON.stringify(body.tools) }];
  const blocks = [
    ...(cache?.blocks ?? []),
    // Counted with the prompt; where Google puts it is not documented.
    ...(schema === undefined ? [] : [{ text: JSON.stringify(schema) }]),
    ...tools,
    ...blocksOf(body.systemInstruction),
    ...body.contents.flatMap(blocksOf),
  ];
  const tokens = blocks.reduce((sum, { text }) => sum + textTokens(text), 0);
  if (info.contextTokens !== null && tokens > info.contextTokens) {
    throw invalidArgument(
      `The input token count (${tokens}) exceeds the maximum number of tokens allowed (${info.contextTokens}).`,
    );
  }
  return {
    provider: call.provider,
    model,
    info,
    blocks,
    system: [cache?.system ?? '', partsText(body.systemInstruction)].filter((text) => text !== '').join('\n\n'),
    userTexts: body.contents.filter(({ role }) => role !== 'model').map(partsText),
    schema,
    offer: geminiOffer(body, info.effort !== null, invalidArgument),
    stream,
    jsonMode: schema === undefined && config.responseMimeType === 'application/json',
    temperature: info.sampling.kind === 'none' ? undefined : config.temperature,
    effort: config.thinkingConfig?.thinkingLevel?.toLowerCase(),
    maxOutputTokens: config.maxOutputTokens,
    caching: 'automatic',
    explicitTokens: cache?.tokens ?? 0,
  };
}

function modelBody({ ref, contextTokens, maxOutputTokens }: ModelInfo): JsonObject {
  return {
    name: `models/${ref.model}`,
    version: '001',
    displayName: ref.model,
    inputTokenLimit: contextTokens,
    outputTokenLimit: maxOutputTokens,
    supportedGenerationMethods: ['generateContent', 'countTokens', 'createCachedContent'],
  };
}

/** One category stands out: what is blocked, or what a prompt with the word `dangerous` is answered. */
function ratings(probability: 'NEGLIGIBLE' | 'MEDIUM' | 'HIGH'): JsonObject[] {
  return CATEGORIES.map((category, i) => ({
    category: `HARM_CATEGORY_${category}`,
    probability: i === 3 ? probability : 'NEGLIGIBLE',
    ...(probability === 'HIGH' && i === 3 ? { blocked: true } : {}),
  }));
}

function usageBody({ usage }: Answer): JsonObject {
  const { inputTokens, cachedInputTokens, outputTokens, thinkingTokens } = usage;
  const spoken = outputTokens - thinkingTokens;
  const details = (tokenCount: number): Json[] => [{ modality: 'TEXT', tokenCount }];
  return {
    promptTokenCount: inputTokens,
    ...(spoken === 0 ? {} : { candidatesTokenCount: spoken }),
    ...(thinkingTokens === 0 ? {} : { thoughtsTokenCount: thinkingTokens }),
    ...(cachedInputTokens === 0
      ? {}
      : { cachedContentTokenCount: cachedInputTokens, cacheTokensDetails: details(cachedInputTokens) }),
    totalTokenCount: inputTokens + outputTokens,
    promptTokensDetails: details(inputTokens),
    serviceTier: 'standard',
  };
}

function isRisky({ userTexts }: Asked): boolean {
  return /\bdangerous\b/i.test(userTexts.at(-1) ?? '');
}

function candidate(answer: Answer, risky: boolean): JsonObject {
  const calls = answer.toolCalls.map(({ name, input }): JsonObject => ({
    functionCall: { name, args: input },
    thoughtSignature: SIGNATURE,
  }));
  const parts = answer.text === '' || answer.kind === 'refusal' ? calls : [{ text: answer.text }];
  const content: JsonObject = parts.length === 0 ? { role: 'model' } : { role: 'model', parts };
  const refused = answer.kind === 'refusal';
  return {
    content: refused ? {} : content,
    finishReason: refused ? 'PROHIBITED_CONTENT' : answer.truncated ? 'MAX_TOKENS' : 'STOP',
    ...(refused ? { finishMessage: answer.text } : {}),
    index: 0,
    safetyRatings: ratings(risky ? 'MEDIUM' : 'NEGLIGIBLE'),
  };
}

function generated(call: Call, asked: Asked, answer: Answer): JsonObject {
  const blocked = answer.kind === 'safety';
  return {
    ...(blocked
      ? { promptFeedback: { blockReason: 'SAFETY', safetyRatings: ratings('HIGH') } }
      : { candidates: [candidate(answer, isRisky(asked))] }),
    usageMetadata: usageBody(answer),
    modelVersion: asked.model,
    responseId: call.id.slice(4),
  };
}

/** `34.4s`, as protocol buffers write durations. */
function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(3))}s`;
}

function troubleReply(trouble: Trouble, retryAfterMs: number | null, by: string | null | undefined): HttpReply {
  switch (trouble) {
    case 'rateLimit': {
      const quota =
        by === 'tokens' ? 'GenerateContentInputTokensPerModelPerMinute' : 'GenerateRequestsPerMinutePerProjectPerModel';
      const failure = { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaId: quota }] };
      const retry =
        retryAfterMs === null
          ? []
          : [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: seconds(retryAfterMs) }];
      const message =
        'You exceeded your current quota, please check your plan and billing details.' +
        (retryAfterMs === null ? '' : ` Please retry in ${seconds(retryAfterMs)}.`);
      return geminiError(429, 'RESOURCE_EXHAUSTED', message, [failure, ...retry]).reply;
    }
    case 'overloaded':
      return geminiError(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.').reply;
    case 'serverError':
      return geminiError(500, 'INTERNAL', 'An internal error has occurred. Please retry or report it.').reply;
  }
}

function open(call: Call, caches: GeminiCaches): Asked | HttpReply {
  const path = /^\/v1(?:beta)?(\/.*)$/.exec(call.path)?.[1] ?? '';
  const [, model = '', action] = /^\/models\/([^/:]+)(?::(\w+))?$/.exec(path) ?? [];
  const cache = /^\/(cachedContents\/[^/]+)$/.exec(path)?.[1];
  const find = (name: string): ModelInfo => modelFor(call, name);
  if (call.method === 'POST' && (action === 'generateContent' || action === 'streamGenerateContent')) {
    return ask(call, model, caches, action === 'streamGenerateContent');
  }
  if (call.method === 'POST' && action === 'countTokens') {
    const body = bodyObject(call.text);
    const inner = body?.['generateContentRequest'];
    const { contents, systemInstruction } = readGenerate(isJsonObject(inner) ? inner : body);
    find(model);
    const blocks = [...blocksOf(systemInstruction), ...contents.flatMap(blocksOf)];
    return ok({ totalTokens: blocks.reduce((sum, { text }) => sum + textTokens(text), 0) });
  }
  if (call.method === 'GET' && path === '/models')
    return ok({ models: modelsOf(call.scenario, 'gemini').map(modelBody) });
  if (call.method === 'GET' && model !== '' && action === undefined) return ok(modelBody(find(model)));
  if (path === '/cachedContents' && call.method === 'GET') return caches.list(call.now);
  if (path === '/cachedContents' && call.method === 'POST')
    return caches.create(call, bodyObject(call.text) ?? {}, find);
  if (cache !== undefined) return caches.one(call, cache, bodyObject(call.text));
  throw geminiError(404, 'NOT_FOUND', `The simulator has no ${call.method} ${call.path}.`);
}

/** The Gemini Developer API. Each wire has its own explicit caches. */
export function geminiWire(): Wire {
  const caches = new GeminiCaches();
  return {
    needsKey: true,
    key: (call) => header(call, 'x-goog-api-key') ?? call.query.get('key') ?? undefined,
    keyRefused: (_call, key) => {
      if (key === undefined) {
        const message =
          "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or " +
          'other form of API consumer identity to call this API.';
        return geminiError(403, 'PERMISSION_DENIED', message).reply;
      }
      return geminiError(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'API_KEY_INVALID',
          domain: 'googleapis.com',
          metadata: { service: 'generativelanguage.googleapis.com' },
        },
      ]).reply;
    },
    open: (call) => open(call, caches),
    answered: (call, asked, answer) => {
      const reply = ok(generated(call, asked, answer));
      return asked.stream ? { ...reply, events: geminiEvents(reply.body) } : reply;
    },
    failed: (_call, trouble, { retryAfterMs, refusedBy }) => troubleReply(trouble, retryAfterMs, refusedBy),
    // Google tells no quotas.
    quotaHeaders: () => ({}),
  };
}
