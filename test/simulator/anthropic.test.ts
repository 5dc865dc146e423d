import Anthropic from '@anthropic-ai/sdk';
import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema';
import type { JsonObject } from '../../src/task/json.js';
import type { Simulator } from '../../src/simulator/index.js';
import { ANSWER, askAnthropic, at, matching, RECORD, SCHEMA, send, simulate, stopAll, textAt } from './wire.js';

afterAll(stopAll);

const NEW = { 'x-api-key': 'k', 'anthropic-version': '2026-10-21' };
const OLD = { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' };

function client(simulator: Simulator, apiKey = 'sim-key'): Anthropic {
  return new Anthropic({ apiKey, baseURL: `${simulator.url}/anthropic`, maxRetries: 0, timeout: 10_000 });
}

describe('a message', () => {
  it('has the shape of the API', async () => {
    const { url } = await simulate();
    const { status, body, headers } = await askAnthropic(url);
    expect(status).toBe(200);
    expect(headers.get('request-id')).toMatch(/^req_/);
    expect(body).toEqual({
      id: matching(/^msg_/),
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-6',
      content: [{ type: 'text', text: JSON.stringify(ANSWER) }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      stop_details: null,
      container: null,
      usage: {
        input_tokens: Math.ceil(JSON.stringify(SCHEMA).length / 4) + Math.ceil(RECORD.length / 4),
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
        output_tokens: Math.ceil(JSON.stringify(ANSWER).length / 4),
        service_tier: 'standard',
      },
    });
  });

  it('is understood by the official SDK, with a key as a bearer token', async () => {
    const simulator = await simulate();
    const message = await client(simulator).messages.parse({
      model: 'claude-opus-5',
      max_tokens: 1000,
      system: 'Read the mail.',
      messages: [{ role: 'user', content: RECORD }],
      output_config: {
        effort: 'high',
        format: jsonSchemaOutputFormat({
          type: 'object',
          properties: { email: { type: 'string' }, subject: { type: 'string', maxLength: 9 } },
          required: ['email', 'subject'],
          additionalProperties: false,
        }),
      },
    });
    expect(message.parsed_output).toEqual({ email: 'J.Maier@example.de', subject: 'Wrong…' });
    expect(message.content.map(({ type }) => type)).toEqual(['thinking', 'text']);
    const thinking = message.usage.output_tokens_details?.thinking_tokens ?? 0;
    expect(thinking).toBeGreaterThan(0);
    expect(message.usage.output_tokens).toBeGreaterThan(thinking);
  });

  it('answers with text where there is no schema, and stops at the cap', async () => {
    const { url } = await simulate();
    const whole = await askAnthropic(url, { output_config: {} });
    expect(textAt(whole.body, 'content', 0, 'text')).toContain('You charged my card twice');
    const cut = await askAnthropic(url, { max_tokens: 5 });
    expect(cut.body).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 5 } });
    expect(textAt(cut.body, 'content', 0, 'text')).toHaveLength(20);
  });

  it('counts tokens and lists models', async () => {
    const simulator = await simulate({ models: ['anthropic/claude-test-9'] });
    const counted = await client(simulator).messages.countTokens({
      model: 'claude-sonnet-4-6',
      messages: [{ role: 'user', content: 'x'.repeat(400) }],
    });
    expect(counted.input_tokens).toBe(100);
    const { data } = await client(simulator).models.list();
    expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(['claude-opus-5', 'claude-test-9']));
    const model = await client(simulator).models.retrieve('claude-sonnet-4-6');
    expect(model).toMatchObject({ type: 'model', max_input_tokens: 1_000_000, lifecycle: 'active' });
    expect(simulator.totals().requests).toBe(0);
  });
});

describe('the API refuses', () => {
  let url = '';
  beforeAll(async () => {
    ({ url } = await simulate());
  });

  const breakpoint: JsonObject = { type: 'ephemeral' };
  const block = (text: string): JsonObject => ({ type: 'text', text, cache_control: breakpoint });
  const cases: readonly [string, JsonObject, Record<string, string>, string][] = [
    ['a temperature since 2026-10-21', { temperature: 1 }, NEW, 'temperature: Extra inputs are not permitted'],
    ['top_k since 2026-10-21', { top_k: 3 }, NEW, 'top_k: Extra inputs are not permitted'],
    [
      'a temperature of the newest models in the old version',
      { model: 'claude-opus-4-8', temperature: 0.2 },
      OLD,
      '`temperature` is deprecated for this model.',
    ],
    ['top_p of the newest models', { model: 'claude-opus-5', top_p: 1 }, OLD, '`top_p` is deprecated for this model.'],
    ['a temperature above 1', { temperature: 1.5 }, OLD, 'temperature: range: 0..1'],
    ['no version', {}, { 'x-api-key': 'k' }, 'anthropic-version: header is required'],
    ['an unknown field', { max_token: 5 }, NEW, 'max_token: Extra inputs are not permitted'],
    [
      'too large a cap',
      { max_tokens: 999_999 },
      NEW,
      'max_tokens: 999999 > 128000, which is the maximum allowed number of output tokens for claude-sonnet-4-6',
    ],
    [
      'more than four breakpoints',
      { system: [1, 2, 3, 4, 5].map((n) => block(`text ${n}`)) },
      NEW,
      'A maximum of 4 blocks with cache_control may be provided. Found 5.',
    ],
    [
      'a breakpoint on an empty text',
      { system: [block('')] },
      NEW,
      'system.0.text: cache_control cannot be set for empty text blocks',
    ],
    [
      'a breakpoint on a message',
      { messages: [{ role: 'user', content: 'Hello', cache_control: breakpoint }] },
      NEW,
      'messages.0.cache_control: Extra inputs are not permitted',
    ],
    [
      'empty text',
      { messages: [{ role: 'user', content: '' }] },
      NEW,
      'messages.0: user messages must have non-empty content',
    ],
    ['no messages', { messages: [] }, NEW, 'messages: at least one message is required'],
    [
      'a prefilled answer of the newest models',
      {
        model: 'claude-opus-5',
        messages: [
          { role: 'user', content: 'Hello' },
          { role: 'assistant', content: '{' },
        ],
      },
      NEW,
      'This model does not support assistant message prefill. The conversation must end with a user message.',
    ],
    [
      'an open object schema',
      { output_config: { format: { type: 'json_schema', schema: { type: 'object', properties: {} } } } },
      NEW,
      "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
    ],
    [
      'a length in a schema',
      {
        output_config: {
          format: {
            type: 'json_schema',
            schema: {
              type: 'object',
              properties: { a: { type: 'string', maxLength: 3 } },
              additionalProperties: false,
            },
          },
        },
      },
      NEW,
      "output_config.format.schema: For 'string' type, properties maxLength are not supported",
    ],
    [
      'an unknown effort',
      { output_config: { effort: 'xhigh' } },
      NEW,
      "output_config.effort: Input should be 'low', 'medium', 'high', 'max'",
    ],
  ];

  it.each(cases)('%s', async (_what, changes, headers, message) => {
    const { status, body } = await askAnthropic(url, changes, headers);
    expect(status).toBe(400);
    expect(body).toEqual({
      type: 'error',
      error: { type: 'invalid_request_error', message },
      request_id: matching(/^req_/),
    });
  });

  it('a missing cap and a longer life after a shorter one', async () => {
    const body: JsonObject = { model: 'claude-sonnet-4-6', messages: [{ role: 'user', content: 'Hi' }] };
    const missing = await send('POST', `${url}/anthropic/v1/messages`, body, NEW);
    expect(textAt(missing.body, 'error', 'message')).toBe('max_tokens: Field required');
    const late = { type: 'text', text: 'b', cache_control: { type: 'ephemeral', ttl: '1h' } };
    const order = await askAnthropic(url, { system: [block('a'), late] });
    expect(textAt(order.body, 'error', 'message')).toContain(
      "ttl='1h' cache_control block must not come after a ttl='5m'",
    );
  });

  it('takes a temperature in the old version', async () => {
    expect((await askAnthropic(url, { temperature: 0.5 }, OLD)).status).toBe(200);
    expect((await askAnthropic(url, { model: 'claude-opus-4-8', temperature: 1 }, OLD)).status).toBe(200);
  });

  it('prompts over the context, unknown models and paths', async () => {
    const long = await askAnthropic(url, {
      model: 'claude-haiku-4-5',
      messages: [{ role: 'user', content: 'x'.repeat(900_000) }],
    });
    expect(textAt(long.body, 'error', 'message')).toMatch(/^prompt is too long: \d+ tokens > 200000 maximum$/);
    const unknown = await askAnthropic(url, { model: 'claude-none' });
    expect(unknown.status).toBe(404);
    expect(at(unknown.body, 'error')).toEqual({ type: 'not_found_error', message: 'model: claude-none' });
    expect((await send('GET', `${url}/anthropic/v1/nothing`, undefined, NEW)).status).toBe(404);
  });
});

describe('keys', () => {
  it('are refused as the API does', async () => {
    const { url } = await simulate();
    const none = await askAnthropic(url, {}, { 'anthropic-version': '2026-10-21' });
    expect(none.status).toBe(401);
    expect(at(none.body, 'error')).toEqual({ type: 'authentication_error', message: 'x-api-key header is required' });
    const wrong = await askAnthropic(url, {}, { ...NEW, 'x-api-key': 'wrong-key' });
    expect(at(wrong.body, 'error')).toEqual({ type: 'authentication_error', message: 'invalid x-api-key' });
  });

  it('may be listed; the SDK sees its own error class', async () => {
    const simulator = await simulate({ keys: ['right'] });
    const asked = { model: 'claude-sonnet-4-6', max_tokens: 10, messages: [{ role: 'user' as const, content: 'Hi' }] };
    await expect(client(simulator, 'other').messages.create(asked)).rejects.toBeInstanceOf(
      Anthropic.AuthenticationError,
    );
    await expect(client(simulator, 'right').messages.create(asked)).resolves.toMatchObject({ role: 'assistant' });
    expect(simulator.totals().unbilled).toEqual({ key: 1 });
  });
});

describe('prompt caching', () => {
  const prefix = (words: string, ttl: '5m' | '1h' = '5m'): JsonObject => ({
    system: [{ type: 'text', text: words.padEnd(8000, '.'), cache_control: { type: 'ephemeral', ttl } }],
  });

  it('writes once and reads from then on, for each life its own count', async () => {
    const { url } = await simulate();
    const format = Math.ceil(JSON.stringify(SCHEMA).length / 4);
    const record = Math.ceil(RECORD.length / 4);
    const first = await askAnthropic(url, prefix('A', '1h'));
    expect(at(first.body, 'usage')).toMatchObject({
      input_tokens: record,
      cache_creation_input_tokens: 2000 + format,
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 2000 + format },
    });
    const second = await askAnthropic(url, { ...prefix('A', '1h'), messages: [{ role: 'user', content: 'Another' }] });
    expect(at(second.body, 'usage')).toMatchObject({
      input_tokens: 2,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 2000 + format,
    });
  });

  it('leaves prefixes below the minimum uncached, and keeps models and accounts apart', async () => {
    const { url } = await simulate();
    const small: JsonObject = { system: [{ type: 'text', text: 'short', cache_control: { type: 'ephemeral' } }] };
    const below = await askAnthropic(url, small);
    expect(at(below.body, 'usage')).toMatchObject({ cache_creation_input_tokens: 0, cache_read_input_tokens: 0 });
    await askAnthropic(url, prefix('B'));
    const model = await askAnthropic(url, { ...prefix('B'), model: 'claude-sonnet-4-5' });
    const account = await askAnthropic(url, prefix('B'), { ...NEW, 'x-api-key': 'other' });
    for (const { body } of [model, account]) expect(at(body, 'usage')).toMatchObject({ cache_read_input_tokens: 0 });
  });
});
