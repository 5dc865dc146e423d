import fc from 'fast-check';
import { burstOf, fillPerSecond, levelAt, waitFor } from '../../src/store/bucket.js';
import { placesFor, type WorkerShare } from '../../src/store/shares.js';

describe('bucket', () => {
  it('never lets more than the limit into any of the provider’s minutes, however it is asked', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3_000 }),
        fc.array(fc.integer({ min: 1, max: 4_000 }), { minLength: 50, maxLength: 300 }),
        (perMinute, pauses) => {
          let bucket = { level: 0, filledAt: 0 };
          let now = 1_000_000;
          const grants: { readonly at: number; readonly granted: number }[] = [];
          for (const pause of pauses) {
            now += pause;
            const level = levelAt(bucket, perMinute, now);
            const granted = Math.floor(level);
            bucket = { level: level - granted, filledAt: now };
            grants.push({ at: now, granted });
          }
          for (const { at } of grants) {
            const minute = grants.filter((grant) => grant.at >= at && grant.at < at + 60_000);
            expect(minute.reduce((sum, { granted }) => sum + granted, 0)).toBeLessThanOrEqual(perMinute);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('uses nearly all of a limit', () => {
    expect(burstOf(6_000)).toBe(100);
    expect(60 * fillPerSecond(6_000)).toBeGreaterThan(0.96 * 6_000);
    expect(60 * fillPerSecond(1)).toBeGreaterThan(0.9);
  });

  it('drains a refund over the burst as fast as it would fill, down to the burst', () => {
    const refunded = { level: 5_000, filledAt: 0 };
    expect(levelAt(refunded, 6_000, 1_000)).toBeCloseTo(5_000 - fillPerSecond(6_000));
    expect(levelAt(refunded, 6_000, 600_000)).toBe(100);
  });

  it('does not run backwards with the clock', () => {
    expect(levelAt({ level: 3, filledAt: 10_000 }, 600, 0)).toBe(3);
  });

  it('tells when there is enough', () => {
    expect(waitFor(5, 1, 600)).toBe(0);
    expect(waitFor(0, 1, 600)).toBeGreaterThan(100);
    expect(waitFor(0, 1, 600)).toBeLessThan(110);
    // More than the burst never accumulates: it comes in pieces.
    expect(waitFor(0, 1_000, 600)).toBe(waitFor(0, 10, 600));
  });
});

describe('places in flight', () => {
  const share = fc.record<WorkerShare>({
    granted: fc.integer({ min: 0, max: 20 }),
    inFlight: fc.integer({ min: 0, max: 20 }),
    fair: fc.integer({ min: 0, max: 20 }),
  });

  it('never gives out more than are free, nor more than wanted', () => {
    fc.assert(
      fc.property(
        fc.nat(100),
        fc.array(share, { maxLength: 5 }),
        fc.integer({ min: 1, max: 60 }),
        (wanted, others, limit) => {
          const places = placesFor(wanted, others, limit);
          const held = others.reduce((sum, other) => sum + Math.max(other.granted, other.inFlight), 0);
          expect(places).toBeGreaterThanOrEqual(0);
          expect(places).toBeLessThanOrEqual(wanted);
          expect(places).toBeLessThanOrEqual(Math.max(0, limit - held));
        },
      ),
    );
  });

  it('comes to the fair parts when everybody wants more than there is', () => {
    const workers = Array.from({ length: 3 }, () => ({ granted: 0, inFlight: 0, fair: 0 }));
    for (let round = 0; round < 5; round += 1) {
      for (const worker of workers) {
        worker.fair = 10;
        worker.granted = placesFor(
          100,
          workers.filter((other) => other !== worker),
          30,
        );
        // Prompts above the share end, those below it start.
        worker.inFlight = worker.granted;
      }
    }
    expect(workers.map((worker) => worker.granted)).toEqual([10, 10, 10]);
  });
});
