import { chosenEnvironment, environmentsSchema, optimizationAt } from '../../src/caching/environments.js';

const FILE = {
  default: {
    documents: [
      {
        provider: 'anthropic',
        isDefault: true,
        configuration: { model: 'claude-sonnet-4-6', apiKeyEnv: 'ANTHROPIC_API_KEY' },
        optimization: { cache: { enabled: true, min_tokens_to_cache: 2048 } },
      },
    ],
    services: { indexing: { cache: { defaultTtlSeconds: 3600 } } },
    purposes: { batch: { cache: { autoDetectCacheable: false } } },
  },
  staging: {},
};

test('provider, service and purpose of the environment are layers under task and call', () => {
  const environment = chosenEnvironment(environmentsSchema.parse(FILE), {});
  const place = { environment, provider: 'anthropic', service: 'indexing', purpose: 'batch' };
  expect(optimizationAt(place).cache).toMatchObject({
    enabled: true,
    minTokensToCache: 2048,
    defaultTtlSeconds: 3600,
    autoDetectCacheable: false,
  });
  const task = { cache: { autoDetectCacheable: false, defaultTtlSeconds: 60 } };
  const call = { cache: { autoDetectCacheable: true } };
  expect(optimizationAt({ ...place, task, call }).cache).toMatchObject({
    autoDetectCacheable: true,
    defaultTtlSeconds: 60,
  });
  expect(optimizationAt({ ...place, provider: 'gemini', service: 'x' }).cache.enabled).toBe(false);
});

test('settings that are meant for another provider than the model has are refused', () => {
  const place = { environment: undefined, provider: 'gemini', service: 'x', purpose: 'batch' };
  expect(optimizationAt({ ...place, call: { provider: 'gemini' } }).provider).toBe('gemini');
  const meant = () => optimizationAt({ ...place, task: { provider: 'anthropic' } });
  expect(meant).toThrow("optimization.provider is anthropic, and the model is gemini's.");
  // What the call says covers what the task says.
  expect(() => optimizationAt({ ...place, call: { provider: 'gemini' }, task: { provider: 'openai' } })).not.toThrow();
});

test('TEMPERED_ENV chooses the environment; one the file does not have is refused', () => {
  const environments = environmentsSchema.parse(FILE);
  expect(chosenEnvironment(environments, { TEMPERED_ENV: 'staging' })?.documents).toEqual([]);
  expect(() => chosenEnvironment(environments, { TEMPERED_ENV: 'stagin' })).toThrow(/staging/);
  expect(chosenEnvironment({}, { TEMPERED_ENV: 'production' })).toBeUndefined();
});

test.each(['apiKey', 'api_key', 'API-KEY', 'secret', 'client_secret', 'accessKey'])(
  'a literal %s is refused: the variable is named instead',
  (name) => {
    const document = { provider: 'anthropic', configuration: { [name]: 'sk-1' } };
    const parsed = environmentsSchema.safeParse({ default: { documents: [document] } });
    expect(parsed.error?.issues[0]?.message).toContain('apiKeyEnv');
    expect(JSON.stringify(parsed.error?.issues)).not.toContain('sk-1');
  },
);

test('a document says model and key variable, and nothing that would have no effect', () => {
  const document = { provider: 'anthropic', configuration: { temperature: 1 } };
  const parsed = environmentsSchema.safeParse({ default: { documents: [document] } });
  expect(parsed.error?.issues[0]?.message).toContain('temperature');
});

test('two defaults, or two documents of one provider, are refused', () => {
  const one = { provider: 'anthropic', isDefault: true };
  expect(environmentsSchema.safeParse({ a: { documents: [one, { ...one, provider: 'openai' }] } }).success).toBe(false);
  expect(environmentsSchema.safeParse({ a: { documents: [one, { provider: 'anthropic' }] } }).success).toBe(false);
});
