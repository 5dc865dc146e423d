import { didYouMean, nearest } from '../../src/task/nearest.js';

it('finds the names a person may have meant, nearest first', () => {
  const names = ['prompt', 'params', 'maxPrompts', 'model'];
  expect(nearest('promt', names)).toEqual(['prompt']);
  expect(nearest('modle', names)).toEqual(['model']);
  expect(nearest('prompts', names)).toEqual(['maxPrompts', 'prompt']);
  expect(nearest('zzz', names)).toEqual([]);
  expect(nearest('model', names)).toEqual([]);
});

it('asks in words', () => {
  expect(didYouMean('promt', ['prompt'])).toBe(' Did you mean prompt?');
  expect(didYouMean('ab', ['abc', 'abd', 'abe', 'abf'])).toBe(' Did you mean abc, abd or abe?');
  expect(didYouMean('q', ['prompt'])).toBe('');
});
