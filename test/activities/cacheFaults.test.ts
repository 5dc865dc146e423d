import { CacheFaults } from '../../src/activities/cacheFaults.js';

describe('what a process learned of caches', () => {
  test('a refusal of breakpoints holds for its batch and model alone', () => {
    const faults = new CacheFaults();
    faults.refused('a', 'anthropic/x');
    expect(faults.refuses('a', 'anthropic/x')).toBe(true);
    expect(faults.refuses('a', 'anthropic/y')).toBe(false);
    expect(faults.refuses('b', 'anthropic/x')).toBe(false);
  });

  test('refusals are remembered up to a bound, the latest ones', () => {
    const faults = new CacheFaults();
    for (let i = 0; i <= 1000; i++) faults.refused(`b${i}`, 'anthropic/x');
    expect(faults.refuses('b0', 'anthropic/x')).toBe(false);
    expect(faults.refuses('b1', 'anthropic/x')).toBe(true);
    expect(faults.refuses('b1000', 'anthropic/x')).toBe(true);
  });

  test('a vanished cache is told once', () => {
    const faults = new CacheFaults();
    expect([faults.lost('c'), faults.lost('c')]).toEqual([true, false]);
  });

  test('tags that are in no cache are told of once a batch', () => {
    const faults = new CacheFaults();
    expect([faults.tagsDropped('a'), faults.tagsDropped('a'), faults.tagsDropped('b')]).toEqual([true, false, true]);
  });
});
