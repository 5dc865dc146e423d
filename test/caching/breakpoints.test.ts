import { cachesPrefix, estimateTokens } from '../../src/caching/breakpoints.js';

const ON = { enabled: true };

it("caches a prefix that reaches the model's minimum", () => {
  expect(estimateTokens('x'.repeat(4097))).toBe(1025);
  expect(cachesPrefix(ON, 'x'.repeat(4096), { minCacheTokens: 1024 })).toBe(true);
  expect(cachesPrefix(ON, 'x'.repeat(4092), { minCacheTokens: 1024 })).toBe(false);
});

it('asks when the minimum is unknown, and never without a prefix or when off', () => {
  expect(cachesPrefix(ON, 'short', { minCacheTokens: null })).toBe(true);
  expect(cachesPrefix(ON, '', { minCacheTokens: null })).toBe(false);
  expect(cachesPrefix(ON, undefined, { minCacheTokens: null })).toBe(false);
  expect(cachesPrefix({ enabled: false }, 'x'.repeat(9999), { minCacheTokens: 1 })).toBe(false);
});
