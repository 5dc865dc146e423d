import { lowered, raised, type Rate } from '../../src/store/rate.js';

const NORMAL: Rate = { rpm: null, fullRpm: 0, at: 0 };

describe('a rate after overloads', () => {
  it('is cut from what was observed, once for overloads that come together', () => {
    const first = lowered(NORMAL, 1_000, 5_000);
    expect(first).toEqual({ rpm: 700, fullRpm: 1_000, at: 5_000 });
    expect(lowered(first, 900, 5_999)).toBe(first);
    const second = lowered(first, 900, 6_000);
    expect(second.rpm).toBeCloseTo(490);
    expect(second.fullRpm).toBe(1_000);
    expect(lowered({ rpm: 7, fullRpm: 10, at: 0 }, 7, 2_000).rpm).toBe(6);
  });

  it('rises with answers, evenly, and is lifted at the limit', () => {
    const low: Rate = { rpm: 700, fullRpm: 1_000, at: 0 };
    expect(raised(low, 1_000, 500).rpm).toBe(725);
    // However long nothing was heard, one answer is one step.
    expect(raised(low, 1_000, 60_000).rpm).toBe(750);
    expect(raised({ ...low, rpm: 980 }, 1_000, 1_000).rpm).toBeNull();
    expect(raised(NORMAL, 1_000, 1_000)).toBe(NORMAL);
  });

  it('tries more than failed before where no limit is known', () => {
    let rate: Rate = { rpm: 700, fullRpm: 1_000, at: 0 };
    let highest = 0;
    for (let at = 1_000; rate.rpm !== null; at += 1_000) {
      highest = rate.rpm;
      rate = raised(rate, undefined, at);
    }
    expect(highest).toBeGreaterThan(1_000);
    expect(highest).toBeLessThan(2_000);
  });
});
