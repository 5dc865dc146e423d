import { batchCacheText, type CacheDecision, decisionText } from '../../src/task/cachePlan.js';

const pays: CacheDecision = {
  cache: true,
  reason: 'pays',
  prefixTokens: 3012,
  minTokens: 1024,
  reads: 6045,
  life: '5m',
  premiumUsd: 0.002259,
  savedUsd: 49.1591,
  netUsd: 49.15684,
};
const unpriced = { premiumUsd: null, savedUsd: null, netUsd: null };

test('a decision is told with its arithmetic', () => {
  const sum = '3,012 tokens × 6,045 reads save $49.16, writing costs $0.002259 more: net $49.16';
  expect(decisionText(pays)).toBe(`cached: ${sum}`);
  const few = { ...pays, cache: false, reason: 'too_few_reads', reads: 1, savedUsd: 0.001, netUsd: -0.001259 } as const;
  expect(decisionText(few)).toBe(
    'not cached: 3,012 tokens × 1 reads save $0.001000, writing costs $0.002259 more: net -$0.001259',
  );
});

test('what is not known, or not wanted, is said', () => {
  const say = (change: Partial<CacheDecision>) => decisionText({ ...pays, cache: false, ...change });
  expect(say({ cache: true, reason: 'price_unknown', ...unpriced })).toContain("the model's price is not known");
  expect(say({ reason: 'too_short', prefixTokens: 12, ...unpriced })).toContain('fewer than 1,024 are not cached');
  expect(say({ reason: 'too_few_reads', reads: 0, ...unpriced })).toContain('nobody reads the 3,012 tokens');
  expect(say({ reason: 'not_supported' })).toContain("isn't known to cache");
  expect(say({ reason: 'off' })).toContain('switched off');
  expect(say({ reason: 'no_place' })).toContain("the 3,012 tokens of schema and tools alone can't be marked");
});

test('marks that are left out are told', () => {
  const cache = { model: 'anthropic/claude-sonnet-4-6', prefix: 'p', countedBy: 'estimate', decision: pays } as const;
  expect(batchCacheText(cache)).toMatch(/\(estimated\)$/);
  expect(batchCacheText({ ...cache, marksDiffer: true })).toContain('(estimated); blocks the prompt function marks');
});

test('an explicit cache that is held back is told with the way to have it', () => {
  const cache = { model: 'gemini/gemini-2.5-flash', prefix: 'p', countedBy: 'provider', decision: pays } as const;
  expect(batchCacheText(cache)).not.toContain('explicit');
  const text = batchCacheText({ ...cache, explicitHeldBack: true });
  expect(text).toContain(
    '(counted by the provider); no explicit cache, though it would pay: what it costs is in no budget',
  );
  expect(text).toContain('cache.explicit: true');
});
