import { isErrorCategory, TemperedError, thrownText } from '../../src/task/errors.js';

it('explains what happened, where, and what to do', () => {
  const bare = new TemperedError('input', 'It is wrong.');
  expect(bare.explanation).toBe('It is wrong.');
  const full = new TemperedError('input', 'It is wrong.', {
    remedy: 'Do this.',
    place: { file: 'a.json', line: 3 },
    cause: bare,
  });
  expect(full.explanation).toBe('a.json, line 3: It is wrong.\n  Do this.');
  expect(full.cause).toBe(bare);
});

it('knows its categories', () => {
  expect(isErrorCategory('rate_limit')).toBe(true);
  expect(isErrorCategory('toString')).toBe(false);
});

it('tells what anything thrown says', () => {
  expect(thrownText(new Error('a'))).toBe('a');
  expect(thrownText('b')).toBe('b');
  expect(thrownText(null)).toBe('null');
});
