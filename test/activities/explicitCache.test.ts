import { unlessGone } from '../../src/activities/explicitCache.js';
import { TemperedError } from '../../src/task/errors.js';

describe('a cache that may be gone', () => {
  const after = (category: 'permission' | 'model_not_found' | 'rate_limit' | 'invalid_request', message: string) =>
    unlessGone(() => Promise.reject(new TemperedError(category, message)));

  test('is gone when its provider knows none of that name', async () => {
    expect(await after('permission', 'gemini answered 403: CachedContent not found (or permission denied)')).toBeNull();
    expect(await after('model_not_found', 'gemini answered 404: cached content x not found')).toBeNull();
    expect(await unlessGone(() => Promise.resolve('there'))).toBe('there');
  });

  test.each([
    ['rate_limit', 'gemini answered 429: quota of cachedContents used up'],
    ['invalid_request', 'gemini answered 400: cachedContent.ttl is wrong'],
    ['permission', 'gemini answered 403: the key may not do that'],
  ] as const)('is there as far as %s tells: %s', async (category, message) => {
    await expect(after(category, message)).rejects.toThrow(message);
  });
});
