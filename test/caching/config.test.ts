import { optimizationSwitch, parseOptimization, resolveOptimization } from '../../src/caching/config.js';
import { inRollout } from '../../src/caching/rollout.js';
import { TemperedError } from '../../src/task/errors.js';

function refusal(value: unknown): string {
  try {
    parseOptimization(value);
  } catch (error) {
    if (error instanceof TemperedError && error.category === 'input') return error.message;
    throw error;
  }
  throw new Error('it was taken');
}

describe('a layer of settings', () => {
  test('without any, the documented defaults hold and caching is off', () => {
    const { cache, fallback, batch } = resolveOptimization([]);
    expect(cache).toMatchObject({
      enabled: false,
      minTokensToCache: 1024,
      autoDetectCacheable: true,
      defaultTtlSeconds: 300,
      domainDefinitionsTtlSeconds: 3600,
    });
    expect(fallback).toEqual({ enabled: true, logFailures: true, raiseOnFallback: false });
    expect(batch).toEqual({
      enabled: false,
      maxBatchSize: 100,
      timeoutSeconds: 86_400,
      accumulationStrategy: 'hybrid',
      accumulationTimeSeconds: 30,
      retryAttempts: 3,
    });
  });

  test('snake_case is taken at every level, and means the same', () => {
    const said = {
      cache: { min_tokens_to_cache: 2048, default_ttl_seconds: 600 },
      fallback: { raise_on_fallback: true },
      batch: { max_batch_size: 7 },
    };
    expect(parseOptimization(said)).toEqual({
      cache: { minTokensToCache: 2048, defaultTtlSeconds: 600 },
      fallback: { raiseOnFallback: true },
      batch: { maxBatchSize: 7 },
    });
  });

  test.each([
    [{ cach: {} }],
    [{ cache: { ttl: 5 } }],
    [{ fallback: { retry: true } }],
    [{ batch: { size: 1 } }],
    [{ batch: { enabled: true } }],
    [{ cache: { enabled: true, defaultTtlSeconds: 300, default_ttl_seconds: 300 } }],
    [{ cache: { minTokensToCache: 255 } }],
    [{ cache: { minTokensToCache: '1024' } }],
    [{ cache: { defaultTtlSeconds: 59 } }],
    [{ cache: { defaultTtlSeconds: 3601 } }],
    [{ cache: { domainDefinitionsTtlSeconds: 299 } }],
    [{ batch: { maxBatchSize: 10_001 } }],
    [{ batch: { timeoutSeconds: 259_201 } }],
    [{ batch: { accumulationTimeSeconds: 0 } }],
    [{ batch: { retryAttempts: 11 } }],
    [{ batch: { accumulationStrategy: 'later' } }],
    ['on'],
  ])('%j is refused', (value) => {
    expect(refusal(value)).toMatch(/^Invalid optimization configuration: /);
  });
});

describe('layers', () => {
  test('the nearest that names a setting decides it: call, task, purpose, service, provider', () => {
    const layers = [
      { cache: { rolloutPercent: 51 } },
      { cache: { rolloutPercent: 52, minTokensToCache: 2000 } },
      { cache: { minTokensToCache: 3000, defaultTtlSeconds: 301 } },
      { cache: { defaultTtlSeconds: 400, domainDefinitionsTtlSeconds: 400 } },
      { cache: { domainDefinitionsTtlSeconds: 500, enabled: true }, provider: 'anthropic' },
    ];
    expect(resolveOptimization(layers)).toMatchObject({
      cache: {
        rolloutPercent: 51,
        minTokensToCache: 2000,
        defaultTtlSeconds: 301,
        domainDefinitionsTtlSeconds: 400,
        enabled: true,
      },
      provider: 'anthropic',
    });
  });

  test('the switch decides over every layer; unset it leaves the decision to them', () => {
    const on = [{ cache: { enabled: true } }];
    expect(resolveOptimization(on, { forced: false }).cache.enabled).toBe(false);
    expect(resolveOptimization([], { forced: true }).cache.enabled).toBe(true);
    expect(resolveOptimization(on, { forced: undefined }).cache.enabled).toBe(true);
    expect(optimizationSwitch({})).toBeUndefined();
    expect(optimizationSwitch({ LLM_OPTIMIZATION_ENABLED: '' })).toBeUndefined();
    expect(optimizationSwitch({ LLM_OPTIMIZATION_ENABLED: 'False' })).toBe(false);
    expect(optimizationSwitch({ LLM_OPTIMIZATION_ENABLED: 'TRUE' })).toBe(true);
    expect(() => optimizationSwitch({ LLM_OPTIMIZATION_ENABLED: 'yes' })).toThrow(TemperedError);
  });
});

describe('rollout', () => {
  const names = Array.from({ length: 4000 }, (_, i) => `tickets-0a1b2c3d-${i}`);

  test('close to the percentage of all names is in, and who is in stays in when it rises', () => {
    const tenth = names.filter((name) => inRollout(name, 10));
    expect(tenth.length).toBeGreaterThan(320);
    expect(tenth.length).toBeLessThan(480);
    expect(tenth.every((name) => inRollout(name, 50))).toBe(true);
    expect(names.every((name) => inRollout(name, 100))).toBe(true);
    expect(names.some((name) => inRollout(name, 0))).toBe(false);
  });

  test('a name outside of it is not cached, unless it is switched on', () => {
    const out = names.find((name) => !inRollout(name, 10)) ?? '';
    const layers = [{ cache: { enabled: true, rolloutPercent: 10 } }];
    expect(resolveOptimization(layers, { rolloutKey: out }).cache.enabled).toBe(false);
    expect(resolveOptimization(layers, { rolloutKey: out, forced: true }).cache.enabled).toBe(true);
  });
});
