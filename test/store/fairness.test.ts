import { fairPart, fairShares } from '../../src/store/fairness.js';

const batch = (waiting: number, weight = 1) => ({ waiting, weight });

describe('fair parts of a quota', () => {
  it('are everything for who is alone', () => {
    expect(fairPart({ a: batch(5) }, [], 10)).toEqual({ part: 1, here: { a: 1 } });
    expect(fairPart({}, [{}], 10)).toEqual({ part: 1, here: {} });
  });

  it('follow the weights of the batches, not the number of processes', () => {
    const others = [{ a: batch(100) }, { a: batch(100) }];
    expect(fairPart({ b: batch(100) }, others, 50).part).toBe(0.5);
    expect(fairPart({ a: batch(100) }, [{ a: batch(100) }, { b: batch(100) }], 50).part).toBe(0.25);
    expect(fairPart({ b: batch(100, 3) }, [{ a: batch(100) }], 40).part).toBe(0.75);
  });

  it('of a number of places add up to it, or to what is wanted', () => {
    expect(fairShares([{ a: batch(50) }, { a: batch(50), b: batch(100, 3) }], 80)).toEqual([10, 70]);
    expect(fairShares([{ a: batch(2, 9) }, { b: batch(100) }, {}], 10)).toEqual([2, 8, 0]);
    expect(fairShares([{ a: batch(0) }], 10)).toEqual([0]);
  });

  it('leave to others what a small batch does not want', () => {
    expect(fairPart({ b: batch(2) }, [{ a: batch(100) }], 50).part).toBeCloseTo(2 / 50);
    expect(fairPart({ a: batch(100) }, [{ b: batch(2, 9) }], 50).part).toBeCloseTo(48 / 50);
    expect(fairPart({ a: batch(3) }, [{ b: batch(2) }], Infinity).part).toBeCloseTo(3 / 5);
  });
});
