import { call } from '../../src/client/call.js';
import type { CallFailure, CallOptions, CallResult } from '../../src/client/call.js';
import { createProviderSet } from '../../src/providers/providerSet.js';
import type { JsonObject } from '../../src/task/json.js';
import { containing, KEY, Wire } from '../providers/wire.js';

const wire = new Wire();
beforeAll(() => wire.start());
afterAll(() => wire.stop());
afterEach(() => wire.reset());

const SCHEMA: JsonObject = {
  type: 'object',
  properties: { age: { type: 'integer', minimum: 0 } },
  required: ['age'],
  additionalProperties: false,
};

function ask(model: string, changes: Partial<CallOptions> = {}): Promise<CallResult> {
  const env = {
    ANTHROPIC_API_KEY: KEY,
    ANTHROPIC_BASE_URL: wire.url,
    LMSTUDIO_BASE_URL: `${wire.url}/v1`,
  };
  return call({ providers: createProviderSet({ env }), model, prompt: 'How old?', ...changes });
}

function claude(text: string, changes: JsonObject = {}): { readonly body: JsonObject } {
  return {
    body: {
      type: 'message',
      model: 'claude-sonnet-4-6',
      content: [{ type: 'text', text }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 1000, output_tokens: 100 },
      ...changes,
    },
  };
}

async function failing(model: string, changes: Partial<CallOptions> = {}): Promise<CallFailure> {
  const result = await ask(model, changes);
  if (result.ok) throw new Error(`answered ${result.text}`);
  return result;
}

it('sends exactly one request and tells what it cost', async () => {
  wire.reply(claude('Hello there'));
  const result = await ask('anthropic/claude-sonnet-4-6', {
    system: 'Be brief.',
    maxOutputTokens: 50,
    temperature: 0.5,
  });
  expect(result).toEqual({
    ok: true,
    text: 'Hello there',
    output: 'Hello there',
    finishReason: 'end_turn',
    safetyRatings: null,
    usage: {
      inputTokens: 1000,
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      cacheWrite1hTokens: 0,
      outputTokens: 100,
      thinkingTokens: 0,
    },
    costUsd: 0.0045,
    model: 'claude-sonnet-4-6',
    requestedModel: 'claude-sonnet-4-6',
    latencyMs: expect.any(Number) as unknown,
    variation: { temperature: 0.5 },
  });
  expect(wire.sent).toMatchObject({ path: '/v1/messages', body: { max_tokens: 50, temperature: 0.5 } });
});

it('parses and validates the answer', async () => {
  wire.reply(claude('```json\n{"age": 7}\n```'));
  expect(await ask('anthropic/claude-sonnet-4-6', { schema: SCHEMA })).toMatchObject({ ok: true, output: { age: 7 } });
  wire.reply(claude('{"age": -1}'));
  expect(await failing('anthropic/claude-sonnet-4-6', { schema: SCHEMA })).toMatchObject({
    error: { category: 'invalid_output', message: containing('age'), retryable: true },
    text: '{"age": -1}',
    usage: { inputTokens: 1000 },
    costUsd: 0.0045,
  });
  wire.reply(claude('I would rather not.'));
  expect((await failing('anthropic/claude-sonnet-4-6', { schema: SCHEMA })).error.category).toBe('invalid_output');
});

it('leaves a temperature out for a model that takes none, and says so', async () => {
  wire.reply(claude('Hi'));
  expect(await ask('anthropic/claude-opus-5', { temperature: 0.5 })).toMatchObject({ ok: true, variation: {} });
  expect(wire.sent.body).not.toHaveProperty('temperature');
});

it('reports what was billed of a refusal and a truncated answer', async () => {
  wire.reply(claude('', { content: [], stop_reason: 'refusal' }), claude('{"a', { stop_reason: 'max_tokens' }));
  expect(await failing('anthropic/claude-sonnet-4-6')).toMatchObject({
    error: { category: 'refusal' },
    costUsd: 0.0045,
  });
  expect(await failing('anthropic/claude-sonnet-4-6')).toMatchObject({ error: { category: 'truncated' }, text: '{"a' });
});

it('does not retry, and hands over what the provider said about waiting', async () => {
  const error = { type: 'rate_limit_error', message: 'Slow down' };
  wire.reply({ status: 429, headers: { 'retry-after': '3' }, body: { type: 'error', error } });
  const result = await failing('anthropic/claude-sonnet-4-6');
  expect(result).toEqual({
    ok: false,
    error: {
      category: 'rate_limit',
      code: 'rate_limit_error',
      status: 429,
      message: containing('Slow down'),
      retryable: true,
      retryAfterMs: 3000,
    },
  });
  expect(wire.requests).toHaveLength(1);
});

it('reports another model answering, and costs nothing on your own machine', async () => {
  const message = { role: 'assistant', content: 'Hi' };
  const usage = { prompt_tokens: 5, completion_tokens: 5 };
  wire.reply({ body: { model: 'loaded', choices: [{ message, finish_reason: 'stop' }], usage } });
  expect(await ask('lmstudio/asked/for')).toMatchObject({
    ok: true,
    model: 'loaded',
    requestedModel: 'asked/for',
    costUsd: 0,
  });
});

it('throws for a model, provider or key that is not there, and for a schema that is none', async () => {
  await expect(ask('claude')).rejects.toMatchObject({ category: 'input' });
  await expect(ask('anthropics/claude')).rejects.toMatchObject({ category: 'input' });
  const schema = { type: 'objekt' };
  await expect(ask('anthropic/claude-sonnet-4-6', { schema })).rejects.toMatchObject({ category: 'input' });
  await expect(ask('openai/gpt-4.1')).rejects.toMatchObject({ category: 'authentication' });
  expect(wire.requests).toHaveLength(0);
});

it('can be cancelled', async () => {
  wire.reply({ instead: 'hang' });
  const stop = new AbortController();
  const pending = failing('anthropic/claude-sonnet-4-6', { signal: stop.signal });
  setTimeout(() => stop.abort(), 20);
  expect((await pending).error.category).toBe('cancelled');
});
