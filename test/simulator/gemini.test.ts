import { ApiError, GoogleGenAI, ThinkingLevel, Type } from '@google/genai';
import type { JsonObject } from '../../src/task/json.js';
import type { Simulator } from '../../src/simulator/index.js';
import { A_TEXT, ANSWER, askGemini, at, RECORD, SCHEMA, send, simulate, stopAll, textAt } from './wire.js';

afterAll(stopAll);

const KEY = { 'x-goog-api-key': 'sim-key' };

function client(simulator: Simulator, apiKey = 'sim-key'): GoogleGenAI {
  // The SDK's own way of fetching looks for a global of Node that tests don't have.
  return new GoogleGenAI({ apiKey, httpOptions: { baseUrl: `${simulator.url}/gemini`, fetch } });
}

const schemaTokens = Math.ceil(JSON.stringify(SCHEMA).length / 4);
const recordTokens = Math.ceil(RECORD.length / 4);

describe('generateContent', () => {
  it('has the shape of the API', async () => {
    const { url } = await simulate();
    const { status, body } = await askGemini(url);
    const prompt = schemaTokens + recordTokens;
    const spoken = Math.ceil(JSON.stringify(ANSWER).length / 4);
    expect(status).toBe(200);
    expect(body).toEqual({
      candidates: [
        {
          content: { role: 'model', parts: [{ text: JSON.stringify(ANSWER) }] },
          finishReason: 'STOP',
          index: 0,
          safetyRatings: ['HARASSMENT', 'HATE_SPEECH', 'SEXUALLY_EXPLICIT', 'DANGEROUS_CONTENT'].map((name) => ({
            category: `HARM_CATEGORY_${name}`,
            probability: 'NEGLIGIBLE',
          })),
        },
      ],
      usageMetadata: {
        promptTokenCount: prompt,
        candidatesTokenCount: spoken,
        totalTokenCount: prompt + spoken,
        promptTokensDetails: [{ modality: 'TEXT', tokenCount: prompt }],
        serviceTier: 'standard',
      },
      modelVersion: 'gemini-2.5-flash',
      responseId: A_TEXT,
    });
  });

  it('is understood by the official SDK, on v1 and v1beta, with thoughts beside the answer', async () => {
    const simulator = await simulate();
    for (const apiVersion of ['v1', 'v1beta']) {
      const response = await client(simulator).models.generateContent({
        model: 'gemini-3.8-flash',
        contents: RECORD,
        config: {
          httpOptions: { apiVersion },
          systemInstruction: 'Read the mail.',
          responseMimeType: 'application/json',
          responseSchema: {
            type: Type.OBJECT,
            properties: { email: { type: Type.STRING, nullable: true } },
            required: ['email'],
          },
          thinkingConfig: { thinkingLevel: ThinkingLevel.HIGH },
        },
      });
      expect(response.text).toBe('{"email":"J.Maier@example.de"}');
      const usage = response.usageMetadata;
      expect(usage?.thoughtsTokenCount).toBeGreaterThan(0);
      expect(usage?.totalTokenCount).toBe(
        (usage?.promptTokenCount ?? 0) + (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0),
      );
    }
  });

  it('counts tokens and lists models', async () => {
    const simulator = await simulate();
    const counted = await client(simulator).models.countTokens({ model: 'gemini-2.5-pro', contents: 'x'.repeat(40) });
    expect(counted.totalTokens).toBe(10);
    const names: (string | undefined)[] = [];
    for await (const model of await client(simulator).models.list()) names.push(model.name);
    expect(names).toContain('models/gemini-2.5-pro');
    const one = await client(simulator).models.get({ model: 'gemini-2.5-pro' });
    expect(one.inputTokenLimit).toBe(1_048_576);
  });

  it('asks for JSON by its type alone', async () => {
    const { url } = await simulate();
    const system = `Answer with JSON of this schema: ${JSON.stringify(SCHEMA)}`;
    const { body } = await askGemini(url, {
      systemInstruction: { parts: [{ text: system }] },
      generationConfig: { responseMimeType: 'application/json' },
    });
    expect(JSON.parse(textAt(body, 'candidates', 0, 'content', 'parts', 0, 'text'))).toEqual(ANSWER);
  });
});

describe('the API refuses', () => {
  let url = '';
  beforeAll(async () => {
    ({ url } = await simulate());
  });

  const cases: readonly [string, JsonObject, string, string][] = [
    [
      'no contents',
      { contents: [] },
      'gemini-2.5-flash',
      '* GenerateContentRequest.contents: contents is not specified\n',
    ],
    [
      'a content without parts',
      { contents: [{ role: 'user', parts: [] }] },
      'gemini-2.5-flash',
      '* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.\n',
    ],
    [
      'unknown names',
      { generationConfig: { maxTokens: 5 } },
      'gemini-2.5-flash',
      'Invalid JSON payload received. Unknown name "maxTokens" at \'generation_config\': Cannot find field.',
    ],
    [
      'a thinking budget of the newest',
      { generationConfig: { thinkingConfig: { thinkingBudget: 100 } } },
      'gemini-4-argon',
      'Thinking budget is not supported for this model. Use thinking_level instead.',
    ],
    [
      'penalties of the newest',
      { generationConfig: { presencePenalty: 1 } },
      'gemini-3.8-flash',
      'Penalty is not enabled for models/gemini-3.8-flash',
    ],
    [
      'a last turn of the model',
      {
        contents: [
          { role: 'user', parts: [{ text: 'a' }] },
          { role: 'model', parts: [{ text: 'b' }] },
        ],
      },
      'gemini-3.8-flash',
      'Please ensure that the last content of the request has the role "user".',
    ],
  ];

  it.each(cases)('%s', async (_what, changes, model, message) => {
    const { status, body } = await askGemini(url, changes, model);
    expect(status).toBe(400);
    expect(body).toEqual({ error: { code: 400, message, status: 'INVALID_ARGUMENT' } });
  });

  it('ignores a temperature of models that have none', async () => {
    const generationConfig = { temperature: 0.7 };
    expect((await askGemini(url, { generationConfig }, 'gemini-3.8-flash')).status).toBe(200);
  });

  it('unknown models, wrong and missing keys', async () => {
    const unknown = await askGemini(url, {}, 'gemini-none');
    expect(unknown.body).toMatchObject({ error: { code: 404, status: 'NOT_FOUND' } });
    expect(textAt(unknown.body, 'error', 'message')).toContain(
      'models/gemini-none is not found for API version v1beta',
    );
    const wrong = await askGemini(url, {}, 'gemini-2.5-flash', 'wrong');
    expect(wrong.status).toBe(400);
    expect(wrong.body).toEqual({
      error: {
        code: 400,
        message: 'API key not valid. Please pass a valid API key.',
        status: 'INVALID_ARGUMENT',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'API_KEY_INVALID',
            domain: 'googleapis.com',
            metadata: { service: 'generativelanguage.googleapis.com' },
          },
        ],
      },
    });
    const none = await send('POST', `${url}/gemini/v1/models/gemini-2.5-flash:generateContent`, {});
    expect(none.body).toMatchObject({ error: { code: 403, status: 'PERMISSION_DENIED' } });
  });

  it('as an error the SDK knows', async () => {
    const simulator = await simulate();
    const asked = client(simulator, 'wrong-key').models.generateContent({ model: 'gemini-2.5-flash', contents: 'Hi' });
    await expect(asked).rejects.toBeInstanceOf(ApiError);
  });
});

describe('caches', () => {
  it('read a prefix that was sent before, of at least the minimum', async () => {
    const { url } = await simulate();
    const systemInstruction = { parts: [{ text: 'Read.'.padEnd(16_000, '.') }] };
    const first = await askGemini(url, { systemInstruction });
    expect(at(first.body, 'usageMetadata')).not.toHaveProperty('cachedContentTokenCount');
    const contents = [{ role: 'user', parts: [{ text: 'Something else entirely' }] }];
    const second = await askGemini(url, { systemInstruction, contents });
    const shared = Math.floor((4000 + JSON.stringify(SCHEMA).length / 4) / 128) * 128;
    expect(at(second.body, 'usageMetadata')).toMatchObject({ cachedContentTokenCount: shared });
    const small = { systemInstruction: { parts: [{ text: 'Read.' }] } };
    await askGemini(url, small);
    expect(at((await askGemini(url, small)).body, 'usageMetadata')).not.toHaveProperty('cachedContentTokenCount');
  });

  it('are made, used, changed, listed and deleted on purpose', async () => {
    const simulator = await simulate();
    const { caches, models } = client(simulator);
    const model = 'gemini-2.5-flash';
    const config = { systemInstruction: 'Read the mail.'.padEnd(10_000, '.'), ttl: '300s', displayName: 'mails' };
    const cache = await caches.create({ model, config });
    const { name = '', usageMetadata } = cache;
    expect(name).toMatch(/^cachedContents\//);
    expect(usageMetadata?.totalTokenCount).toBe(2500);
    const answer = await models.generateContent({ model, contents: RECORD, config: { cachedContent: name } });
    expect(answer.usageMetadata?.cachedContentTokenCount).toBe(2500);
    expect(answer.usageMetadata?.promptTokenCount).toBe(2500 + recordTokens);
    const longer = await caches.update({ name, config: { ttl: '7200s' } });
    expect(Date.parse(longer.expireTime ?? '')).toBeGreaterThan(Date.parse(cache.expireTime ?? ''));
    const listed: (string | undefined)[] = [];
    for await (const one of await caches.list()) listed.push(one.displayName);
    expect(listed).toEqual(['mails']);
    await caches.delete({ name });
    await expect(caches.get({ name })).rejects.toMatchObject({ status: 403 });
    const used = models.generateContent({ model, contents: RECORD, config: { cachedContent: name } });
    await expect(used).rejects.toMatchObject({ status: 403 });
  });

  it('refuse small content, other models and instructions beside them', async () => {
    const { url } = await simulate();
    const make = (text: string): JsonObject => ({
      model: 'models/gemini-2.5-flash',
      contents: [{ role: 'user', parts: [{ text }] }],
    });
    const small = await send('POST', `${url}/gemini/v1beta/cachedContents`, make('small'), KEY);
    expect(textAt(small.body, 'error', 'message')).toBe(
      'Cached content is too small. total_token_count=2, min_total_token_count=2048',
    );
    const made = await send('POST', `${url}/gemini/v1beta/cachedContents`, make('x'.repeat(10_000)), KEY);
    const cachedContent = textAt(made.body, 'name');
    const other = await askGemini(url, { cachedContent }, 'gemini-2.5-pro');
    expect(textAt(other.body, 'error', 'message')).toContain('has to be the same');
    const both = await askGemini(url, { cachedContent, systemInstruction: { parts: [{ text: 'Read.' }] } });
    expect(textAt(both.body, 'error', 'message')).toContain('CachedContent can not be used');
  });
});
