import { estimateText } from '../../src/cli/estimateText.js';
import type { ExplicitCacheEstimate, ModelEstimate } from '../../src/client/estimate/types.js';
import { ZERO_USAGE } from '../../src/task/usage.js';

function linesFor(explicitCache: ExplicitCacheEstimate | null): readonly string[] {
  const one: ModelEstimate = {
    model: 'gemini/gemini-2.5-flash',
    sampled: 40,
    tokenBasis: 'counted by gemini',
    prefixTokens: 3000,
    caching: null,
    explicitCache,
    promptTokens: 3200,
    promptTokensMargin: 0,
    answerTokens: 20,
    answerBasis: 'from 80 earlier records',
    promptsPerRecord: 1,
    retryBasis: 'from 80 earlier records',
    usage: ZERO_USAGE,
    cost: null,
    uncachedUsd: null,
    batchApiUsd: null,
    seconds: 1,
    limitedBy: 'concurrency',
    budget: null,
    pilot: null,
  };
  const made = { task: 'tickets', source: 'tickets.jsonl', items: 80, preset: 0, skipped: [], estimates: [one] };
  return estimateText(made, 'tempered run task.ts tickets.jsonl').filter((line) => line.includes('explicit'));
}

const cache = { made: true, tokens: 3000, makeUsd: 0.0009, storageUsdPerHour: 0.003 };

test('an explicit cache is told with what it costs, which is in no other figure', () => {
  expect(linesFor(null)).toEqual([]);
  expect(linesFor(cache)).toEqual([
    '  explicit   cache of 3,000 tokens would be made: $0.0009 to make, $0.0030 an hour to keep; billed apart, not in the cost',
  ]);
});

test('a price nobody knows is no zero, and a cache that money held back says why', () => {
  expect(linesFor({ ...cache, makeUsd: null, storageUsdPerHour: null })[0]).toContain(
    'unpriced to make, unpriced an hour',
  );
  expect(linesFor({ ...cache, made: false })[0]).toMatch(
    /no explicit cache, though it would pay: .*cache\.explicit: true/,
  );
});
