import { perObject, sharedText } from '../../src/task/perObject.js';

it('makes what follows from an object once', () => {
  let calls = 0;
  const count = perObject((object: { readonly n: number }) => {
    calls += 1;
    return object.n === 0 ? null : object.n;
  });
  const none = { n: 0 };
  expect([count(none), count(none), count({ n: 2 })]).toEqual([null, null, 2]);
  expect(calls).toBe(2);
});

it('keeps nothing of a failure', () => {
  let calls = 0;
  const fails = perObject((_: object) => {
    calls += 1;
    if (calls === 1) throw new Error('not yet');
    return calls;
  });
  const object = {};
  expect(() => fails(object)).toThrow('not yet');
  expect(fails(object)).toBe(2);
});

it('tells equal objects apart, and gives equal texts', () => {
  expect(sharedText({ a: 1 })).toBe('{"a":1}');
  expect(sharedText({ a: 2 })).toBe('{"a":2}');
});
