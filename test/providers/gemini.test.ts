import type { ModelReply, ModelRequest } from '../../src/providers/types.js';
import type { JsonObject } from '../../src/task/json.js';
import { answered, containing, failed, FOREVER, KEY, providerFor, request, Wire } from './wire.js';

const wire = new Wire();
beforeAll(() => wire.start());
afterAll(() => wire.stop());
afterEach(() => wire.reset());

const MODEL = 'gemini-2.5-flash';
const RATINGS = [{ category: 'HARM_CATEGORY_HARASSMENT', probability: 'LOW', blocked: true }];

function response(candidate: JsonObject = {}, changes: JsonObject = {}): JsonObject {
  return {
    candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] }, finishReason: 'STOP', index: 0, ...candidate }],
    usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 2, totalTokenCount: 12 },
    modelVersion: MODEL,
    responseId: 'r1',
    ...changes,
  };
}

function error(code: number, status: string, message: string, details: readonly JsonObject[] = []): JsonObject {
  return { error: { code, message, status, details: [...details] } };
}

function send(changes: Partial<ModelRequest> = {}, env: Record<string, string> = {}): Promise<ModelReply> {
  return providerFor(wire, 'gemini', env).send(request(MODEL, changes), FOREVER);
}

describe('requests', () => {
  it('sends system instruction, turns and limits with the key in its header', async () => {
    wire.reply({ body: response() });
    const messages = [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Yes?' },
      { role: 'user', content: 'Bye' },
    ] as const;
    const reply = answered(await send({ messages, temperature: 0, params: { topP: 0.5 } }));
    expect(reply).toMatchObject({ text: 'Hi', model: MODEL, finishReason: 'STOP' });
    const { path, headers, body } = wire.sent;
    expect(path).toBe(`/gemini/v1/models/${MODEL}:generateContent`);
    expect(headers['x-goog-api-key']).toBe(KEY);
    expect(body).toEqual({
      contents: [
        { role: 'user', parts: [{ text: 'Hello' }] },
        { role: 'model', parts: [{ text: 'Yes?' }] },
        { role: 'user', parts: [{ text: 'Bye' }] },
      ],
      systemInstruction: { role: 'user', parts: [{ text: 'Be brief.' }] },
      generationConfig: { temperature: 0, topP: 0.5, maxOutputTokens: 100 },
    });
  });

  it('uses the API version it is told', async () => {
    wire.reply({ body: response() });
    await send({}, { GOOGLE_GENAI_API_VERSION: 'v1beta' });
    expect(wire.sent.path).toBe(`/gemini/v1beta/models/${MODEL}:generateContent`);
  });

  it('asks for structured output and a thinking level natively', async () => {
    wire.reply({ body: response() });
    const kind = { const: 'a', minLength: 1 };
    await send({ schema: { $schema: 'x', type: 'object', properties: { kind } }, effort: 'low' });
    expect(wire.sent.body['generationConfig']).toEqual({
      maxOutputTokens: 100,
      responseMimeType: 'application/json',
      responseJsonSchema: {
        type: 'object',
        properties: { kind: { enum: ['a'], description: '{minLength: 1}' } },
      },
      thinkingConfig: { thinkingLevel: 'LOW' },
    });
  });

  it('asks by instruction for a schema outside the subset, still as JSON', async () => {
    wire.reply({ body: response() });
    await send({ schema: { allOf: [{ type: 'object' }] } });
    expect(wire.sent.body['generationConfig']).toEqual({ maxOutputTokens: 100, responseMimeType: 'application/json' });
    expect(JSON.stringify(wire.sent.body['systemInstruction'])).toContain('allOf');
  });

  it('sends media inline and by URL', async () => {
    wire.reply({ body: response() });
    const content = [
      { type: 'image', url: 'data:image/png;base64,aGk=' },
      { type: 'pdf', url: 'https://example.org/a.pdf' },
    ] as const;
    await send({ messages: [{ role: 'user', content }] });
    expect(wire.sent.body['contents']).toEqual([
      {
        role: 'user',
        parts: [
          { inlineData: { mimeType: 'image/png', data: 'aGk=' } },
          { fileData: { mimeType: 'application/pdf', fileUri: 'https://example.org/a.pdf' } },
        ],
      },
    ]);
  });

  it('sends one request only, also when the answer asks to be continued', async () => {
    wire.reply({ body: response({ finishReason: 'CONTINUATION', continuationToken: 'x' }) });
    expect(failed(await send()).error.category).toBe('truncated');
    expect(wire.requests).toHaveLength(1);
  });
});

describe('answers', () => {
  it('adds thoughts to the output and leaves cached tokens in the prompt', async () => {
    const usageMetadata = {
      promptTokenCount: 5000,
      cachedContentTokenCount: 4096,
      candidatesTokenCount: 20,
      thoughtsTokenCount: 300,
      toolUsePromptTokenCount: 7,
      totalTokenCount: 5327,
    };
    const parts = [{ text: 'thinking…', thought: true }, { text: 'Hi' }, { text: '!' }];
    wire.reply({ body: response({ content: { role: 'model', parts } }, { usageMetadata }) });
    const reply = answered(await send());
    expect(reply.text).toBe('Hi!');
    expect(reply.usage).toEqual({
      inputTokens: 5007,
      cachedInputTokens: 4096,
      cacheWriteTokens: 0,
      cacheWrite1hTokens: 0,
      outputTokens: 320,
      thinkingTokens: 300,
    });
    expect(reply.rawUsage).toEqual(usageMetadata);
  });

  it.each(['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'MODEL_ARMOR'])(
    'reports an answer stopped by %s, with its ratings',
    async (finishReason) => {
      wire.reply({ body: response({ content: {}, finishReason, safetyRatings: RATINGS }) });
      const reply = failed(await send());
      expect(reply.error).toMatchObject({ category: 'safety', code: finishReason, retryable: false, billed: 'yes' });
      expect(reply.safetyRatings).toEqual(RATINGS);
    },
  );

  it.each(['SAFETY', 'MODEL_ARMOR', 'SOMETHING_NEW'])(
    'reports a blocked prompt without candidates: %s',
    async (blockReason) => {
      const promptFeedback = { blockReason, safetyRatings: RATINGS, blockReasonMessage: 'Blocked.' };
      wire.reply({ body: { promptFeedback, usageMetadata: { promptTokenCount: 9, totalTokenCount: 9 } } });
      const reply = failed(await send());
      expect(reply.error).toMatchObject({ category: 'safety', code: blockReason });
      expect(reply).toMatchObject({ finishReason: blockReason, safetyRatings: RATINGS });
      expect(reply.usage).toMatchObject({ inputTokens: 9, outputTokens: 0 });
    },
  );

  it('reports truncation with text, and MAX_TOKENS without any as truncated too', async () => {
    wire.reply({ body: response({ finishReason: 'MAX_TOKENS' }) });
    expect(failed(await send())).toMatchObject({ text: 'Hi', error: { category: 'truncated' } });
    const usageMetadata = { promptTokenCount: 9, thoughtsTokenCount: 100 };
    wire.reply({ body: response({ content: { role: 'model' }, finishReason: 'MAX_TOKENS' }, { usageMetadata }) });
    expect(failed(await send())).toMatchObject({
      error: { category: 'truncated', billed: 'yes' },
      usage: { outputTokens: 100 },
    });
  });

  it('leaves an unknown finish reason to the text', async () => {
    wire.reply({ body: response({ finishReason: 'BRAND_NEW' }) });
    expect(answered(await send()).finishReason).toBe('BRAND_NEW');
    wire.reply({ body: response({ content: {}, finishReason: 'MALFORMED_RESPONSE' }) });
    expect(failed(await send()).error).toMatchObject({
      category: 'empty',
      retryable: true,
      message: containing('MALFORMED_RESPONSE'),
    });
    wire.reply({ body: { candidates: [], usageMetadata: { promptTokenCount: 9 } } });
    expect(failed(await send()).error.category).toBe('empty');
  });

  it('reports the model that answered', async () => {
    wire.reply({ body: response({}, { modelVersion: 'gemini-3.6-flash' }) });
    expect(answered(await send())).toMatchObject({ model: 'gemini-3.6-flash', requestedModel: MODEL });
  });
});

describe('errors', () => {
  const keyInfo = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' };

  it.each([
    [400, error(400, 'INVALID_ARGUMENT', 'Bad request'), 'invalid_request', false],
    [
      400,
      error(400, 'INVALID_ARGUMENT', 'The input token count (2000000) exceeds the maximum'),
      'context_length',
      false,
    ],
    [
      400,
      error(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [keyInfo]),
      'authentication',
      false,
    ],
    [400, error(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.'), 'authentication', false],
    [403, error(403, 'PERMISSION_DENIED', 'No'), 'permission', false],
    [404, error(404, 'NOT_FOUND', 'models/x is not found'), 'model_not_found', false],
    [429, error(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded'), 'rate_limit', true],
    [500, error(500, 'INTERNAL', 'Oops'), 'server_error', true],
    [503, error(503, 'UNAVAILABLE', 'The model is overloaded'), 'overloaded', true],
    [504, error(504, 'DEADLINE_EXCEEDED', 'Too slow'), 'timeout', true],
  ])('classes %i %j as %s', async (status, body, category, retryable) => {
    wire.reply({ status, body });
    expect(failed(await send()).error).toMatchObject({ category, retryable, status });
  });

  it('waits exactly as RetryInfo says, and knows a 429 without any hint', async () => {
    const retry = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.423128s' };
    wire.reply({ status: 429, body: error(429, 'RESOURCE_EXHAUSTED', 'Slow down', [retry]) });
    expect(failed(await send()).error).toMatchObject({ category: 'rate_limit', retryAfterMs: 34_424 });
    wire.reply({ status: 429, headers: { 'retry-after': '3' }, body: error(429, 'RESOURCE_EXHAUSTED', 'Slow down') });
    expect(failed(await send()).error.retryAfterMs).toBe(3000);
    wire.reply({ status: 429, body: error(429, 'RESOURCE_EXHAUSTED', 'Slow down') });
    expect(failed(await send()).error.retryAfterMs).toBeNull();
  });

  it('does not retry a daily quota', async () => {
    const quota = {
      '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
      violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }],
    };
    const retry = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '10s' };
    wire.reply({ status: 429, body: error(429, 'RESOURCE_EXHAUSTED', 'Quota', [quota, retry]) });
    expect(failed(await send()).error).toMatchObject({ category: 'quota_exhausted', retryable: false });
  });

  it('reads an error body nested in a message, and one in HTTP 200', async () => {
    const inner = JSON.stringify(error(429, 'RESOURCE_EXHAUSTED', 'Slow down'));
    wire.reply({ status: 429, headers: { 'content-type': 'text/plain' }, body: error(429, '', inner) });
    expect(failed(await send()).error).toMatchObject({
      category: 'rate_limit',
      message: containing('Slow down'),
    });
    wire.reply({ body: error(503, 'UNAVAILABLE', 'Overloaded') }, { body: [error(429, 'RESOURCE_EXHAUSTED', 'Slow')] });
    expect(failed(await send()).error).toMatchObject({ category: 'overloaded', status: 503 });
    expect(failed(await send()).error).toMatchObject({ category: 'rate_limit', status: 429 });
  });

  it('reads an HTML page', async () => {
    wire.reply({ status: 500, body: '<html><body><h1>Server Error</h1>try later</body></html>' });
    expect(failed(await send()).error).toMatchObject({
      category: 'server_error',
      message: containing('try later'),
    });
  });
});

it('lists models without their prefix', async () => {
  wire.reply(
    { body: { models: [{ name: `models/${MODEL}` }], nextPageToken: 'next' } },
    { body: { models: [{ name: 'models/gemini-2.5-pro' }] } },
  );
  await expect(providerFor(wire, 'gemini').listModels(FOREVER)).resolves.toEqual([MODEL, 'gemini-2.5-pro']);
});
