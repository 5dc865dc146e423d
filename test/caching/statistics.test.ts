import { cacheStatistics } from '../../src/caching/statistics.js';
import { ZERO_USAGE } from '../../src/task/usage.js';

const FACTS = { prompts: 10, blocks: 2, marked: 1, markedTokens: 1250, savedUsd: 0.5 };
const USAGE = { ...ZERO_USAGE, inputTokens: 20_000, cachedInputTokens: 10_000, cacheWriteTokens: 1000 };

it('tells what was hoped of the cache from what it did', () => {
  expect(cacheStatistics([{ ...FACTS, usage: USAGE }])).toEqual({
    totalBlocks: 20,
    cachedBlocks: 10,
    estimatedTokens: 12_500,
    hitPotential: 0.5,
    hitRate: 0.5,
    cachedTokens: 10_000,
    writtenTokens: 1000,
    effectiveInputTokens: 11_000,
    savedUsd: 0.5,
  });
});

it('adds batches up; what one does not know of its savings, the sum does not know', () => {
  const all = [
    { ...FACTS, usage: USAGE },
    { ...FACTS, marked: 0, markedTokens: 0, usage: ZERO_USAGE, savedUsd: null },
  ];
  expect(cacheStatistics(all)).toMatchObject({ totalBlocks: 40, cachedBlocks: 10, hitPotential: 0.25, savedUsd: null });
});

it('has no rate before the first prompt', () => {
  expect(cacheStatistics([])).toMatchObject({ hitRate: null, hitPotential: null, savedUsd: 0 });
});
