import OpenAI from 'openai';
import type { Json, JsonObject } from '../../src/task/json.js';
import { simulatorEnv, type Simulator } from '../../src/simulator/index.js';
import { A_NUMBER, ANSWER, askOpenai, at, matching, RECORD, SCHEMA, send, simulate, stopAll, textAt } from './wire.js';

afterAll(stopAll);

function client(simulator: Simulator, apiKey = 'sim-key'): OpenAI {
  const baseURL = simulatorEnv(simulator.url)['OPENAI_BASE_URL'] ?? '';
  return new OpenAI({ apiKey, baseURL, maxRetries: 0, timeout: 10_000 });
}

const promptTokens = Math.ceil(JSON.stringify(SCHEMA).length / 4) + Math.ceil(RECORD.length / 4);
const answerTokens = Math.ceil(JSON.stringify(ANSWER).length / 4);

describe('a chat completion', () => {
  it('has the shape of the API', async () => {
    const { url } = await simulate();
    const { status, body, headers } = await askOpenai(url);
    expect(status).toBe(200);
    expect(headers.get('x-request-id')).toMatch(/^req_/);
    expect(body).toEqual({
      id: matching(/^chatcmpl-/),
      object: 'chat.completion',
      created: A_NUMBER,
      model: 'gpt-4.1',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: JSON.stringify(ANSWER), refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: promptTokens,
        completion_tokens: answerTokens,
        total_tokens: promptTokens + answerTokens,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
      service_tier: 'default',
      system_fingerprint: null,
    });
  });

  it('is understood by the official SDK, with reasoning in the completion', async () => {
    const simulator = await simulate();
    const completion = await client(simulator).chat.completions.create({
      model: 'gpt-5-mini',
      reasoning_effort: 'high',
      max_completion_tokens: 1000,
      messages: [
        { role: 'developer', content: 'Answer in one sentence.' },
        { role: 'user', content: [{ type: 'text', text: RECORD }] },
      ],
    });
    expect(completion.choices[0]?.message.content).toContain('You charged my card twice');
    const { usage } = completion;
    const reasoning = usage?.completion_tokens_details?.reasoning_tokens ?? 0;
    expect(reasoning).toBeGreaterThan(0);
    expect(usage?.completion_tokens).toBeGreaterThan(reasoning);
    const models = await client(simulator).models.list();
    expect(models.data).toContainEqual({
      id: 'gpt-5-mini',
      object: 'model',
      created: A_NUMBER,
      owned_by: 'openai',
    });
  });

  it('stops at the cap', async () => {
    const { url } = await simulate();
    const { body } = await askOpenai(url, { max_tokens: 4 });
    expect(body).toMatchObject({ choices: [{ finish_reason: 'length' }], usage: { completion_tokens: 4 } });
  });

  it('reads a prefix of at least 1,024 tokens from the cache, in steps of 128; only new models charge for writing', async () => {
    const { url } = await simulate();
    const system = 'S'.repeat(4800);
    const ask = (model: string, content: string): ReturnType<typeof askOpenai> =>
      askOpenai(url, {
        model,
        response_format: { type: 'text' },
        messages: [
          { role: 'system', content: system },
          { role: 'user', content },
        ],
      });
    for (const [model, writes] of [
      ['gpt-4.1', undefined],
      ['gpt-6-sol', 1152],
    ] as const) {
      const first = at((await ask(model, 'one')).body, 'usage', 'prompt_tokens_details');
      expect(first).toEqual({ cached_tokens: 0, ...(writes === undefined ? {} : { cache_write_tokens: writes }) });
      const second = at((await ask(model, 'two')).body, 'usage', 'prompt_tokens_details');
      expect(second).toEqual({ cached_tokens: 1152, ...(writes === undefined ? {} : { cache_write_tokens: 0 }) });
    }
  });

  it('caches up to breakpoints only where the request says so, and without any nothing', async () => {
    const { url } = await simulate();
    const end = { prompt_cache_breakpoint: { mode: 'explicit' } };
    const ask = async (model: string, text: string, marked: boolean): Promise<Json> => {
      const part = { type: 'text', text: 'S'.repeat(4800), ...(marked ? end : {}) };
      const messages = [
        { role: 'system', content: [part] },
        { role: 'user', content: text.padEnd(4800, '.') },
      ];
      const options = { prompt_cache_options: { mode: 'explicit', ttl: '30m' } };
      const { body } = await askOpenai(url, { model, response_format: { type: 'text' }, messages, ...options });
      return at(body, 'usage', 'prompt_tokens_details');
    };
    expect(await ask('gpt-6-sol', 'one', false)).toEqual({ cached_tokens: 0, cache_write_tokens: 0 });
    expect(await ask('gpt-6-sol', 'two', true)).toEqual({ cached_tokens: 0, cache_write_tokens: 1200 });
    expect(await ask('gpt-6-sol', 'three', true)).toEqual({ cached_tokens: 1200, cache_write_tokens: 0 });
    expect(await ask('gpt-6-sol', 'four', false)).toEqual({ cached_tokens: 0, cache_write_tokens: 0 });
    // Models before that have no such mode.
    await ask('gpt-4.1', 'one', true);
    expect(await ask('gpt-4.1', 'two', true)).toEqual({ cached_tokens: 1152 });
  });
});

describe('OpenAI refuses', () => {
  let url = '';
  beforeAll(async () => {
    ({ url } = await simulate());
  });

  const format = (schema: JsonObject, name = 'answer'): JsonObject => ({
    response_format: { type: 'json_schema', json_schema: { name, strict: true, schema } },
  });
  const cases: readonly [string, JsonObject, string, string | null, string | null][] = [
    [
      'max_tokens from gpt-5 on',
      { model: 'gpt-5-mini', max_tokens: 5 },
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      'max_tokens',
      'unsupported_parameter',
    ],
    [
      'a temperature from gpt-5 on',
      { model: 'gpt-5-mini', temperature: 0.2 },
      "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
      'temperature',
      'unsupported_value',
    ],
    [
      'an unknown effort',
      { model: 'gpt-6.1-sol', reasoning_effort: 'none' },
      "Unsupported value: 'reasoning_effort' does not support 'none' with this model. Supported values are: 'low', 'medium', 'high', 'xhigh'.",
      'reasoning_effort',
      'unsupported_value',
    ],
    [
      'an effort of older models',
      { reasoning_effort: 'low' },
      'Unrecognized request argument supplied: reasoning_effort',
      'reasoning_effort',
      null,
    ],
    [
      'an open object',
      format({ type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }),
      "Invalid schema for response_format 'answer': In context=(), 'additionalProperties' is required to be supplied and to be false.",
      'response_format',
      null,
    ],
    [
      'optional properties',
      format({ type: 'object', properties: { a: { type: 'string' } }, required: [], additionalProperties: false }),
      "Invalid schema for response_format 'answer': In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing 'a'.",
      'response_format',
      null,
    ],
    [
      'a list at the root',
      format({ type: 'array', items: { type: 'string' } }),
      `Invalid schema for response_format 'answer': schema must be a JSON Schema of 'type: "object"', got 'type: "array"'.`,
      'response_format',
      null,
    ],
    [
      'json_object without the word',
      { response_format: { type: 'json_object' }, messages: [{ role: 'user', content: 'Hello' }] },
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
      'messages',
      null,
    ],
  ];

  it.each(cases)('%s', async (_what, changes, message, param, code) => {
    const { status, body } = await askOpenai(url, changes);
    expect(status).toBe(400);
    expect(body).toEqual({ error: { message, type: 'invalid_request_error', param, code } });
  });

  it('takes a temperature where reasoning is off', async () => {
    expect((await askOpenai(url, { model: 'gpt-6-sol', temperature: 0.2, reasoning_effort: 'none' })).status).toBe(200);
    expect((await askOpenai(url, { model: 'gpt-5-mini', temperature: 1 })).status).toBe(200);
    expect((await askOpenai(url, { temperature: 0.2 })).status).toBe(200);
  });

  it('long prompts, unknown models, wrong and missing keys', async () => {
    const long = await askOpenai(url, {
      model: 'gpt-5-mini',
      messages: [{ role: 'user', content: 'x'.repeat(1_200_000) }],
    });
    expect(at(long.body, 'error')).toMatchObject({ code: 'context_length_exceeded', param: 'messages' });
    const unknown = await askOpenai(url, { model: 'gpt-none' });
    expect(unknown.status).toBe(404);
    expect(unknown.body).toEqual({
      error: {
        message: 'The model `gpt-none` does not exist or you do not have access to it.',
        type: 'invalid_request_error',
        param: null,
        code: 'model_not_found',
      },
    });
    const wrong = await askOpenai(url, {}, 'openai', 'wrong-key-1234');
    expect(wrong.status).toBe(401);
    expect(at(wrong.body, 'error')).toMatchObject({ type: 'invalid_request_error', code: 'invalid_api_key' });
    expect(textAt(wrong.body, 'error', 'message')).toMatch(/^Incorrect API key provided: wrong\*+1234\./);
    const none = await send('POST', `${url}/openai/v1/chat/completions`, {});
    expect(none.status).toBe(401);
  });

  it('as errors the SDK knows', async () => {
    const simulator = await simulate();
    const create = (apiKey: string, model: string): Promise<unknown> =>
      client(simulator, apiKey).chat.completions.create({ model, messages: [{ role: 'user', content: 'Hi' }] });
    await expect(create('wrong', 'gpt-4.1')).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    await expect(create('right', 'gpt-none')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });
});

describe('local servers', () => {
  it('need no key, take any model, and leave the details of usage out', async () => {
    const { url } = await simulate();
    for (const prefix of ['lmstudio', 'ollama', 'compatible']) {
      const response = await send('POST', `${url}/${prefix}/v1/chat/completions`, {
        model: 'qwen3-8b',
        messages: [{ role: 'user', content: RECORD }],
        temperature: 0.3,
        max_tokens: 200,
        response_format: { type: 'json_schema', json_schema: { name: 'a', schema: SCHEMA } },
      });
      expect(response.body).toMatchObject({ model: 'qwen3-8b', choices: [{ finish_reason: 'stop' }] });
      expect(JSON.parse(textAt(response.body, 'choices', 0, 'message', 'content'))).toEqual(ANSWER);
      expect(Object.keys(at(response.body, 'usage') ?? {})).toEqual([
        'prompt_tokens',
        'completion_tokens',
        'total_tokens',
      ]);
    }
  });

  it('LM Studio rejects json_object with a bare text, and lets its only model answer for any', async () => {
    const { url } = await simulate({ models: ['lmstudio/gemma-3-4b-it'] });
    const rejected = await askOpenai(url, { response_format: { type: 'json_object' } }, 'lmstudio');
    expect(rejected.status).toBe(400);
    expect(rejected.body).toEqual({ error: "'response_format.type' must be 'json_schema' or 'text'" });
    const other = await askOpenai(url, { model: 'qwen3-8b' }, 'lmstudio');
    expect(other.body).toMatchObject({ model: 'gemma-3-4b-it' });
  });

  it('LM Studio fails to load what is not among several, Ollama what was not pulled', async () => {
    const { url } = await simulate({ models: ['lmstudio/a', 'lmstudio/b', 'ollama/llama3.2'] });
    const load = await askOpenai(url, { model: 'c' }, 'lmstudio');
    expect(load.status).toBe(400);
    expect(textAt(load.body, 'error', 'message')).toBe('Failed to load model "c". Error: Model not found');
    const pull = await askOpenai(url, { model: 'qwen3' }, 'ollama');
    expect(pull.status).toBe(404);
    expect(textAt(pull.body, 'error', 'message')).toBe('model "qwen3" not found, try pulling it first');
  });

  it('list their models; LM Studio also in its own two ways', async () => {
    const { url } = await simulate({ models: ['lmstudio/gemma-3-4b-it', 'ollama/llama3.2'] });
    const list = await send('GET', `${url}/ollama/v1/models`);
    expect(list.body).toMatchObject({ object: 'list', data: [{ id: 'llama3.2', object: 'model' }] });
    const native = await send('GET', `${url}/lmstudio/api/v1/models`);
    expect(native.body).toMatchObject({
      models: [
        {
          type: 'llm',
          key: 'gemma-3-4b-it',
          loaded_instances: [{ id: 'gemma-3-4b-it', config: { context_length: A_NUMBER } }],
          max_context_length: A_NUMBER,
          capabilities: { vision: false, trained_for_tool_use: true },
        },
      ],
    });
    const older = await send('GET', `${url}/lmstudio/api/v0/models`);
    expect(older.body).toMatchObject({ data: [{ id: 'gemma-3-4b-it', state: 'loaded' }] });
  });
});
