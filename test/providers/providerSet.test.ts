import { createProviderSet, endpointsSchema } from '../../src/providers/providerSet.js';
import { TemperedError } from '../../src/task/errors.js';
import { FOREVER, providerFor, request, Wire } from './wire.js';

function caught(run: () => unknown): TemperedError {
  try {
    run();
  } catch (error) {
    if (error instanceof TemperedError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('createProviderSet', () => {
  it('offers what has a key or needs none', () => {
    const set = createProviderSet({ env: { GOOGLE_API_KEY: 'k', OPENAI_API_KEY: ' ' } });
    expect(set.names).toEqual(['anthropic', 'gemini', 'openai', 'lmstudio', 'ollama', 'compatible']);
    expect(set.available).toEqual(['gemini', 'lmstudio', 'ollama']);
    expect(set.get('gemini')).toMatchObject({ name: 'gemini', kind: 'gemini' });
    expect(set.get('gemini')).toBe(set.get('gemini'));
  });

  it('names the variable of a missing key', () => {
    const error = caught(() => createProviderSet({ env: {} }).get('gemini'));
    expect(error.category).toBe('authentication');
    expect(error.explanation).toContain('GEMINI_API_KEY or GOOGLE_API_KEY');
  });

  it('names near providers for an unknown one', () => {
    const error = caught(() => createProviderSet({ env: {} }).get('antropic'));
    expect(error.category).toBe('input');
    expect(error.message).toContain('Did you mean anthropic?');
  });

  it('asks for the address of a compatible server, and for a real one', () => {
    const set = createProviderSet({ env: { OLLAMA_BASE_URL: 'not a url' } });
    expect(caught(() => set.get('compatible')).message).toContain('COMPATIBLE_BASE_URL is not set');
    expect(caught(() => set.get('ollama')).message).toContain('OLLAMA_BASE_URL is not a URL');
  });

  it('knows named endpoints, with and without a key', () => {
    const endpoints = endpointsSchema.parse({
      router: { kind: 'openai', baseUrl: 'https://router.example/v1', apiKeyEnv: 'ROUTER_KEY' },
      proxy: { kind: 'anthropic', baseUrl: 'http://localhost:9' },
    });
    const set = createProviderSet({ env: {}, endpoints });
    expect(set.available).toContain('proxy');
    expect(set.available).not.toContain('router');
    expect(set.get('proxy').kind).toBe('anthropic');
    expect(caught(() => set.get('router')).message).toContain('ROUTER_KEY');
  });

  it('refuses a config that cannot work', () => {
    for (const entry of [
      { kind: 'other', baseUrl: 'http://a' },
      { kind: 'gemini', baseUrl: 'ftp://a' },
      { kind: 'gemini' },
    ]) {
      expect(endpointsSchema.safeParse({ x: entry }).success).toBe(false);
    }
    expect(endpointsSchema.safeParse({ 'a/b': { kind: 'gemini', baseUrl: 'http://a' } }).success).toBe(false);
  });
});

describe('LM Studio', () => {
  const wire = new Wire();
  beforeAll(() => wire.start());
  afterAll(() => wire.stop());

  it('is found by host and port', async () => {
    const { hostname, port } = new URL(wire.url);
    const hosts = [
      { LMSTUDIO_HOST: hostname, LMSTUDIO_PORT: port },
      { LMSTUDIO_HOST: `${hostname}:${port}` },
      { LMSTUDIO_HOST: `${wire.url}/` },
    ];
    for (const env of hosts) {
      wire.reset();
      wire.reply({ body: { choices: [] } });
      await providerFor(wire, 'lmstudio', { LMSTUDIO_BASE_URL: '', ...env }).send(request('m'), FOREVER);
      expect(wire.sent.path).toBe('/v1/chat/completions');
    }
  });

  const local = (...replies: readonly Parameters<Wire['reply']>[0][]) => {
    wire.reset();
    for (const reply of replies) wire.reply(reply);
    return providerFor(wire, 'lmstudio').localModels(FOREVER);
  };
  const OLDER = {
    data: [
      { id: 'a', type: 'llm', state: 'loaded', max_context_length: 9000, loaded_context_length: 4096 },
      { id: 'b', type: 'vlm', state: 'not-loaded', max_context_length: 9000 },
      { id: 'e', type: 'embeddings', state: 'loaded' },
    ],
  };
  const MODELS = [
    { id: 'a', loaded: true, contextTokens: 4096 },
    { id: 'b', loaded: false, contextTokens: 9000 },
  ];

  it('tells what is in memory, in the words of each version', async () => {
    const instance = { id: 'a', config: { context_length: 4096 } };
    const current = [
      { type: 'llm', key: 'a', loaded_instances: [instance], max_context_length: 9000 },
      { type: 'llm', key: 'b', loaded_instances: [], max_context_length: 9000 },
      { type: 'embedding', key: 'e', loaded_instances: [] },
    ];
    expect(await local({ body: { models: current } })).toEqual(MODELS);
    expect(wire.sent.path).toBe('/lmstudio/api/v1/models');
    const unknown = { error: 'Unexpected endpoint or method. (GET /api/v1/models)' };
    expect(await local({ body: unknown }, { body: OLDER })).toEqual(MODELS);
    expect(await local({ status: 404, body: unknown }, { body: OLDER })).toEqual(MODELS);
  });

  it('says what went wrong when it tells neither', async () => {
    await expect(local({ body: {} }, { body: {} })).rejects.toMatchObject({ category: 'server_error' });
    await expect(local({ status: 401, body: {} })).rejects.toMatchObject({ category: 'authentication' });
    expect(await providerFor(wire, 'ollama').localModels(FOREVER)).toBeNull();
  });
});
