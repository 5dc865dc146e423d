import { cacheName, cacheNameChars, cacheOwner, isMadeFor } from '../../src/task/cacheTags.js';
import { optimizationLayerSchema } from '../../src/task/optimization.js';

const HASH = 'ab'.repeat(32);
const wanted = (tags: Record<string, string>, owner = 'cd'.repeat(8)) => ({ hash: HASH, owner, tags });

test('a name tells content, batch and tags, in one order', () => {
  const name = cacheName(wanted({ version: 'v 1', purpose: 'a=b&c' }));
  expect(name).toBe(`tempered:${'ab'.repeat(16)}:cdcdcdcd purpose=a%3Db%26c&version=v+1`);
  expect(cacheOwner(name, wanted({ purpose: 'a=b&c', version: 'v 1' }))).toBe('own');
  expect(cacheName(wanted({}))).toHaveLength(50);
});

test('every wanted tag must be there, letter for letter; more are allowed; the content always counts', () => {
  const name = cacheName(wanted({ version: 'v1', purpose: 'triage' }));
  const owner = (tags: Record<string, string>) => cacheOwner(name, wanted(tags, 'ef'.repeat(8)));
  expect(owner({})).toBe('other');
  expect(owner({ version: 'v1' })).toBe('other');
  expect([owner({ version: 'V1' }), owner({ Version: 'v1' }), owner({ version: 'v1', dataset: 'b' })]).toEqual(
    Array.from({ length: 3 }, () => null),
  );
  expect(cacheOwner(name, { ...wanted({}), hash: 'ac'.repeat(32) })).toBeNull();
  for (const other of [null, '', 'my cache', `tempered:${'ab'.repeat(16)}`]) {
    expect(cacheOwner(other, wanted({}))).toBeNull();
  }
});

test('tags whose name would pass 128 characters are an error', () => {
  const tags = (length: number) => ({ t: 'x'.repeat(length) });
  expect(cacheNameChars(tags(75))).toBe(128);
  const read = (length: number) => optimizationLayerSchema.safeParse({ cache: { cache_tags: tags(length) } });
  expect(read(75).success).toBe(true);
  expect(read(76).error?.issues[0]?.message).toContain('129 characters, and 128 are the most');
});

test('a cache tells which batch it was made for, whatever it holds', () => {
  const name = cacheName(wanted({ version: 'v1' }));
  expect(isMadeFor(name, 'cd'.repeat(8))).toBe(true);
  expect(isMadeFor(name, 'ce'.repeat(8))).toBe(false);
  for (const other of [null, 'my cache', `${'ab'.repeat(16)}:cdcdcdcd`])
    expect(isMadeFor(other, 'cd'.repeat(8))).toBe(false);
});
