import { createControlCache } from '../../src/limits/controlCache.js';
import type { Control } from '../../src/store/types.js';
import { CONTROL as ANY_CONTROL } from '../store/fixtures.js';

const CONTROL: Control = { ...ANY_CONTROL, concurrency: 5 };

describe('control cache', () => {
  let clock = 0;
  let reads = 0;
  let answer: () => Promise<Control | undefined> = () => Promise.resolve(CONTROL);
  const cache = (): ReturnType<typeof createControlCache> => {
    clock = 0;
    reads = 0;
    return createControlCache(
      {
        readControl: () => {
          reads += 1;
          return answer();
        },
      },
      { now: () => clock },
    );
  };

  it('reads once for callers at the same time and for half a second', async () => {
    const control = cache();
    await Promise.all([control.read('b'), control.read('b')]);
    clock = 499;
    expect(await control.read('b')).toBe(CONTROL);
    expect(control.known('b')).toBe(CONTROL);
    expect(reads).toBe(1);
    clock = 500;
    expect(control.known('b')).toBeUndefined();
    await control.read('b');
    await control.read('other');
    expect(reads).toBe(3);
  });

  it('asks again after it was told to forget', async () => {
    const control = cache();
    await control.read('b');
    control.forget('b');
    await control.read('b');
    expect(reads).toBe(2);
  });

  it('says so when nothing was published, and does not remember a failure', async () => {
    const control = cache();
    answer = () => Promise.resolve(undefined);
    await expect(control.read('b')).rejects.toThrow('Batch "b" has not published');
    answer = () => Promise.reject(new Error('gone'));
    await expect(control.read('b')).rejects.toThrow('gone');
    answer = () => Promise.resolve(CONTROL);
    expect(await control.read('b')).toBe(CONTROL);
  });
});
