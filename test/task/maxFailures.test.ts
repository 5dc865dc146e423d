import { exceeds, isMaxFailures } from '../../src/task/maxFailures.js';

test.each([0, 20, '5%', '0.5%', '99%'])('%p is a limit', (value) => expect(isMaxFailures(value)).toBe(true));
test.each([-1, 1.5, '5', '0%', '0.0%', '100%', '-5%', '5 %', null])('%p is none', (value) =>
  expect(isMaxFailures(value)).toBe(false),
);

test('a number is exceeded by one more, however few were asked', () => {
  expect(exceeds({ failures: 3, asked: 3 }, 3)).toBe(false);
  expect(exceeds({ failures: 4, asked: 4 }, 3)).toBe(true);
  expect(exceeds({ failures: 1, asked: 1 }, 0)).toBe(true);
});

test('a share is judged from 20 records and 5 failures on', () => {
  expect(exceeds({ failures: 19, asked: 19 }, '5%')).toBe(false);
  expect(exceeds({ failures: 20, asked: 20 }, '5%')).toBe(true);
  expect(exceeds({ failures: 4, asked: 20 }, '5%')).toBe(false);
  expect(exceeds({ failures: 5, asked: 20 }, '5%')).toBe(true);
  expect(exceeds({ failures: 5, asked: 100 }, '5%')).toBe(false);
  expect(exceeds({ failures: 6, asked: 100 }, '5%')).toBe(true);
});
