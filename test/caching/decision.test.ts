import { decideCaching, lifeFor } from '../../src/caching/decision.js';
import { modelInfo } from '../../src/models/catalog.js';

const AT = new Date('2026-11-21');
const sonnet = modelInfo({ provider: 'anthropic', model: 'claude-sonnet-4-6' }, AT);
const gpt41 = modelInfo({ provider: 'openai', model: 'gpt-4.1' }, AT);
const unknown = { minCacheTokens: null, prices: null };
const base = { info: sonnet, prefixTokens: 3000, prompts: 100, minTokens: 1024, life: '5m' } as const;

test('five minutes up to 300 s, an hour above: nothing else is sold', () => {
  expect([60, 300, 301, 3600, 86_400].map(lifeFor)).toEqual(['5m', '5m', '1h', '1h', '1h']);
});

test('the arithmetic is the price list: 3,000 tokens at 3 dollars a million, written at 1.25, read at 0.1', () => {
  const decision = decideCaching(base);
  expect(decision).toMatchObject({ cache: true, reason: 'pays', reads: 99, minTokens: 1024 });
  expect(decision.premiumUsd).toBeCloseTo(0.003 * 0.75, 12);
  expect(decision.savedUsd).toBeCloseTo(99 * 0.003 * 2.7, 12);
  expect(decision.netUsd).toBeCloseTo(99 * 0.003 * 2.7 - 0.003 * 0.75, 12);
});

test('one prompt has nobody to read its cache; an hour at twice the price needs two reads', () => {
  expect(decideCaching({ ...base, prompts: 1 })).toMatchObject({ cache: false, reason: 'too_few_reads', reads: 0 });
  expect(decideCaching({ ...base, prompts: 2 }).cache).toBe(true);
  expect(decideCaching({ ...base, prompts: 2, life: '1h' })).toMatchObject({ cache: false, reason: 'too_few_reads' });
  expect(decideCaching({ ...base, prompts: 3, life: '1h' }).cache).toBe(true);
});

test("the model's minimum and the configured one both count", () => {
  expect(decideCaching({ ...base, prefixTokens: 1023 })).toMatchObject({ cache: false, reason: 'too_short' });
  expect(decideCaching({ ...base, prefixTokens: 1024 }).cache).toBe(true);
  expect(decideCaching({ ...base, minTokens: 4096 })).toMatchObject({ cache: false, minTokens: 4096 });
  const haiku = modelInfo({ provider: 'anthropic', model: 'claude-haiku-4-5' }, AT);
  expect(decideCaching({ ...base, info: haiku })).toMatchObject({ cache: false, reason: 'too_short', minTokens: 4096 });
});

test('where writing is free one read pays; without a price one read is enough', () => {
  expect(decideCaching({ ...base, info: gpt41, prompts: 2 })).toMatchObject({ cache: true, premiumUsd: 0 });
  expect(decideCaching({ ...base, info: unknown })).toMatchObject({
    cache: true,
    reason: 'price_unknown',
    netUsd: null,
  });
  expect(decideCaching({ ...base, info: unknown, prompts: 1 }).cache).toBe(false);
});
