import { inLanes } from '../../src/activities/lanes.js';

async function* upTo(count: number): AsyncGenerator<number, void> {
  for (let i = 0; i < count; i += 1) yield Promise.resolve(i);
}

test('every value is worked on once, at most so many at a time', async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  const work = async (value: number) => {
    most = Math.max(most, (running += 1));
    await new Promise(setImmediate);
    running -= 1;
    done.push(value);
  };
  expect(await inLanes(upTo(20), { lanes: 3, goOn: () => true, work })).toBe(true);
  expect(done.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(most).toBe(3);
});

test('it takes nothing more when told so', async () => {
  const done: number[] = [];
  const work = (value: number) => Promise.resolve(void done.push(value));
  expect(await inLanes(upTo(20), { lanes: 1, goOn: () => done.length < 4, work })).toBe(false);
  expect(done).toEqual([0, 1, 2, 3]);
});

test('an error is thrown when the other lanes have ended', async () => {
  const ended: number[] = [];
  const work = async (value: number) => {
    if (value === 1) throw new Error('one is bad');
    await new Promise(setImmediate);
    ended.push(value);
  };
  await expect(inLanes(upTo(20), { lanes: 3, goOn: () => true, work })).rejects.toThrow('one is bad');
  expect(ended).toEqual([0, 2]);
});
