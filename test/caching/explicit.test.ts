import { resolveOptimization } from '../../src/caching/config.js';
import { decideExplicit } from '../../src/caching/explicit.js';
import { modelInfo } from '../../src/models/catalog.js';
import { storagePrice } from '../../src/models/storagePrice.js';
import { OPTIMIZATION_DEFAULTS } from '../../src/task/optimization.js';

const AT = new Date('2026-11-21');
const flash = modelInfo({ provider: 'gemini', model: 'gemini-2.5-flash' }, AT);
const newest = modelInfo({ provider: 'gemini', model: 'gemini-3.8-flash' }, AT);
const config = OPTIMIZATION_DEFAULTS.cache;
const prefix = { prefixTokens: 10_000, minTokens: 2048, reads: 10_000 };

test('what implicit caching is taken to miss must be worth more than making and storing the cache', () => {
  // A tenth of 10,000 reads at (0.30 - 0.03) dollars a million is $2.70; making it $0.003, an hour of storage $0.01.
  expect(decideExplicit(flash, prefix, config, false)).toEqual({
    make: true,
    heldBack: false,
    makeUsd: 0.003,
    storageUsdPerHour: 0.01,
  });
  expect(decideExplicit(flash, { ...prefix, reads: 47 }, config, false).make).toBe(false);
  expect(decideExplicit(flash, { ...prefix, reads: 49 }, config, false).make).toBe(true);
  expect(decideExplicit(flash, { ...prefix, reads: 49 }, { ...config, cacheTtlSeconds: 7200 }, false).make).toBe(false);
});

test('where the price of storage is not known it must be asked for, by word or by tags', () => {
  expect(storagePrice(newest.ref)).toBeNull();
  expect(decideExplicit(newest, prefix, config, false)).toEqual({
    make: false,
    heldBack: false,
    makeUsd: expect.any(Number),
    storageUsdPerHour: null,
  });
  expect(decideExplicit(newest, prefix, { ...config, explicit: true }, false).make).toBe(true);
  expect(decideExplicit(newest, prefix, { ...config, cacheTags: { a: 'b' } }, false).make).toBe(true);
  expect(decideExplicit(flash, prefix, { ...config, explicit: false, cacheTags: { a: 'b' } }, false).make).toBe(false);
});

test('where money is limited one that pays is held back, and made only if it is asked for', () => {
  const limited = (change: object, reads = 10_000) =>
    decideExplicit(flash, { ...prefix, reads }, { ...config, ...change }, true);
  expect(limited({})).toEqual({ make: false, heldBack: true, makeUsd: 0.003, storageUsdPerHour: 0.01 });
  expect(limited({}, 47)).toMatchObject({ make: false, heldBack: false });
  expect(limited({ explicit: false })).toMatchObject({ make: false, heldBack: false });
  expect(limited({ explicit: true })).toMatchObject({ make: true, heldBack: false });
  expect(limited({ cacheTags: { a: 'b' } })).toMatchObject({ make: true, heldBack: false });
});

test('a prefix that is too short, or that nobody reads, gets none whoever asks', () => {
  const asked = { ...config, explicit: true };
  expect(decideExplicit(flash, { ...prefix, prefixTokens: 2047 }, asked, false).make).toBe(false);
  expect(decideExplicit(flash, { ...prefix, reads: 0 }, asked, false).make).toBe(false);
});

test('it lives an hour and is renewed five minutes before its end; a renewal before the making is an error', () => {
  expect(config).toMatchObject({ cacheTtlSeconds: 3600, cacheRenewalBufferSeconds: 300, autoRenew: true });
  const read = (cacheTtlSeconds: number) => () => resolveOptimization([{ cache: { cacheTtlSeconds } }]);
  expect(read(300)).toThrow(/cacheRenewalBufferSeconds \(300\) must be less than cacheTtlSeconds \(300\)/);
  expect(read(301)).not.toThrow();
});
