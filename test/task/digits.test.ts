import { count } from '../../src/task/digits.js';

test.each([0, 7, 999, 1000, 123_456, 1_234_567, -1000, -999, 12.6, 999.5, Number.MAX_SAFE_INTEGER])(
  'counts %p as English text does',
  (value) => {
    expect(count(value)).toBe(Math.round(value).toLocaleString('en'));
  },
);
