import fc from 'fast-check';
import {
  countOf,
  divisionFor,
  firstIndex,
  indicesOf,
  MAX_PAGE_RECORDS,
  NARROW,
  nextPage,
  takePage,
  toRanges,
  WIDE,
} from '../../src/workflows/paging.js';

describe('pages of a shard', () => {
  test('several are open at once, none has more than a hundred records', () => {
    expect(nextPage(2_000, 50, 0)).toEqual({ records: 40, lanes: 5 });
    expect(nextPage(1_700, 50, 46)).toEqual({ records: 40, lanes: 4 });
    expect(nextPage(2_000, 200, 0)).toEqual({ records: 100, lanes: 20 });
    expect(nextPage(1_600, 50, 48)).toBeNull();
  });

  test('few records are spread over the whole share', () => {
    expect(nextPage(100, 50, 0)).toEqual({ records: 10, lanes: 5 });
    expect(nextPage(3, 50, 0)).toEqual({ records: 1, lanes: 1 });
    // Five rounds for each: a page of fewer lanes gets fewer records.
    expect(nextPage(249, 50, 0)).toEqual({ records: 25, lanes: 5 });
    expect(nextPage(54, 50, 41)).toEqual({ records: 30, lanes: 5 });
  });

  test('one prompt in flight is given small pages, so that a new share is used soon', () => {
    expect(nextPage(29, 1, 0)).toEqual({ records: 10, lanes: 1 });
    expect(nextPage(19, 10, 1)).toEqual({ records: 3, lanes: 1 });
  });

  test('fast answers make pages longer', () => {
    expect(divisionFor(60_000)).toEqual(NARROW);
    expect(divisionFor(200)).toEqual({ openPages: 10, rounds: 15 });
    expect(divisionFor(0)).toEqual({ openPages: 10, rounds: 25 });
    expect(nextPage(2_000, 50, 0, divisionFor(50))).toEqual({ records: 100, lanes: 5 });
  });

  test('shards that began with wide pages go on with them', () => {
    expect(nextPage(2_000, 50, 0, WIDE)).toEqual({ records: 100, lanes: 13 });
    expect(nextPage(1_900, 50, 39, WIDE)).toEqual({ records: 100, lanes: 11 });
    expect(nextPage(29, 1, 0, WIDE)).toEqual({ records: 10, lanes: 1 });
  });

  test('lanes never exceed the share, and a free share always finds a page', () => {
    const shares = fc.record({ waiting: fc.nat(3_000), share: fc.integer({ min: 1, max: 60 }) });
    fc.assert(
      fc.property(shares, ({ waiting, share }) => {
        let left = waiting;
        let used = 0;
        for (let page = nextPage(left, share, used); page !== null; page = nextPage(left, share, used)) {
          expect(page.records).toBeGreaterThanOrEqual(1);
          expect(page.records).toBeLessThanOrEqual(Math.min(MAX_PAGE_RECORDS, left));
          expect(page.lanes).toBeLessThanOrEqual(page.records);
          left -= page.records;
          used += page.lanes;
        }
        expect(used).toBeLessThanOrEqual(share);
        if (waiting > 0) expect(used).toBeGreaterThan(0);
      }),
    );
  });
});

describe('ranges', () => {
  const rising = fc.uniqueArray(fc.nat(500)).map((all) => [...all].sort((a, b) => a - b));

  test('stand for the same indices, and divide into a page and the rest', () => {
    fc.assert(
      fc.property(rising, fc.integer({ min: 1, max: 100 }), (indices, size) => {
        const ranges = toRanges(indices);
        expect(indicesOf(ranges)).toEqual(indices);
        expect(countOf(ranges)).toBe(indices.length);
        expect(firstIndex(ranges, 600)).toBe(indices[0] ?? 600);
        const { page, rest } = takePage(ranges, size);
        expect(indicesOf(page)).toEqual(indices.slice(0, size));
        expect(indicesOf(rest)).toEqual(indices.slice(size));
      }),
    );
  });

  test('neighbours are one range', () => {
    expect(toRanges([0, 1, 2, 5, 7, 8])).toEqual([
      [0, 3],
      [5, 6],
      [7, 9],
    ]);
  });
});
