import { PoolBook } from '../../src/limits/poolBook.js';

describe('pools as configured', () => {
  const book = new PoolBook({
    opus: { models: ['anthropic/claude-opus-*', 'anthropic/special'], rpm: 50, perDayUsd: 20, dayStart: '08:30' },
    anthropic: { rpm: 1_000, tpm: 2_000 },
  });

  it('are found by model, else by provider', () => {
    expect(book.poolOf('anthropic/claude-opus-5')).toBe('opus');
    expect(book.poolOf('anthropic/special')).toBe('opus');
    expect(book.poolOf('anthropic/special-2')).toBe('anthropic');
    expect(book.poolOf('openrouter/meta/llama')).toBe('openrouter');
  });

  it('have settings, and a day of their own', () => {
    expect(book.settingsOf('opus')).toEqual({ rpm: 50, perDayUsd: 20 });
    expect(book.settingsOf('gemini')).toEqual({});
    const day = book.dayOf('anthropic', Date.UTC(2027, 0, 2));
    expect(book.dayOf('anthropic', Date.UTC(2027, 0, 2) - 1)).toBe(day - 1);
    expect(book.dayOf('opus', Date.UTC(2027, 0, 2, 8, 29, 59))).toBe(day - 1);
    expect(book.dayOf('opus', Date.UTC(2027, 0, 2, 8, 30))).toBe(day);
  });
});
