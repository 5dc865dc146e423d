import { randomUUID } from 'node:crypto';
import { openStore } from '../../src/store/openStore.js';
import type { LeaseRequest } from '../../src/limits/types.js';
import type { Store } from '../../src/store/types.js';
import { amounts } from '../../src/task/limits.js';

function ask(pool: string, worker: string, more: Partial<LeaseRequest> = {}): LeaseRequest {
  return {
    pool,
    worker,
    want: { ...amounts(() => 0), requests: 10, tokens: 1_000 },
    inFlight: 0,
    wantInFlight: 10,
    correction: amounts(() => 0),
    demand: {},
    places: {},
    answered: false,
    observedRpm: 0,
    limits: {},
    configured: {},
    ...more,
  };
}

/** Tokens alone. */
function ofTokens(count: number) {
  return { ...amounts(() => 0), tokens: count };
}

/** How quotas are shared. */
export function poolContract(url: () => string): void {
  describe('pools', () => {
    let store: Store;
    beforeAll(async () => {
      store = await openStore(url());
    });
    afterAll(async () => {
      await store.close();
    });

    it('grants everything where nothing is limited', async () => {
      expect(await store.lease(ask(randomUUID(), 'a'))).toMatchObject({
        granted: { requests: Infinity, tokens: Infinity },
        inFlight: Infinity,
        cooldownUntil: 0,
      });
    });

    it('leases requests and tokens once, whoever asks', async () => {
      const pool = randomUUID();
      const limits = { rpm: 240, tpm: 60_000 };
      const leases = await Promise.all(
        ['a', 'b', 'c', 'd'].map((worker) => store.lease(ask(pool, worker, { limits }))),
      );
      const requests = leases.reduce((sum, lease) => sum + lease.granted.requests, 0);
      const tokens = leases.reduce((sum, lease) => sum + lease.granted.tokens, 0);
      expect(requests).toBe(4);
      expect(tokens).toBeGreaterThanOrEqual(1_000);
      // What flows in while the test runs is part of it.
      expect(tokens).toBeLessThan(4_000);
      const empty = await store.lease(ask(pool, 'a', { limits, want: ofTokens(4_000) }));
      expect(empty.granted.requests).toBe(0);
      expect(empty.retryInMs).toBeGreaterThanOrEqual(100);
    });

    it('takes refunds and debts of tokens into account', async () => {
      const pool = randomUUID();
      const limits = { tpm: 60_000 };
      await store.lease(ask(pool, 'a', { limits }));
      const debt = await store.lease(ask(pool, 'a', { limits, correction: ofTokens(50_000) }));
      expect(debt.granted.tokens).toBe(0);
      expect(debt.retryInMs).toBe(10_000);
      const refund = await store.lease(ask(pool, 'a', { limits, correction: ofTokens(-52_000) }));
      expect(refund.granted.tokens).toBeGreaterThan(0);
    });

    it("holds the lowest limit any live worker's batches bring", async () => {
      const pool = randomUUID();
      await store.lease(ask(pool, 'strict', { limits: { rpm: 60 } }));
      expect((await store.lease(ask(pool, 'lax', { limits: { rpm: 60_000 } }))).granted.requests).toBeLessThanOrEqual(
        1,
      );
      expect((await store.lease(ask(pool, 'unlimited'))).granted.requests).toBeLessThanOrEqual(1);
    });

    it('shares places in flight fairly, never more than there are', async () => {
      const pool = randomUUID();
      const limits = { inFlight: 10 };
      const wish = { limits, wantInFlight: 100, demand: { batch: { waiting: 100, inFlight: 0, weight: 1 } } };
      expect((await store.lease(ask(pool, 'a', wish))).inFlight).toBe(10);
      expect((await store.lease(ask(pool, 'b', wish))).inFlight).toBe(0);
      expect((await store.lease(ask(pool, 'a', { ...wish, inFlight: 10 }))).inFlight).toBe(5);
      expect((await store.lease(ask(pool, 'b', wish))).inFlight).toBe(0);
      await store.lease(ask(pool, 'a', { ...wish, inFlight: 7 }));
      expect((await store.lease(ask(pool, 'b', wish))).inFlight).toBe(3);
      await store.dropLeases('a');
      expect((await store.lease(ask(pool, 'b', { ...wish, inFlight: 3 }))).inFlight).toBe(10);
    });

    it('shares places in flight by weight', async () => {
      const pool = randomUUID();
      const wish = (batch: string, weight: number, inFlight: number) => ({
        limits: { inFlight: 8 },
        inFlight,
        wantInFlight: 100,
        demand: { [batch]: { waiting: 100 - inFlight, inFlight, weight } },
      });
      const light = wish('light', 1, 0);
      expect((await store.lease(ask(pool, 'a', light))).inFlight).toBe(8);
      expect((await store.lease(ask(pool, 'b', wish('heavy', 3, 0)))).inFlight).toBe(0);
      // Whatever the number of workers, the light batch has a quarter.
      expect((await store.lease(ask(pool, 'a', wish('light', 1, 2)))).inFlight).toBe(2);
      expect((await store.lease(ask(pool, 'b', wish('heavy', 3, 0)))).inFlight).toBe(6);
      expect((await store.lease(ask(pool, 'c', light))).inFlight).toBe(0);
      // Of that, `c` is left its part.
      expect((await store.lease(ask(pool, 'a', wish('light', 1, 0)))).inFlight).toBe(1);
      expect((await store.lease(ask(pool, 'c', light))).inFlight).toBe(1);
      expect((await store.lease(ask(pool, 'b', wish('heavy', 3, 6)))).inFlight).toBe(6);
    });

    it("shares a batch's concurrency among processes, never more than there is", async () => {
      const pool = randomUUID();
      const asks = async (worker: string, demand: number, held: number, wanted = 10) => {
        const { places } = await store.lease(
          ask(pool, worker, { places: { batch: { limit: 10, demand, held, wanted } } }),
        );
        return places['batch'];
      };
      expect(await asks('a', 3, 0)).toEqual({ granted: 10, shared: false });
      expect(await asks('b', 30, 0)).toEqual({ granted: 0, shared: true });
      // `b` has ten times its prompts: of ten places one is left for it, and the part of a place beyond.
      expect(await asks('a', 3, 10)).toEqual({ granted: 1, shared: true });
      expect(await asks('b', 30, 0)).toEqual({ granted: 0, shared: true });
      await asks('a', 3, 1);
      expect(await asks('b', 30, 0)).toEqual({ granted: 9, shared: true });
      // What nobody used goes back.
      await asks('a', 0, 0, 0);
      expect(await asks('b', 30, 9)).toEqual({ granted: 10, shared: true });
      await asks('b', 0, 0, 0);
      const both = await Promise.all([asks('a', 20, 0), asks('b', 20, 0), asks('c', 20, 0)]);
      expect(both.reduce((sum, places) => sum + (places?.granted ?? 0), 0)).toBeLessThanOrEqual(10);
      expect(await store.leaseHolders()).toEqual(expect.arrayContaining(['a', 'b', 'c']));
      await Promise.all(['b', 'c'].map((worker) => store.dropLeases(worker)));
      expect(await asks('a', 20, 10)).toEqual({ granted: 10, shared: false });
    });

    it('holds nobody to the limits of a batch that has left, once its worker says so', async () => {
      const pool = randomUUID();
      const limits = { rpm: 6 };
      await store.lease(ask(pool, 'a', { limits }));
      expect((await store.lease(ask(pool, 'b'))).limits).toEqual(limits);
      await store.lease(ask(pool, 'a'));
      await store.lease(ask(pool, 'b'));
      expect((await store.lease(ask(pool, 'b'))).limits).toEqual({});
    });

    it('tells everybody of a cooldown, which only moves later', async () => {
      const pool = randomUUID();
      const until = Date.now() + 5_000;
      await store.cooldown(pool, until);
      await store.cooldown(pool, until - 3_000);
      const lease = await store.lease(ask(pool, 'a'));
      expect(Math.abs(lease.cooldownUntil - until)).toBeLessThan(1_000);
      const limited = await store.lease(ask(pool, 'a', { limits: { rpm: 600 } }));
      expect(limited.granted.requests).toBe(0);
      expect(limited.retryInMs).toBeGreaterThan(2_000);
      await store.cooldown(pool, Date.now() - 1);
      expect((await store.lease(ask(pool, 'a'))).cooldownUntil).toBeGreaterThan(Date.now());
    });

    it('holds what was set live, else what is configured, else what the provider told', async () => {
      const pool = randomUUID();
      const limitsOf = async (configured: LeaseRequest['configured'] = {}) =>
        (await store.lease(ask(pool, 'a', { configured }))).limits;
      await store.tellLimits(pool, 'm', { rpm: 100, outputTpm: 5_000 });
      await store.tellLimits(pool, 'm', { rpm: 90 });
      expect(await limitsOf()).toEqual({ rpm: 90, outputTpm: 5_000 });
      expect(await limitsOf({ rpm: 300 })).toEqual({ rpm: 300, outputTpm: 5_000 });
      expect(await store.setPool(pool, { rpm: 240, perDayUsd: 5 })).toEqual({ rpm: 240, perDayUsd: 5 });
      expect(await limitsOf({ rpm: 300 })).toEqual({ rpm: 240, outputTpm: 5_000 });
      expect((await store.lease(ask(pool, 'a'))).settings.perDayUsd).toBe(5);
      expect(await store.setPool(pool, { rpm: null, perDayUsd: null })).toEqual({});
      expect(await limitsOf()).toEqual({ rpm: 90, outputTpm: 5_000 });
      const batch = await store.lease(ask(pool, 'a', { limits: { rpm: 50 } }));
      expect(batch.limits.rpm).toBe(50);
      expect((await store.listPools()).find((known) => known.pool === pool)).toEqual({
        pool,
        set: {},
        told: { rpm: 90, outputTpm: 5_000 },
        rateRpm: null,
        cooldownUntil: 0,
      });
    });

    it("takes a day's money from the asking worker's own configuration, until one is set for all", async () => {
      const pool = randomUUID();
      const days = async () => {
        const asked = { a: 5, b: 9 };
        const leases = Object.entries(asked).map(([worker, perDayUsd]) =>
          store.lease(ask(pool, worker, { configured: { perDayUsd } })),
        );
        return (await Promise.all(leases)).map(({ settings }) => settings.perDayUsd);
      };
      expect(await days()).toEqual([5, 9]);
      await store.setPool(pool, { perDayUsd: 7 });
      expect(await days()).toEqual([7, 7]);
    });

    it('limits input and output apart', async () => {
      const pool = randomUUID();
      const limits = { inputTpm: 60_000, outputTpm: 6_000 };
      const want = { requests: 1, tokens: 9_000, inputTokens: 800, outputTokens: 5_000 };
      const { granted } = await store.lease(ask(pool, 'a', { limits, want }));
      expect(granted).toMatchObject({ requests: Infinity, tokens: Infinity, inputTokens: 800 });
      expect(granted.outputTokens).toBe(100);
    });

    it('lowers the rate once for overloads that come together, and raises it while answers come', async () => {
      const pool = randomUUID();
      await Promise.all([1, 2, 3].map(() => store.lowerRate(pool, 'a', 600)));
      const [state] = (await store.listPools()).filter((known) => known.pool === pool);
      expect(state?.rateRpm).toBe(420);
      const idle = await store.lease(ask(pool, 'a'));
      expect(idle).toMatchObject({ overloaded: true, limits: { rpm: 420 } });
      const busy = await store.lease(ask(pool, 'a', { answered: true }));
      expect(busy.limits.rpm).toBeGreaterThan(420);
    });

    it('lowers the rate from what the whole fleet starts, with limits and without', async () => {
      const rateOf = async (name: string) => (await store.listPools()).find(({ pool }) => pool === name)?.rateRpm;
      for (const limits of [{}, { rpm: 60_000 }]) {
        const pool = randomUUID();
        await store.lease(ask(pool, 'a', { limits, observedRpm: 100 }));
        await store.lease(ask(pool, 'b', { limits, observedRpm: 300 }));
        await store.lease(ask(pool, 'c', { limits, observedRpm: 400 }));
        // `a` says anew what it starts.
        await store.lowerRate(pool, 'a', 300);
        expect(await rateOf(pool)).toBe(700);
      }
      const limited = randomUUID();
      await store.lease(ask(limited, 'a', { configured: { rpm: 500 }, observedRpm: 400 }));
      await store.lease(ask(limited, 'b', { observedRpm: 400 }));
      await store.lowerRate(limited, 'b', 400);
      expect(await rateOf(limited)).toBe(350);
    });

    it('holds the lowest limits its models were told', async () => {
      const pool = randomUUID();
      const told = async () => (await store.listPools()).find((known) => known.pool === pool)?.told;
      await store.tellLimits(pool, 'big', { rpm: 50, outputTpm: 80_000 });
      await store.tellLimits(pool, 'small', { rpm: 4_000, outputTpm: 40_000 });
      expect(await told()).toEqual({ rpm: 50, outputTpm: 40_000 });
      expect((await store.lease(ask(pool, 'a'))).settings).toEqual({ rpm: 50, outputTpm: 40_000 });
      await store.tellLimits(pool, 'big', { rpm: 100 });
      expect(await told()).toEqual({ rpm: 100, outputTpm: 40_000 });
    });

    it('gives each process the part of the batches that wait there', async () => {
      const pool = randomUUID();
      const limits = { rpm: 60_000 };
      const wish = { limits, want: { ...amounts(() => 0), requests: 10_000 } };
      const one = {
        wide: { waiting: 900, inFlight: 0, weight: 1 },
        narrow: { waiting: 1_000, inFlight: 0, weight: 3 },
      };
      await store.lease(ask(pool, 'one', { ...wish, want: amounts(() => 0), demand: one }));
      const two = await store.lease(
        ask(pool, 'two', { ...wish, demand: { wide: { waiting: 900, inFlight: 0, weight: 1 } } }),
      );
      // Of 1,000 requests a quarter is for `wide`, and half of that waits here.
      expect(two.here).toEqual({ wide: 0.5, narrow: 0 });
      expect(two.granted.requests).toBeGreaterThanOrEqual(125);
      expect(two.granted.requests).toBeLessThan(250);
    });
  });
}
