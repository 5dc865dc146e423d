import { nanoToUsd, usdToNano } from '../../src/task/money.js';

it('counts money in whole nano-dollars', () => {
  expect(usdToNano(0.1) + usdToNano(0.2)).toBe(usdToNano(0.3));
  expect(nanoToUsd(usdToNano(12.345678901))).toBe(12.345678901);
});
