import { answered, containing, failed, FOREVER, KEY, providerFor, request, Wire } from './wire.js';
import type { ModelReply, ModelRequest } from '../../src/providers/types.js';
import type { JsonObject } from '../../src/task/json.js';

const wire = new Wire();
beforeAll(() => wire.start());
afterAll(() => wire.stop());
afterEach(() => wire.reset());

const MODEL = 'claude-sonnet-4-6';

function message(changes: JsonObject = {}): JsonObject {
  return {
    id: 'msg_01',
    type: 'message',
    role: 'assistant',
    model: MODEL,
    content: [{ type: 'text', text: 'Hi' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 2 },
    ...changes,
  };
}

function error(type: string, text: string, details?: JsonObject): JsonObject {
  const inner: JsonObject = { type, message: text, ...(details === undefined ? {} : { details }) };
  return { type: 'error', error: inner, request_id: 'req_1' };
}

function send(changes: Partial<ModelRequest> = {}, model = MODEL): Promise<ModelReply> {
  return providerFor(wire, 'anthropic').send(request(model, changes), FOREVER);
}

describe('requests', () => {
  it('sends model, limit, system block and turns to the Messages path under the base URL', async () => {
    wire.reply({ body: message() });
    const reply = answered(await send());
    expect(reply.text).toBe('Hi');
    expect(reply.finishReason).toBe('end_turn');
    const { path, headers, body } = wire.sent;
    expect(path).toBe('/anthropic/v1/messages');
    expect(headers.authorization ?? headers['x-api-key']).toContain(KEY);
    expect(body).toEqual({
      model: MODEL,
      max_tokens: 100,
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [{ role: 'user', content: 'Hello' }],
    });
  });

  it('asks with the newest API version, and with 2023-06-01 when a temperature is sent', async () => {
    wire.reply({ body: message() }, { body: message() }, { body: message() });
    await send();
    await send({ temperature: 0 });
    await send({ params: { top_k: 5 } });
    const versions = wire.requests.map(({ headers }) => headers['anthropic-version']);
    expect(versions).toEqual(['2026-10-21', '2023-06-01', '2023-06-01']);
    expect(wire.requests[1]?.body['temperature']).toBe(0);
    expect(wire.requests[2]?.body['top_k']).toBe(5);
  });

  it('asks for structured output natively, with a closed schema and limits in words', async () => {
    wire.reply({ body: message() });
    const age = { type: 'integer', minimum: 0 };
    await send({ schema: { type: 'object', properties: { age }, required: ['age'] }, effort: 'medium' });
    expect(wire.sent.body['output_config']).toEqual({
      effort: 'medium',
      format: {
        type: 'json_schema',
        schema: {
          type: 'object',
          properties: { age: { type: 'integer', description: '{minimum: 0}' } },
          required: ['age'],
          additionalProperties: false,
        },
      },
    });
  });

  it('asks by instruction for a schema the API cannot express', async () => {
    wire.reply({ body: message() });
    await send({ schema: { type: 'object', additionalProperties: { type: 'number' } } });
    expect(wire.sent.body['output_config']).toBeUndefined();
    expect(JSON.stringify(wire.sent.body['system'])).toContain('additionalProperties');
  });

  it('puts the cache breakpoint on the system block and nowhere else', async () => {
    wire.reply({ body: message() });
    await send({ cachePrefix: true });
    expect(wire.sent.body['system']).toEqual([
      { type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } },
    ]);
    expect(JSON.stringify(wire.sent.body['messages'])).not.toContain('cache_control');
  });

  it('sends images and PDFs, by URL and as data', async () => {
    wire.reply({ body: message() });
    const png = 'data:image/png;base64,aGk=';
    await send({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', url: png },
            { type: 'image', url: 'https://example.org/a.webp' },
            { type: 'pdf', url: 'https://example.org/a.pdf' },
            { type: 'text', text: 'What is this?' },
          ],
        },
      ],
    });
    expect(wire.sent.body['messages']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
          { type: 'image', source: { type: 'url', url: 'https://example.org/a.webp' } },
          { type: 'document', source: { type: 'url', url: 'https://example.org/a.pdf' } },
          { type: 'text', text: 'What is this?' },
        ],
      },
    ]);
  });

  it('refuses media that is no URL before anything is sent', async () => {
    const content = [{ type: 'image', url: './photo.png' }] as const;
    const reply = failed(await send({ messages: [{ role: 'user', content }] }));
    expect(reply.error).toMatchObject({ category: 'input', billed: 'no', retryable: false });
    expect(wire.requests).toHaveLength(0);
  });

  it('sends a large output limit without streaming and does not warn of old models for every prompt', async () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    wire.reply({ body: message() });
    answered(await send({ maxOutputTokens: 64_000 }, 'claude-sonnet-4-5'));
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it('sends one request only, whatever comes back', async () => {
    wire.reply({ status: 500, headers: { 'x-should-retry': 'true' }, body: error('api_error', 'Internal') });
    const reply = failed(await send());
    expect(reply.error).toMatchObject({ category: 'server_error', retryable: true, billed: 'unknown', status: 500 });
    expect(wire.requests).toHaveLength(1);
  });
});

describe('answers', () => {
  it('counts cached and written tokens into the whole prompt', async () => {
    const usage = {
      input_tokens: 10,
      cache_read_input_tokens: 1000,
      cache_creation_input_tokens: 300,
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
      output_tokens: 50,
      output_tokens_details: { thinking_tokens: 30 },
    };
    wire.reply({ body: message({ usage }) });
    const reply = answered(await send());
    expect(reply.usage).toEqual({
      inputTokens: 1310,
      cachedInputTokens: 1000,
      cacheWriteTokens: 300,
      cacheWrite1hTokens: 200,
      outputTokens: 50,
      thinkingTokens: 30,
    });
    expect(reply.rawUsage).toEqual(usage);
  });

  it('takes the text by type: thinking blocks come first', async () => {
    const content = [
      { type: 'thinking', thinking: 'Hmm', signature: 'x' },
      { type: 'text', text: '{"a":' },
      { type: 'text', text: '1}' },
    ];
    wire.reply({ body: message({ content }) });
    expect(answered(await send()).text).toBe('{"a":1}');
  });

  it('reports a refusal with empty content, also without details', async () => {
    wire.reply({ body: message({ content: [], stop_reason: 'refusal', stop_details: null }) });
    expect(failed(await send()).error).toMatchObject({ category: 'refusal', retryable: false, billed: 'yes' });
    const stop_details = { type: 'refusal', category: 'bio', explanation: 'Not that.' };
    wire.reply({ body: message({ content: [], stop_reason: 'refusal', stop_details }) });
    expect(failed(await send()).error).toMatchObject({
      category: 'refusal',
      code: 'bio',
      message: containing('Not that.'),
    });
  });

  it('reports truncation with and without text', async () => {
    wire.reply({ body: message({ content: [{ type: 'text', text: '{"a": "b' }], stop_reason: 'max_tokens' }) });
    const reply = failed(await send());
    expect(reply).toMatchObject({ text: '{"a": "b', error: { category: 'truncated', billed: 'yes', retryable: true } });
    wire.reply({ body: message({ content: [], stop_reason: 'max_tokens' }) });
    expect(failed(await send()).error.category).toBe('truncated');
    wire.reply({ body: message({ stop_reason: 'model_context_window_exceeded' }) });
    expect(failed(await send()).error.category).toBe('context_length');
  });

  it('reports an empty answer, and leaves an unknown stop reason to the text', async () => {
    wire.reply({ body: message({ content: [] }) }, { body: message({ stop_reason: 'something_new' }) });
    expect(failed(await send()).error).toMatchObject({ category: 'empty', retryable: true, billed: 'yes' });
    expect(answered(await send()).finishReason).toBe('something_new');
  });

  it('reports the model that answered and the limits the headers tell', async () => {
    const headers = { 'anthropic-ratelimit-requests-limit': '4000', 'anthropic-ratelimit-tokens-limit': '400000' };
    wire.reply({ headers, body: message({ model: 'claude-other' }) });
    const reply = answered(await send());
    expect(reply).toMatchObject({ model: 'claude-other', requestedModel: MODEL });
    expect(reply.rateLimits).toEqual({ rpm: 4000, tpm: 400_000 });
  });
});

describe('errors', () => {
  it.each([
    [400, error('invalid_request_error', 'messages: required'), 'invalid_request', false],
    [
      400,
      error('invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'),
      'context_length',
      false,
    ],
    [400, error('invalid_request_error', 'Your credit balance is too low to access the API.'), 'billing', false],
    [400, error('invalid_request_error', 'enum value "billing" is not allowed'), 'invalid_request', false],
    [401, error('authentication_error', 'invalid x-api-key'), 'authentication', false],
    [402, error('billing_error', 'Payment required'), 'billing', false],
    [402, error('billing_error', 'No', { error_code: 'linked_organization_suspended' }), 'billing', false],
    [403, error('permission_error', 'No access'), 'permission', false],
    [404, error('not_found_error', 'model: claude-x'), 'model_not_found', false],
    [413, error('request_too_large', 'Request exceeds the maximum size'), 'content_too_large', false],
    [429, error('rate_limit_error', 'Slow down'), 'rate_limit', true],
    [429, error('rate_limit_error', 'Ramp', { error_code: 'ramp_limit_exceeded' }), 'rate_limit', true],
    [503, error('api_error', 'Unavailable'), 'overloaded', true],
    [504, error('timeout_error', 'Took too long'), 'timeout', true],
    [529, error('overloaded_error', 'Overloaded'), 'overloaded', true],
  ])('classes %i %j as %s', async (status, body, category, retryable) => {
    wire.reply({ status, body });
    expect(failed(await send()).error).toMatchObject({ category, retryable, status });
  });

  it.each(['contract_spend_limit_reached', 'enforced_spend_limit_reached'])(
    'does not retry a 429 that is a spend limit: %s',
    async (error_code) => {
      wire.reply({
        status: 429,
        headers: { 'retry-after': '5' },
        body: error('rate_limit_error', 'Limit', { error_code }),
      });
      const { error: found } = failed(await send());
      expect(found).toMatchObject({ category: 'quota_exhausted', code: error_code, retryable: false, billed: 'no' });
    },
  );

  it('reads Retry-After in seconds, in milliseconds and as a date', async () => {
    const body = error('rate_limit_error', 'Slow down');
    wire.reply({ status: 429, headers: { 'retry-after': '17' }, body });
    expect(failed(await send()).error).toMatchObject({ retryAfterMs: 17_000, billed: 'no' });
    wire.reply({ status: 429, headers: { 'retry-after-ms': '250', 'retry-after': '1' }, body });
    expect(failed(await send()).error.retryAfterMs).toBe(250);
    wire.reply({ status: 429, headers: { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }, body });
    const wait = failed(await send()).error.retryAfterMs;
    expect(wait).toBeGreaterThan(50_000);
    expect(wait).toBeLessThanOrEqual(60_000);
    wire.reply({ status: 529, body: error('overloaded_error', 'Overloaded') });
    expect(failed(await send()).error.retryAfterMs).toBeNull();
  });

  it('classes an error inside HTTP 200 like one with its status', async () => {
    wire.reply({ body: error('overloaded_error', 'Overloaded') }, { body: error('rate_limit_error', 'Slow down') });
    expect(failed(await send()).error).toMatchObject({ category: 'overloaded', retryable: true, status: 529 });
    expect(failed(await send()).error).toMatchObject({ category: 'rate_limit', status: 429 });
  });

  it('names near models for one that does not exist', async () => {
    wire.reply({ status: 404, body: error('not_found_error', 'model: claude-sonet-4-6') });
    const { message: text } = failed(await send({}, 'claude-sonet-4-6')).error;
    expect(text).toContain('Did you mean anthropic/claude-sonnet-4-6');
  });

  it('names the variable of a wrong key and never shows a key', async () => {
    wire.reply({ status: 401, body: error('authentication_error', `invalid key ${KEY} or sk-ant-abcdef123`) });
    const reply = failed(await send());
    expect(reply.error.message).toContain('ANTHROPIC_API_KEY');
    expect(JSON.stringify(reply)).not.toContain(KEY);
    expect(JSON.stringify(reply)).not.toContain('abcdef123');
  });

  it('takes the title of an HTML page, and does not call a missing path a missing model', async () => {
    const page = '<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>';
    wire.reply({ status: 502, body: page }, { status: 404, body: '404 page not found' }, { body: page });
    const gateway = failed(await send()).error;
    expect(gateway).toMatchObject({ category: 'server_error', message: 'anthropic answered 502: 502 Bad Gateway' });
    expect(failed(await send()).error).toMatchObject({ category: 'invalid_request', retryable: false });
    expect(failed(await send()).error).toMatchObject({ category: 'server_error', status: 200 });
  });

  it('says that a body that is no message is none', async () => {
    wire.reply(
      { body: { hello: 'world' } },
      { headers: { 'content-type': 'application/json' }, body: '{"type":"mess' },
    );
    expect(failed(await send()).error).toMatchObject({ category: 'server_error', billed: 'unknown' });
    expect(failed(await send()).error).toMatchObject({ category: 'server_error', billed: 'unknown' });
  });
});

it('lists models, and throws what refused it', async () => {
  const provider = providerFor(wire, 'anthropic');
  const data = [{ type: 'model', id: MODEL, display_name: 'Sonnet', created_at: '2026-01-01T00:00:00Z' }];
  wire.reply({ body: { data, has_more: false, first_id: MODEL, last_id: MODEL } });
  await expect(provider.listModels(FOREVER)).resolves.toEqual([MODEL]);
  wire.reply({ status: 401, body: error('authentication_error', 'invalid x-api-key') });
  await expect(provider.listModels(FOREVER)).rejects.toMatchObject({
    name: 'TemperedError',
    category: 'authentication',
  });
});
