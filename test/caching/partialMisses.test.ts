import { partialMissShare } from '../../src/caching/partialMisses.js';

const schema = (...names: string[]) => ({ properties: Object.fromEntries(names.map((name) => [name, {}])) });

it('is nearly all of a few partial prompts and hardly any of many', () => {
  const five = schema('a', 'b', 'c', 'd', 'e');
  expect(partialMissShare(five, 1)).toBeCloseTo(0.97, 2);
  expect(partialMissShare(five, 60)).toBeCloseTo(0.245, 3);
  expect(partialMissShare(five, 10_000)).toBeCloseTo(0.0015, 4);
});

it('grows with the fields that can fail, and needs none to be known', () => {
  expect(partialMissShare(schema('a', 'b'), 50)).toBeLessThan(partialMissShare(schema('a', 'b', 'c', 'd'), 50));
  expect(partialMissShare(undefined, 50)).toBeCloseTo(0.02, 2);
  expect(partialMissShare(undefined, 0)).toBe(0);
});
