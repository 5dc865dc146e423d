import { usualWeight } from '../../src/limits/weight.js';

test('small batches go before others, unless they may grow', () => {
  expect(usualWeight({ items: 100, open: false })).toBe(100);
  expect(usualWeight({ items: 101, open: false })).toBe(1);
  expect(usualWeight({ items: 3, open: true })).toBe(1);
});
