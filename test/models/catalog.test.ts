import { knownModels, modelInfo } from '../../src/models/catalog.js';
import { CAPABILITIES } from '../../src/models/types.js';
import { formatModelRef, nearestModels, parseModelRef } from '../../src/models/modelRef.js';
import { didYouMean } from '../../src/task/nearest.js';
import { TemperedError } from '../../src/task/errors.js';

const NOW = new Date('2026-11-21');

describe('parseModelRef', () => {
  it('splits at the first slash', () => {
    expect(parseModelRef('lmstudio/qwen/qwen3-4b')).toEqual({ provider: 'lmstudio', model: 'qwen/qwen3-4b' });
    expect(formatModelRef(parseModelRef(' anthropic/claude-sonnet-4-6 '))).toBe('anthropic/claude-sonnet-4-6');
  });

  it.each(['claude-sonnet-4-6', '', '/', 'anthropic/', '/model'])('refuses %j', (text) => {
    expect(() => parseModelRef(text)).toThrow(TemperedError);
  });

  it('guesses the provider of a model without one', () => {
    const caught = (): string => {
      try {
        parseModelRef('claude-sonnet-4-6');
        return '';
      } catch (error) {
        return error instanceof TemperedError ? error.explanation : '';
      }
    };
    expect(caught()).toContain('Did you mean anthropic/claude-sonnet-4-6');
  });
});

it('names near models and providers, but not a model itself or far ones', () => {
  expect(nearestModels(parseModelRef('openai/gpt-4.1-minni'))).toContain('openai/gpt-4.1-mini');
  expect(didYouMean('ollama', ['ollama'])).toBe('');
  expect(didYouMean('olama', ['anthropic', 'ollama'])).toBe(' Did you mean ollama?');
  expect(didYouMean('xyz', ['anthropic', 'ollama'])).toBe('');
  expect(didYouMean('amd', ['cmd', 'and', 'amb'])).toBe(' Did you mean amb, and or cmd?');
});

describe('modelInfo', () => {
  it('knows exact ids and documented aliases only', () => {
    const dated = modelInfo(parseModelRef('anthropic/claude-haiku-4-5-20251001'), NOW);
    expect(dated).toMatchObject({ minCacheTokens: 4096, contextTokens: 200_000 });
    expect(dated.prices?.[0]).toMatchObject({ input: 1, output: 5 });
    expect(modelInfo(parseModelRef('anthropic/claude-haiku-4-5-2025'), NOW).prices).toBeNull();
    expect(modelInfo(parseModelRef('openai/claude-haiku-4-5'), NOW).prices).toBeNull();
  });

  it("keeps a model's parameter rules behind a proxy, but not its price", () => {
    const proxied = modelInfo(parseModelRef('proxy/claude-sonnet-5'), NOW, 'anthropic');
    expect(proxied).toMatchObject({ sampling: { kind: 'none' }, prices: null, source: null });
    expect(modelInfo(parseModelRef('proxy/claude-sonnet-5'), NOW).sampling.kind).toBe('temperature');
  });

  it('tells capabilities in their order, and only what is known', () => {
    expect(modelInfo(parseModelRef('gemini/gemini-2.5-pro'), NOW)).toMatchObject({
      capabilities: ['reasoning', 'function_calling', 'multimodal', 'vision', 'audio', 'video'],
      knowledgeCutoff: '2025-01',
    });
    expect(modelInfo(parseModelRef('openai/gpt-4.1'), NOW).capabilities).toEqual(CAPABILITIES.slice(1, 4));
    expect(modelInfo(parseModelRef('openai/who-knows'), NOW)).toMatchObject({
      contextTokens: null,
      capabilities: null,
      knowledgeCutoff: null,
      prices: null,
      batchPrices: null,
    });
  });

  it.each([
    ['anthropic/claude-haiku-5-5', { input: 0.05, output: 0.25, cacheRead: 0.005, cacheWrite5m: 0.0625 }],
    ['gemini/gemini-3.8-flash', { input: 0.375, output: 1.875, cacheRead: 0.0375 }],
    ['gemini/gemini-2.5-pro', { input: 0.625, output: 5, cacheRead: 0.125 }],
    ['openai/gpt-6-sol', { input: 1, output: 5, cacheRead: 0.1, cacheWrite5m: 1.25 }],
    ['openai/gpt-4.1', { input: 1, output: 4, cacheRead: 1 }],
    ['openai/gpt-5.4', { input: 1.25, output: 7.5, cacheRead: 0.13 }],
    ['gemini/gemini-3.5-flash-lite', { input: 0.15, output: 1.25, cacheRead: 0.02 }],
  ])('knows what %s costs through its Batch API', (name, band) => {
    expect(modelInfo(parseModelRef(name), NOW).batchPrices?.[0]).toMatchObject(band);
  });

  it('has no batch price for a model whose provider names none', () => {
    expect(modelInfo(parseModelRef('gemini/gemini-4-carbon'), NOW)).toMatchObject({ batchPrices: null });
    expect(modelInfo(parseModelRef('ollama/qwen3'), NOW)).toMatchObject({ batchPrices: null });
  });

  it('has sound data', () => {
    const models = knownModels();
    expect(new Set(models).size).toBe(models.length);
    for (const name of models) {
      const info = modelInfo(parseModelRef(name), NOW);
      expect(info.source).not.toBeNull();
      for (const band of info.prices ?? []) {
        expect(band.cacheRead).toBeLessThan(band.input);
        expect(band.cacheWrite1h).toBeGreaterThanOrEqual(band.cacheWrite5m);
        expect(band.output).toBeGreaterThan(band.input);
      }
      const limits = (info.prices ?? []).map((band) => band.upTo ?? Infinity);
      expect(limits).toEqual([...limits].sort((a, b) => a - b));
      const { effort } = info;
      if (effort !== null && effort.standard !== null) expect(effort.levels).toContain(effort.standard);
    }
  });
});
