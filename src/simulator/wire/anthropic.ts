import type { ModelInfo } from '../../models/types.js';
import type { JsonObject } from '../../task/json.js';
import { isJsonObject, parseJson } from '../../task/json.js';
import { hashOf, hex } from '../hash.js';
import type { PromptBlock } from '../promptCache.js';
import type { QuotaLevel, QuotaState } from '../quota.js';
import { mediaText, textTokens } from '../tokens.js';
import { anthropicError, checkAnthropic, countSchema, messagesSchema, readBody } from './anthropicRules.js';
import type { MessagesBody } from './anthropicRules.js';
import { anthropicEvents } from './events.js';
import { findModel, MODEL_CREATED, modelsOf } from './models.js';
import { anthropicOffer } from './toolRules.js';
import { bearer, bodyObject, header, wholeSeconds } from './types.js';
import type { Answer, Asked, Call, HttpReply, Trouble, Wire } from './types.js';

type Content = MessagesBody['messages'][number]['content'];

function ok(call: Call, body: JsonObject): HttpReply {
  return { status: 200, headers: { 'request-id': call.id }, body };
}

/** Blocks of a content, text as it is, everything else by what it weighs. */
function blocksOf(content: Content): readonly PromptBlock[] {
  if (typeof content === 'string') return [{ text: content }];
  return content.map((block) => {
    const media = block.type === 'image' || block.type === 'document';
    const { cache_control: mark, ...rest } = block;
    const whole = JSON.stringify(rest);
    const text = block.type === 'text' ? (block.text ?? '') : media ? mediaText(hex(hashOf(whole))) : whole;
    return mark === null || mark === undefined ? { text } : { text, breakpoint: mark.ttl ?? '5m' };
  });
}

function textOf(content: Content): string {
  if (typeof content === 'string') return content;
  return content.flatMap((block) => (block.type === 'text' ? [block.text ?? ''] : [])).join('\n\n');
}

/** The schema of `output_config.format`, as JSON. */
function schemaOf(body: MessagesBody): JsonObject | undefined {
  const schema = body.output_config?.format?.schema;
  if (schema === undefined) return undefined;
  const json = parseJson(JSON.stringify(schema));
  return isJsonObject(json) ? json : undefined;
}

/**
 * The prompt in the order of the API's prefixes: tools, system, messages. A schema comes before all of them: it becomes
 * part of the system prompt, and changing it makes earlier cache entries useless.
 */
function promptBlocks(body: MessagesBody, schema: JsonObject | undefined): readonly PromptBlock[] {
  const format = schema === undefined ? [] : [{ text: JSON.stringify(schema) }];
  const tools = (body.tools ?? []).map(({ cache_control: mark, ...tool }): PromptBlock => {
    const text = JSON.stringify(tool);
    return mark === null || mark === undefined ? { text } : { text, breakpoint: mark.ttl ?? '5m' };
  });
  const system = body.system === undefined ? [] : blocksOf(body.system);
  const blocks = [...format, ...tools, ...system, ...body.messages.flatMap(({ content }) => blocksOf(content))];
  const automatic = body.cache_control;
  const last = blocks.at(-1);
  if (automatic === null || automatic === undefined || last === undefined) return blocks;
  return [...blocks.slice(0, -1), { text: last.text, breakpoint: automatic.ttl ?? '5m' }];
}

function modelFor(call: Call, model: string): ModelInfo {
  const info = findModel(call.scenario, 'anthropic', model);
  if (info === null) throw anthropicError(call, 404, 'not_found_error', `model: ${model}`);
  return info;
}

function ask(call: Call, counting: boolean): Asked {
  const body = readBody(call, bodyObject(call.text), counting ? countSchema : messagesSchema);
  const info = modelFor(call, body.model);
  const schema = schemaOf(body);
  checkAnthropic(call, body, info, schema);
  const blocks = promptBlocks(body, schema);
  const tokens = blocks.reduce((sum, { text }) => sum + textTokens(text), 0);
  if (info.contextTokens !== null && tokens > info.contextTokens) {
    const message = `prompt is too long: ${tokens} tokens > ${info.contextTokens} maximum`;
    throw anthropicError(call, 400, 'invalid_request_error', message);
  }
  return {
    provider: call.provider,
    model: body.model,
    info,
    blocks,
    system: body.system === undefined ? '' : textOf(body.system),
    userTexts: body.messages.filter(({ role }) => role === 'user').map(({ content }) => textOf(content)),
    schema,
    offer: anthropicOffer(body, (message) => anthropicError(call, 400, 'invalid_request_error', message)),
    stream: body.stream === true,
    jsonMode: false,
    temperature: body.temperature,
    effort: body.output_config?.effort,
    maxOutputTokens: body.max_tokens,
    caching: 'breakpoints',
    explicitTokens: 0,
  };
}

function supported(yes: boolean): JsonObject {
  return { supported: yes };
}

function modelBody({ ref, effort, structuredOutput, contextTokens, maxOutputTokens }: ModelInfo): JsonObject {
  const levels = ['low', 'medium', 'high', 'xhigh', 'max'];
  const efforts: JsonObject = Object.fromEntries(
    levels.map((level) => [level, supported(effort?.levels.includes(level) === true)]),
  );
  return {
    type: 'model',
    id: ref.model,
    display_name: ref.model,
    created_at: MODEL_CREATED,
    lifecycle: 'active',
    deprecated_at: null,
    retires_at: null,
    line: /^claude-([a-z]+)-/.exec(ref.model)?.[1] ?? null,
    max_input_tokens: contextTokens,
    max_tokens: maxOutputTokens,
    capabilities: {
      batch: supported(false),
      structured_outputs: supported(structuredOutput === true),
      effort: { supported: effort !== null, ...efforts },
      thinking: { supported: effort !== null, types: { adaptive: supported(effort !== null) } },
      image_input: supported(true),
      pdf_input: supported(true),
    },
  };
}

function modelList(call: Call): HttpReply {
  const data = modelsOf(call.scenario, 'anthropic').map(modelBody);
  const ids = modelsOf(call.scenario, 'anthropic').map(({ ref }) => ref.model);
  return ok(call, { data, has_more: false, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null });
}

/** Spending on an answer: the prompt's part that was neither read nor written is what Anthropic calls input. */
function usageBody({ usage }: Answer): JsonObject {
  const { inputTokens, cachedInputTokens, cacheWriteTokens, cacheWrite1hTokens, outputTokens, thinkingTokens } = usage;
  return {
    input_tokens: inputTokens - cachedInputTokens - cacheWriteTokens,
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cachedInputTokens,
    cache_creation: {
      ephemeral_5m_input_tokens: cacheWriteTokens - cacheWrite1hTokens,
      ephemeral_1h_input_tokens: cacheWrite1hTokens,
    },
    output_tokens: outputTokens,
    ...(thinkingTokens === 0 ? {} : { output_tokens_details: { thinking_tokens: thinkingTokens } }),
    service_tier: 'standard',
  };
}

function messageBody(call: Call, asked: Asked, answer: Answer): JsonObject {
  const refused = answer.kind === 'refusal' || answer.kind === 'safety';
  const thinking: JsonObject[] =
    answer.usage.thinkingTokens === 0
      ? []
      : [{ type: 'thinking', thinking: '', signature: Buffer.from(call.id).toString('base64') }];
  const text: JsonObject[] = answer.text === '' || refused ? [] : [{ type: 'text', text: answer.text }];
  const calls = answer.toolCalls.map(({ name, input }, i): JsonObject => ({
    type: 'tool_use',
    id: `toolu_01${call.id.slice(4, 24)}${i}`,
    name,
    input,
  }));
  const category = answer.kind === 'safety' ? 'general_harms' : null;
  return {
    id: `msg_01${call.id.slice(4)}`,
    type: 'message',
    role: 'assistant',
    model: asked.model,
    content: refused ? [] : [...thinking, ...text, ...calls],
    stop_reason: refused ? 'refusal' : answer.truncated ? 'max_tokens' : calls.length > 0 ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    stop_details: refused ? { type: 'refusal', category, explanation: answer.text } : null,
    container: null,
    usage: usageBody(answer),
  };
}

function troubleReply(call: Call, trouble: Trouble, retryAfterMs: number | null): HttpReply {
  switch (trouble) {
    case 'rateLimit': {
      const message = 'This request would exceed the rate limit for your organization. Please try again later.';
      const { reply } = anthropicError(call, 429, 'rate_limit_error', message);
      const hint = retryAfterMs === null ? {} : { 'retry-after': wholeSeconds(retryAfterMs) };
      return { ...reply, headers: { ...reply.headers, 'x-should-retry': 'true', ...hint } };
    }
    case 'overloaded':
      return anthropicError(call, 529, 'overloaded_error', 'Overloaded').reply;
    case 'serverError':
      return anthropicError(call, 500, 'api_error', 'Internal server error').reply;
  }
}

function level(name: string, state: QuotaLevel | null, now: number): Readonly<Record<string, string>> {
  if (state === null) return {};
  const reset = new Date(now + state.resetMs).toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    [`anthropic-ratelimit-${name}-limit`]: String(state.limit),
    [`anthropic-ratelimit-${name}-remaining`]: String(state.remaining),
    [`anthropic-ratelimit-${name}-reset`]: reset,
  };
}

/** Anthropic's Messages API. */
export const anthropicWire: Wire = {
  needsKey: true,
  key: (call) => header(call, 'x-api-key') ?? bearer(call),
  keyRefused: (call, key) => {
    const byHeader = header(call, 'x-api-key') !== undefined;
    const message =
      key === undefined ? 'x-api-key header is required' : byHeader ? 'invalid x-api-key' : 'Invalid bearer token';
    return anthropicError(call, 401, 'authentication_error', message).reply;
  },
  open: (call) => {
    const model = /^\/v1\/models\/([^/]+)$/.exec(call.path)?.[1];
    if (call.method === 'POST' && call.path === '/v1/messages') return ask(call, false);
    if (call.method === 'POST' && call.path === '/v1/messages/count_tokens') {
      const { blocks } = ask(call, true);
      return ok(call, { input_tokens: blocks.reduce((sum, { text }) => sum + textTokens(text), 0) });
    }
    if (call.method === 'GET' && call.path === '/v1/models') return modelList(call);
    if (call.method === 'GET' && model !== undefined) return ok(call, modelBody(modelFor(call, model)));
    throw anthropicError(call, 404, 'not_found_error', `Not found: ${call.method} ${call.path}`);
  },
  answered: (call, asked, answer) => {
    const reply = ok(call, messageBody(call, asked, answer));
    return asked.stream ? { ...reply, events: anthropicEvents(reply.body) } : reply;
  },
  failed: (call, trouble, { retryAfterMs }) => troubleReply(call, trouble, retryAfterMs),
  quotaHeaders: (state: QuotaState, now) => ({
    ...level('requests', state.requests, now),
    ...level('tokens', state.tokens, now),
    ...level('input-tokens', state.inputTokens, now),
    ...level('output-tokens', state.outputTokens, now),
  }),
};
