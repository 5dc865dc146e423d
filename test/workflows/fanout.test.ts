import fc from 'fast-check';
import {
  itemsInFlight,
  MAX_SHARD_ITEMS,
  nextShardSize,
  openShardTarget,
  shares,
  type Supply,
  takeRange,
  waiting,
} from '../../src/workflows/fanout.js';

describe('shards of a batch', () => {
  test('fifty prompts in flight are one shard, each further fifty one more', () => {
    expect([1, 50, 51, 100, 101, 1_000].map(openShardTarget)).toEqual([1, 1, 2, 2, 3, 20]);
  });

  test('a small batch is split evenly over the free places', () => {
    expect(nextShardSize(120, 1)).toBe(120);
    expect(nextShardSize(120, 2)).toBe(60);
    expect(nextShardSize(7, 3)).toBe(3);
    expect(nextShardSize(1_000_000, 4)).toBe(MAX_SHARD_ITEMS);
  });

  test('shares add up to the concurrency and differ by at most one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (concurrency) => {
        const parts = shares(concurrency, openShardTarget(concurrency));
        expect(parts.reduce((a, b) => a + b, 0)).toBe(concurrency);
        expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('a shard runs some records more than its share, to have the next ones ready', () => {
    expect([1, 10, 25, 50].map(itemsInFlight)).toEqual([2, 20, 50, 75]);
  });

  test('every waiting record is handed out exactly once, returned ones first', () => {
    const range = fc.tuple(fc.nat(50), fc.nat(50)).map(([from, length]) => [from, from + length + 1] as const);
    const supplies = fc.record({
      returned: fc.array(range, { maxLength: 4 }),
      cursor: fc.nat(100),
      more: fc.nat(2_000),
    });
    fc.assert(
      fc.property(supplies, fc.integer({ min: 1, max: 600 }), ({ returned, cursor, more }, size) => {
        let supply: Supply = { returned, cursor, items: cursor + more };
        const expected = [...returned.flatMap(([from, to]) => numbers(from, to)), ...numbers(cursor, cursor + more)];
        expect(waiting(supply)).toBe(expected.length);
        const handed: number[] = [];
        for (let taken = takeRange(supply, size); taken !== undefined; taken = takeRange(supply, size)) {
          handed.push(...numbers(...taken.range));
          supply = taken.rest;
        }
        expect(handed).toEqual(expected);
        expect(waiting(supply)).toBe(0);
      }),
    );
  });
});

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
