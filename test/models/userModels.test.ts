import { modelInfo } from '../../src/models/catalog.js';
import { costNano } from '../../src/models/cost.js';
import { parseModelRef } from '../../src/models/modelRef.js';
import { USER_SOURCE, type UserModels, userModelsSchema } from '../../src/models/userModels.js';
import type { Usage } from '../../src/task/usage.js';

const NOW = new Date('2026-11-21');
const USAGE: Usage = {
  inputTokens: 1_000_000,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  cacheWrite1hTokens: 0,
  outputTokens: 1_000_000,
  thinkingTokens: 0,
};

function told(name: string, models: unknown, at = NOW) {
  const own: UserModels = userModelsSchema.parse(models);
  return modelInfo(parseModelRef(name), at, undefined, own);
}

test("a user's model has what the file says, and nothing is made up", () => {
  const name = 'compatible/qwen3-32b';
  const info = told(name, {
    [name]: {
      contextTokens: 40_960,
      temperature: { min: 0, max: 1 },
      capabilities: ['vision', 'function_calling'],
      prices: [{ input: 0.1, output: 0.3 }],
    },
  });
  expect(info).toMatchObject({
    contextTokens: 40_960,
    maxOutputTokens: null,
    sampling: { kind: 'temperature', min: 0, max: 1 },
    capabilities: ['function_calling', 'vision'],
    knowledgeCutoff: null,
    source: USER_SOURCE,
    batchPrices: null,
  });
  expect(costNano(info, USAGE)).toBe(400_000_000);
  expect(info.prices).toEqual([
    { upTo: null, input: 0.1, output: 0.3, cacheRead: 0.1, cacheWrite5m: 0.1, cacheWrite1h: 0.1 },
  ]);
});

test('a price of theirs wins over ours from its day on; other facts of ours stay', () => {
  const name = 'anthropic/claude-sonnet-4-6';
  const models = { [name]: { prices: [{ from: '2026-12-01', input: 2, output: 10 }] } };
  expect(told(name, models).prices?.[0]).toMatchObject({ input: 3, output: 15 });
  const later = told(name, models, new Date('2026-12-01'));
  expect(later).toMatchObject({ contextTokens: 1_000_000, minCacheTokens: 1024 });
  expect(later.prices?.[0]).toMatchObject({ input: 2, output: 10 });
  expect(later.batchPrices?.[0]).toMatchObject({ input: 1, output: 5 });
});

test('tiers may stand in any order', () => {
  const prices = [
    { input: 2, output: 4 },
    { upTo: 1000, input: 1, output: 2 },
  ];
  const info = told('openai/gpt-4o', {
    'openai/gpt-4o': { prices, batch: 0.5, temperature: false, effort: ['low', 'high'] },
  });
  expect(info.prices?.map(({ upTo, input }) => [upTo, input])).toEqual([
    [1000, 1],
    [null, 2],
  ]);
  expect(info).toMatchObject({ sampling: { kind: 'none' }, effort: { levels: ['low', 'high'] } });
  expect(info.batchPrices?.[0]?.input).toBe(0.5);
});

test('another model is not meant', () => {
  expect(
    told('openai/gpt-4o-2024-11-20', { 'openai/gpt-4o': { prices: [{ input: 1, output: 1 }] } }).prices,
  ).toBeNull();
});
