import { Tuner } from '../../src/limits/tuner.js';
import { AUTO_CONCURRENCY, tuned, type Tuning, UNTUNED } from '../../src/limits/tuning.js';

/** A window in which everything went well and the concurrency was used. */
const fine = (concurrency: number, meanMs = 100) => ({ prompts: 100, refused: 0, meanMs, inFlight: concurrency });

/** Lets an endpoint that takes `capacity` prompts at its best latency be tuned for some windows. */
function settle(capacity: number, windows: number, start = AUTO_CONCURRENCY.start): number[] {
  const seen: number[] = [];
  let concurrency = start;
  let tuning: Tuning = UNTUNED;
  for (let i = 0; i < windows; i += 1) {
    const meanMs = 100 * Math.max(1, concurrency / capacity);
    ({ concurrency, tuning } = tuned(tuning, fine(concurrency, meanMs), concurrency));
    seen.push(concurrency);
  }
  return seen;
}

describe('tuned', () => {
  it('doubles while answers come as fast as before', () => {
    expect(settle(1_000, 3)).toEqual([40, 80, 160]);
  });

  it.each([5, 30, 200])('finds what an endpoint of %d takes, and stays near it', (capacity) => {
    const last = settle(capacity, 200).slice(-100);
    expect(Math.min(...last)).toBeGreaterThanOrEqual(capacity * 0.5);
    expect(Math.max(...last)).toBeLessThanOrEqual(Math.max(AUTO_CONCURRENCY.start, capacity * 2.2));
  });

  it('shrinks on refusals at once, and rests afterwards', () => {
    const first = tuned(UNTUNED, { prompts: 100, refused: 30, meanMs: 100, inFlight: 40 }, 40);
    expect(first.concurrency).toBe(28);
    const second = tuned(first.tuning, fine(28), 28);
    expect(second.concurrency).toBe(28);
    let { tuning } = second;
    let concurrency = 28;
    for (let i = 0; i < 5; i += 1) ({ tuning, concurrency } = tuned(tuning, fine(concurrency), concurrency));
    // Then step by step, not in doubles.
    expect(concurrency).toBeGreaterThan(28);
    expect(concurrency).toBeLessThan(40);
  });

  it('a single refusal among many stops growth only', () => {
    expect(tuned(UNTUNED, { ...fine(40), refused: 1 }, 40).concurrency).toBe(40);
  });

  it('does not grow where the concurrency is not used: something else is the limit', () => {
    expect(tuned(UNTUNED, { ...fine(40), inFlight: 10 }, 40).concurrency).toBe(40);
  });

  it('stays within its bounds', () => {
    const { least, most } = AUTO_CONCURRENCY;
    expect(tuned(UNTUNED, fine(most), most).concurrency).toBe(most);
    expect(tuned(UNTUNED, { prompts: 9, refused: 9, meanMs: null, inFlight: 1 }, least).concurrency).toBe(least);
  });

  it('takes a slower endpoint as the new normal after a while', () => {
    let state = { tuning: tuned(UNTUNED, fine(50), 50).tuning, concurrency: 50 };
    const seen: number[] = [];
    for (let i = 0; i < 60; i += 1) {
      state = tuned(state.tuning, fine(state.concurrency, 300), state.concurrency);
      seen.push(state.concurrency);
    }
    expect(state.tuning.bestMs).toBeCloseTo(300);
    expect(Math.min(...seen)).toBeGreaterThan(10);
    expect(state.concurrency).toBeGreaterThan(50);
  });
});

describe('tuner', () => {
  it('proposes when a window is full, once, and begins anew at another concurrency', async () => {
    let now = 0;
    const proposals: unknown[] = [];
    const tuner = new Tuner({
      inFlight: () => Promise.resolve(20),
      propose: (proposal) => Promise.resolve(void proposals.push(proposal)),
      now: () => now,
    });
    const hear = async (count: number, concurrency: number, version = concurrency) => {
      for (let i = 0; i < count; i += 1) {
        now += 100;
        await tuner.heard('b', { version, concurrency }, 50);
      }
    };
    await hear(19, 20);
    expect(proposals).toEqual([]);
    await hear(30, 20);
    expect(proposals).toEqual([{ batchId: 'b', from: 20, to: 40 }]);
    // It was followed; 40 are not in flight, and stragglers don't count.
    for (let i = 0; i < 40; i += 1) {
      await hear(1, 40);
      await hear(1, 20);
    }
    expect(proposals).toHaveLength(1);
  });

  it('judges a slow endpoint too', async () => {
    let now = 0;
    const proposals: unknown[] = [];
    const tuner = new Tuner({
      inFlight: () => Promise.resolve(4),
      propose: (proposal) => Promise.resolve(void proposals.push(proposal)),
      now: () => now,
    });
    for (let i = 0; i < 3; i += 1) {
      now += 5_000;
      await tuner.heard('b', { version: 1, concurrency: 10 }, null);
    }
    expect(proposals).toEqual([{ batchId: 'b', from: 10, to: 7 }]);
  });
});
