import type { ModelReply, ModelRequest } from '../../src/providers/types.js';
import type { JsonObject } from '../../src/task/json.js';
import { answered, containing, failed, FOREVER, KEY, providerFor, request, Wire } from './wire.js';

const wire = new Wire();
beforeAll(() => wire.start());
afterAll(() => wire.stop());
afterEach(() => wire.reset());

const MODEL = 'gpt-4.1-mini';

function completion(message: JsonObject = {}, changes: JsonObject = {}, choice: JsonObject = {}): JsonObject {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: MODEL,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'Hi', refusal: null, ...message },
        finish_reason: 'stop',
        ...choice,
      },
    ],
    usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
    ...changes,
  };
}

function error(code: string | null, message: string, type = 'invalid_request_error'): JsonObject {
  return { error: { message, type, param: null, code } };
}

function send(provider: string, changes: Partial<ModelRequest> = {}, model = MODEL): Promise<ModelReply> {
  return providerFor(wire, provider).send(request(model, changes), FOREVER);
}

const SCHEMA: JsonObject = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'My answer!',
  type: 'object',
  properties: { name: { type: 'string', minLength: 2 }, url: { type: 'string', format: 'uri' } },
  required: ['name', 'url'],
};

describe('requests', () => {
  it('sends OpenAI the new output limit, local servers the old one', async () => {
    wire.reply({ body: completion() }, { body: completion() });
    answered(await send('openai', { temperature: 0.25, effort: 'low', params: { top_p: 0.9 } }));
    await send('ollama');
    expect(wire.requests[0]).toMatchObject({
      path: '/openai/v1/chat/completions',
      body: {
        model: MODEL,
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hello' },
        ],
        max_completion_tokens: 100,
        temperature: 0.25,
        reasoning_effort: 'low',
        top_p: 0.9,
      },
    });
    expect(wire.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(wire.requests[0]?.body).not.toHaveProperty('max_tokens');
    expect(wire.requests[1]?.body).toMatchObject({ max_tokens: 100 });
    expect(wire.requests[1]?.body).not.toHaveProperty('max_completion_tokens');
  });

  it('sends strict schemas that qualify, rewritten, under a legal name', async () => {
    wire.reply({ body: completion() });
    await send('openai', { schema: SCHEMA });
    expect(wire.sent.body['response_format']).toEqual({
      type: 'json_schema',
      json_schema: {
        name: 'My_answer',
        strict: true,
        schema: {
          title: 'My answer!',
          type: 'object',
          properties: {
            name: { type: 'string', description: '{minLength: 2}' },
            url: { type: 'string', description: '{format: "uri"}' },
          },
          required: ['name', 'url'],
          additionalProperties: false,
        },
      },
    });
  });

  it('sends a schema that does not qualify unchanged and not strict', async () => {
    wire.reply({ body: completion() });
    const schema: JsonObject = { type: 'object', properties: { a: { type: 'string' } } };
    await send('openai', { schema });
    expect(wire.sent.body['response_format']).toMatchObject({ json_schema: { name: 'answer', strict: false, schema } });
  });

  it('asks OpenAI by instruction for an answer that is no object', async () => {
    wire.reply({ body: completion() });
    await send('openai', { schema: { type: 'array', items: { type: 'string' } } });
    expect(wire.sent.body).not.toHaveProperty('response_format');
    expect(JSON.stringify(wire.sent.body['messages'])).toContain('JSON Schema');
  });

  it.each(['lmstudio', 'ollama', 'compatible'])('sends %s the whole schema for its grammar', async (name) => {
    wire.reply({ body: completion() });
    await send(name, { schema: SCHEMA });
    const { title, type, properties } = SCHEMA;
    const schema = { title, type, properties, required: ['name', 'url'] };
    expect(wire.sent.body['response_format']).toEqual({
      type: 'json_schema',
      json_schema: { name: 'My_answer', strict: true, schema },
    });
  });

  it('sends images by URL and PDFs as data, and refuses a PDF by URL', async () => {
    wire.reply({ body: completion() });
    const content = [
      { type: 'image', url: 'https://example.org/a.png' },
      { type: 'pdf', url: 'data:application/pdf;base64,aGk=' },
    ] as const;
    await send('openai', { messages: [{ role: 'user', content }] });
    expect(JSON.stringify(wire.sent.body['messages'])).toContain(
      '[{"type":"image_url","image_url":{"url":"https://example.org/a.png"}},' +
        '{"type":"file","file":{"filename":"document.pdf","file_data":"data:application/pdf;base64,aGk="}}]',
    );
    const pdf = [{ type: 'pdf', url: 'https://example.org/a.pdf' }] as const;
    expect(failed(await send('openai', { messages: [{ role: 'user', content: pdf }] })).error.category).toBe('input');
  });

  it('speaks to a named endpoint with its own key', async () => {
    wire.reply({ body: completion() });
    const endpoints = {
      router: { kind: 'openai-compatible', baseUrl: `${wire.url}/router/v1`, apiKeyEnv: 'ROUTER_KEY' },
    } as const;
    const router = providerFor(wire, 'router', { ROUTER_KEY: 'router-key' }, endpoints);
    answered(await router.send(request('deep/model'), FOREVER));
    expect(wire.sent).toMatchObject({ path: '/router/v1/chat/completions', body: { model: 'deep/model' } });
    expect(wire.sent.headers.authorization).toBe('Bearer router-key');
  });
});

it('tells only OpenAI the organisation and project of its account', async () => {
  wire.reply({ body: completion() }, { body: completion() });
  for (const provider of ['openai', 'compatible']) {
    const env = { OPENAI_ORG_ID: 'org-1', OPENAI_PROJECT_ID: 'project-1' };
    answered(await providerFor(wire, provider, env).send(request(MODEL), FOREVER));
  }
  const accounts = wire.requests.map(({ headers }) => [headers['openai-organization'], headers['openai-project']]);
  expect(accounts).toEqual([
    ['org-1', 'project-1'],
    [undefined, undefined],
  ]);
});

it('takes a base URL with a slash at its end', async () => {
  wire.reply({ body: completion() });
  answered(await providerFor(wire, 'ollama', { OLLAMA_BASE_URL: `${wire.url}/v1/` }).send(request(MODEL), FOREVER));
  expect(wire.sent.path).toBe('/v1/chat/completions');
});

it('sends nothing with a key that no header can carry, and does not show it', async () => {
  const key = 'sk-with-an-ellipsis…';
  const provider = providerFor(wire, 'openai', { OPENAI_API_KEY: key });
  const { error } = failed(await provider.send(request(MODEL), FOREVER));
  expect(error).toMatchObject({ category: 'invalid_request', retryable: false, billed: 'no' });
  expect(error.message).not.toContain(key);
  expect(wire.requests).toHaveLength(0);
});

describe('answers', () => {
  it('reads usage with and without details', async () => {
    const usage = {
      prompt_tokens: 2000,
      completion_tokens: 300,
      total_tokens: 2300,
      prompt_tokens_details: { cached_tokens: 1024, cache_write_tokens: 500 },
      completion_tokens_details: { reasoning_tokens: 200 },
    };
    wire.reply({ body: completion({}, { usage }) }, { body: completion() }, { body: completion({}, { usage: null }) });
    expect(answered(await send('openai')).usage).toEqual({
      inputTokens: 2000,
      cachedInputTokens: 1024,
      cacheWriteTokens: 500,
      cacheWrite1hTokens: 0,
      outputTokens: 300,
      thinkingTokens: 200,
    });
    expect(answered(await send('openai')).usage).toMatchObject({
      inputTokens: 10,
      cachedInputTokens: 0,
      outputTokens: 2,
    });
    expect(answered(await send('openai')).usage).toBeNull();
  });

  it('reports a refusal, which comes with finish reason stop', async () => {
    wire.reply({ body: completion({ content: null, refusal: 'I cannot help with that.' }) });
    expect(failed(await send('openai')).error).toMatchObject({ category: 'refusal', retryable: false, billed: 'yes' });
  });

  it('reports a content filter, truncation and an empty answer', async () => {
    wire.reply(
      { body: completion({ content: '' }, {}, { finish_reason: 'content_filter' }) },
      { body: completion({ content: '{"a' }, {}, { finish_reason: 'length' }) },
      { body: completion({ content: null, reasoning: 'Hmm' }, {}, { finish_reason: 'length' }) },
      { body: completion({ content: null }) },
      { body: completion({}, { choices: [] }) },
    );
    expect(failed(await send('openai')).error.category).toBe('safety');
    expect(failed(await send('openai'))).toMatchObject({ text: '{"a', error: { category: 'truncated' } });
    expect(failed(await send('openai')).error.category).toBe('truncated');
    expect(failed(await send('openai')).error.category).toBe('empty');
    expect(failed(await send('openai')).error.category).toBe('empty');
  });

  it('leaves thinking out of the text and an unknown finish reason to the text', async () => {
    wire.reply({ body: completion({ reasoning_content: 'Hmm' }, {}, { finish_reason: 'eos' }) });
    expect(answered(await send('lmstudio'))).toMatchObject({ text: 'Hi', finishReason: 'eos' });
  });

  it('reports that another model answered than was asked', async () => {
    wire.reply({ body: completion({}, { model: 'loaded-model' }) });
    expect(answered(await send('lmstudio'))).toMatchObject({ model: 'loaded-model', requestedModel: MODEL });
  });

  it('reads the limits the headers tell', async () => {
    const headers = { 'x-ratelimit-limit-requests': '500', 'x-ratelimit-limit-tokens': '30000' };
    wire.reply({ headers, body: completion() });
    expect(answered(await send('openai')).rateLimits).toEqual({ rpm: 500, tpm: 30_000 });
  });
});

describe('errors', () => {
  it.each([
    [400, error('unsupported_value', 'Only the default (1) value is supported'), 'invalid_request', false],
    [400, error('context_length_exceeded', 'Too long'), 'context_length', false],
    [400, error('billing_hard_limit_reached', 'Limit'), 'billing', false],
    [400, error('content_filter', 'Filtered'), 'safety', false],
    [401, error('invalid_api_key', 'Incorrect API key provided: sk-abc***xyz'), 'authentication', false],
    [403, error('model_not_found', 'No access to model'), 'model_not_found', false],
    [404, error('model_not_found', 'The model x does not exist'), 'model_not_found', false],
    [408, error(null, 'Timeout'), 'timeout', true],
    [413, error(null, 'Too large'), 'content_too_large', false],
    [422, error(null, 'Unprocessable'), 'invalid_request', false],
    [429, error('rate_limit_exceeded', 'Slow down', 'requests'), 'rate_limit', true],
    [429, error('insufficient_quota', 'You exceeded your quota', 'insufficient_quota'), 'quota_exhausted', false],
    [500, error(null, 'Oops', 'server_error'), 'server_error', true],
    [503, error(null, 'Busy', 'server_error'), 'overloaded', true],
    [529, error(null, 'Busy', 'server_error'), 'overloaded', true],
  ])('classes %i %j as %s', async (status, body, category, retryable) => {
    wire.reply({ status, body });
    const reply = failed(await send('openai'));
    expect(reply.error).toMatchObject({ category, retryable, status });
    expect(JSON.stringify(reply)).not.toContain('sk-abc');
  });

  it('reads a bare-string error', async () => {
    wire.reply({ status: 400, body: { error: "'response_format.type' must be 'json_schema' or 'text'" } });
    expect(failed(await send('lmstudio')).error).toMatchObject({
      category: 'invalid_request',
      message: containing('response_format.type'),
    });
  });

  it.each([
    [404, error(null, "No models loaded. Please load a model in the developer page or use the 'lms load' command.")],
    [400, error(null, 'No models loaded. Please load a model in the developer page.')],
    [400, { error: 'Failed to load model "x". Error: out of memory' }],
    [404, error(null, 'model "x" not found, try pulling it first', 'api_error')],
    [404, { object: 'error', message: 'The model `x` does not exist.', type: 'NotFoundError', code: 404 }],
  ])('finds that no model is loaded: %i %j', async (status, body) => {
    wire.reply({ status, body });
    expect(failed(await send('lmstudio', {}, 'x')).error).toMatchObject({ category: 'model_not_found', billed: 'no' });
  });

  it('classes errors inside HTTP 200, at the top and in a choice', async () => {
    wire.reply(
      { body: { error: { code: 429, message: 'Provider is busy' } } },
      { body: { error: 'something broke' } },
      {
        body: completion(
          { content: '' },
          {},
          { finish_reason: 'error', error: { code: 502, message: 'Upstream died' } },
        ),
      },
    );
    expect(failed(await send('compatible')).error).toMatchObject({ category: 'rate_limit', status: 429, billed: 'no' });
    expect(failed(await send('compatible')).error).toMatchObject({ category: 'unknown', retryable: false });
    expect(failed(await send('compatible')).error).toMatchObject({ category: 'server_error', status: 502 });
  });

  it('takes a page of a wrong base URL for what it is', async () => {
    wire.reply({ status: 404, body: '404 page not found' });
    const { error: found } = failed(await send('ollama'));
    expect(found).toMatchObject({ category: 'invalid_request', retryable: false });
    expect(found.message).toContain(`${wire.url}/ollama/v1`);
  });
});

it('lists models', async () => {
  wire.reply({
    body: {
      object: 'list',
      data: [
        { id: 'a', object: 'model' },
        { id: 'b', object: 'model' },
      ],
    },
  });
  await expect(providerFor(wire, 'lmstudio').listModels(FOREVER)).resolves.toEqual(['a', 'b']);
  expect(wire.sent.path).toBe('/lmstudio/v1/models');
});
