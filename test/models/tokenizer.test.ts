import { tokenizerFor } from '../../src/models/tokenizer.js';

const TEXT = 'The quick brown fox jumps over the lazy dog.';

it("counts with OpenAI's own tokenizer", async () => {
  const { count, uncertainty } = await tokenizerFor({ provider: 'openai', model: 'gpt-4.1' });
  expect(count(TEXT)).toBe(10);
  expect(count('')).toBe(0);
  expect(uncertainty).toBeLessThan(0.05);
});

it('takes words that steer a tokenizer for text', async () => {
  const { count } = await tokenizerFor({ provider: 'openai', model: 'gpt-4o' });
  expect(count('<|endoftext|>')).toBeGreaterThan(1);
});

it.each([
  ['anthropic', 'claude-sonnet-4-6', 1.2],
  ['anthropic', 'claude-haiku-4-5-20251001', 1.2],
  ['anthropic', 'claude-opus-4-8', 1.56],
  ['openrouter', 'anthropic/claude-sonnet-5-5', 1.56],
  ['gemini', 'gemini-3.8-flash', 1.05],
  ['ollama', 'llama3.2', 1],
] as const)('corrects the count for %s/%s', async (provider, model, factor) => {
  const { count } = await tokenizerFor({ provider, model });
  expect(count(TEXT)).toBeCloseTo(10 * factor);
});

it('says that it does not know a tokenizer', async () => {
  const { basis, uncertainty } = await tokenizerFor({ provider: 'compatible', model: 'mine' });
  expect(basis).toMatch(/not known/);
  expect(uncertainty).toBe(0.25);
});

it('counts the rest of a very long text by its length', async () => {
  const { count } = await tokenizerFor({ provider: 'openai', model: 'gpt-4.1' });
  const long = 'word '.repeat(100_000);
  expect(count(long)).toBeCloseTo(100_000, -4);
});
