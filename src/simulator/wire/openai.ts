import { modelInfo } from '../../models/catalog.js';
import type { ModelInfo } from '../../models/types.js';
import type { JsonObject } from '../../task/json.js';
import { isJsonObject, parseJson } from '../../task/json.js';
import { hashOf, hex } from '../hash.js';
import type { PromptBlock } from '../promptCache.js';
import type { QuotaLevel } from '../quota.js';
import { mediaText, textTokens } from '../tokens.js';
import { chatEvents } from './events.js';
import { loadedModel, lmStudioNative, nativeReply } from './lmstudio.js';
import { countsWrites, findModel, MODEL_CREATED, modelsOf, scenarioModels } from './models.js';
import { checkLmStudio, checkOpenai, checkSimulated, openaiError, readChat } from './openaiRules.js';
import type { ChatBody } from './openaiRules.js';
import { chatOffer } from './toolRules.js';
import { bearer, bodyObject, Refused, wholeSeconds } from './types.js';
import type { Answer, Asked, Call, HttpReply, Trouble, Wire } from './types.js';

type Content = ChatBody['messages'][number]['content'];

function ok(call: Call, body: JsonObject): HttpReply {
  return { status: 200, headers: { 'x-request-id': call.id }, body };
}

function textOf(content: Content): string {
  if (typeof content === 'string') return content;
  return (content ?? []).flatMap((part) => (part.type === 'text' ? [part.text ?? ''] : [])).join('\n\n');
}

function blocksOf(content: Content): readonly PromptBlock[] {
  if (typeof content === 'string') return [{ text: content }];
  return (content ?? []).map(({ prompt_cache_breakpoint: mark, ...part }) => {
    const text = part.type === 'text' ? (part.text ?? '') : mediaText(hex(hashOf(JSON.stringify(part))));
    return mark === null || mark === undefined ? { text } : { text, breakpoint: '30m' };
  });
}

function schemaOf(body: ChatBody): JsonObject | undefined {
  const schema = body.response_format?.json_schema?.schema;
  if (schema === undefined) return undefined;
  const json = parseJson(JSON.stringify(schema));
  return isJsonObject(json) ? json : undefined;
}

/** Local servers cache nothing that they tell; the models that charge for writing can be told where to write. */
function cachingOf(call: Call, body: ChatBody, info: ModelInfo): Asked['caching'] {
  if (call.provider !== 'openai') return 'none';
  return countsWrites(info) && body.prompt_cache_options?.mode === 'explicit' ? 'breakpoints' : 'automatic';
}

/** The model that will answer, and what is known of it. */
function modelFor(call: Call, asked: string): ModelInfo {
  const { provider, scenario } = call;
  switch (provider) {
    case 'openai': {
      const info = findModel(scenario, provider, asked);
      if (info !== null) return info;
      const message = `The model \`${asked}\` does not exist or you do not have access to it.`;
      throw openaiError(call, message, { status: 404, code: 'model_not_found' });
    }
    case 'lmstudio':
      return modelInfo({ provider, model: loadedModel(scenario, asked) }, new Date());
    case 'ollama': {
      const pulled = scenarioModels(scenario, provider);
      if (pulled.length > 0 && !pulled.includes(asked)) {
        const message = `model "${asked}" not found, try pulling it first`;
        throw openaiError(call, message, { status: 404, type: 'api_error' });
      }
      return modelInfo({ provider, model: asked }, new Date());
    }
    default:
      return modelInfo({ provider, model: asked }, new Date());
  }
}

function ask(call: Call): Asked {
  const body = readChat(call, bodyObject(call.text));
  const info = modelFor(call, body.model);
  const schema = schemaOf(body);
  checkSimulated(call, body);
  if (call.provider === 'openai') checkOpenai(call, body, info, schema);
  if (call.provider === 'lmstudio') checkLmStudio(body);
  const instructions = body.messages.filter(({ role }) => role === 'system' || role === 'developer');
  // The schema is a prefix of the system message.
  const format = schema === undefined ? [] : [{ text: JSON.stringify(schema) }];
  const tools = body['tools'] === undefined ? [] : [{ text: JSON.stringify(body['tools']) }];
  const said = body.messages.flatMap(({ content, tool_calls: calls }) => [
    ...blocksOf(content),
    ...(calls === undefined ? [] : [{ text: JSON.stringify(calls) }]),
  ]);
  const blocks = [...tools, ...format, ...said];
  const tokens = blocks.reduce((sum, { text }) => sum + textTokens(text), 0);
  if (info.contextTokens !== null && tokens > info.contextTokens) {
    const message =
      `This model's maximum context length is ${info.contextTokens} tokens. However, your messages resulted in ` +
      `${tokens} tokens. Please reduce the length of the messages.`;
    throw openaiError(call, message, { status: 400, param: 'messages', code: 'context_length_exceeded' });
  }
  return {
    provider: call.provider,
    model: info.ref.model,
    info,
    blocks,
    system: instructions.map(({ content }) => textOf(content)).join('\n\n'),
    userTexts: body.messages.filter(({ role }) => role === 'user').map(({ content }) => textOf(content)),
    schema,
    offer: chatOffer(body, (message) => openaiError(call, message, { status: 400, param: 'messages' })),
    stream: body.stream === true,
    jsonMode: body.response_format?.type === 'json_object',
    temperature: body.temperature ?? undefined,
    effort: body.reasoning_effort ?? undefined,
    maxOutputTokens: body.max_completion_tokens ?? body.max_tokens ?? undefined,
    caching: cachingOf(call, body, info),
    explicitTokens: 0,
  };
}

function usageBody(call: Call, { info }: Asked, { usage }: Answer): JsonObject {
  const whole = {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
  };
  // Local servers leave the details out.
  if (call.provider !== 'openai') return whole;
  return {
    ...whole,
    prompt_tokens_details: {
      cached_tokens: usage.cachedInputTokens,
      ...(countsWrites(info) ? { cache_write_tokens: usage.cacheWriteTokens } : {}),
    },
    completion_tokens_details: { reasoning_tokens: usage.thinkingTokens },
  };
}

function completion(call: Call, asked: Asked, answer: Answer): JsonObject {
  const refusal = answer.kind === 'refusal';
  const blocked = answer.kind === 'safety';
  const said = answer.kind === 'text' ? answer.text : '';
  const calls = answer.toolCalls.map(({ name, input }, i): JsonObject => ({
    id: `call_${call.id.slice(4, 24)}${i}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(input) },
  }));
  const ended = calls.length > 0 ? 'tool_calls' : 'stop';
  const reason = blocked ? 'content_filter' : answer.truncated ? 'length' : ended;
  return {
    id: `chatcmpl-${call.id.slice(4)}`,
    object: 'chat.completion',
    created: Math.floor(call.now / 1000),
    model: asked.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: refusal || blocked || calls.length > 0 ? null : said,
          refusal: refusal ? answer.text : null,
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
        },
        logprobs: null,
        finish_reason: reason,
      },
    ],
    usage: usageBody(call, asked, answer),
    ...(call.provider === 'openai' ? { service_tier: 'default', system_fingerprint: null } : {}),
  };
}

function modelBody(id: string, owner: string): JsonObject {
  return { id, object: 'model', created: Date.parse(MODEL_CREATED) / 1000, owned_by: owner };
}

function models(call: Call, one: string | undefined): HttpReply {
  const { provider, scenario } = call;
  if (provider === 'openai') {
    if (one !== undefined) return ok(call, modelBody(modelFor(call, one).ref.model, 'openai'));
    const data = modelsOf(scenario, provider).map(({ ref }) => modelBody(ref.model, 'openai'));
    return ok(call, { object: 'list', data });
  }
  const names =
    provider === 'lmstudio' ? lmStudioNative(scenario).map(({ key }) => key) : scenarioModels(scenario, provider);
  if (one !== undefined) return ok(call, modelBody(one, provider));
  return ok(call, { object: 'list', data: names.map((name) => modelBody(name, provider)) });
}

function troubleReply(call: Call, trouble: Trouble, retryAfterMs: number | null, by: string): HttpReply {
  switch (trouble) {
    case 'rateLimit': {
      const message = `Rate limit reached on ${by} per min. Please try again later.`;
      const { reply } = openaiError(call, message, { status: 429, type: by, code: 'rate_limit_exceeded' });
      const hint =
        retryAfterMs === null
          ? {}
          : { 'retry-after': wholeSeconds(retryAfterMs), 'retry-after-ms': String(Math.ceil(retryAfterMs)) };
      return { ...reply, headers: { ...reply.headers, ...hint } };
    }
    case 'overloaded': {
      const message =
        'The server is currently overloaded with other requests. Sorry about that! Please retry your request.';
      return openaiError(call, message, { status: 503, type: 'server_error' }).reply;
    }
    case 'serverError': {
      const message = 'The server had an error while processing your request. Sorry about that!';
      return openaiError(call, message, { status: 500, type: 'server_error' }).reply;
    }
  }
}

/** `6m0s`, `1.5s`, `20ms`. */
function duration(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(3))}s`;
  return `${Math.floor(ms / 60_000)}m${Math.round((ms % 60_000) / 1000)}s`;
}

function level(name: string, state: QuotaLevel | null): Readonly<Record<string, string>> {
  if (state === null) return {};
  return {
    [`x-ratelimit-limit-${name}`]: String(state.limit),
    [`x-ratelimit-remaining-${name}`]: String(state.remaining),
    [`x-ratelimit-reset-${name}`]: duration(state.resetMs),
  };
}

function open(call: Call): Asked | HttpReply {
  const one = /^\/v1\/models\/(.+)$/.exec(call.path)?.[1];
  const native = call.provider === 'lmstudio' ? nativeReply(call) : null;
  if (native !== null) return native;
  if (call.method === 'POST' && call.path === '/v1/chat/completions') return ask(call);
  if (call.method === 'GET' && (call.path === '/v1/models' || one !== undefined)) return models(call, one);
  const message = `Invalid URL (${call.method} ${call.path})`;
  throw new Refused(openaiError(call, message, { status: 404 }).reply);
}

/** Chat completions: OpenAI itself, and servers that speak like it. */
export function openaiWire(needsKey: boolean): Wire {
  return {
    needsKey,
    key: bearer,
    keyRefused: (call, key) => {
      if (key === undefined) {
        const message =
          "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth " +
          '(i.e. Authorization: Bearer YOUR_KEY).';
        return openaiError(call, message, { status: 401 }).reply;
      }
      const shown = `${key.slice(0, 5)}${'*'.repeat(Math.max(0, key.length - 9))}${key.length > 9 ? key.slice(-4) : ''}`;
      const message = `Incorrect API key provided: ${shown}. You can find your API key at https://platform.openai.com/account/api-keys.`;
      return openaiError(call, message, { status: 401, code: 'invalid_api_key' }).reply;
    },
    open,
    answered: (call, asked, answer) => {
      const reply = ok(call, completion(call, asked, answer));
      if (!asked.stream) return reply;
      const { stream_options: options } = bodyObject(call.text) ?? {};
      return { ...reply, events: chatEvents(reply.body, isJsonObject(options) && options['include_usage'] === true) };
    },
    failed: (call, trouble, { retryAfterMs, refusedBy }) =>
      troubleReply(call, trouble, retryAfterMs, refusedBy ?? 'requests'),
    quotaHeaders: (state) => ({ ...level('requests', state.requests), ...level('tokens', state.tokens) }),
  };
}
