import { schemaTokens, uncountedTokens } from '../../src/caching/uncounted.js';

const beside = { schema: { type: 'object' }, params: { tools: [{ name: 'look' }] } };

test("Gemini's count leaves out tools and schema; the others count them", () => {
  expect(uncountedTokens('gemini', beside)).toBe(5 + 5);
  expect(uncountedTokens('gemini', { schema: undefined, params: {} })).toBe(0);
  expect(uncountedTokens('anthropic', beside)).toBe(0);
  expect(schemaTokens(beside)).toBe(5);
});
