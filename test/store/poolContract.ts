import { randomUUID } from 'node:crypto';
import { openStore } from '../../src/store/openStore.js';
import type { LeaseRequest } from '../../src/limits/types.js';
import type { Store } from '../../src/store/types.js';

function ask(pool: string, worker: string, more: Partial<LeaseRequest> = {}): LeaseRequest {
  return {
    pool,
    worker,
    wantRequests: 10,
    wantTokens: 1_000,
    inFlight: 0,
    wantInFlight: 10,
    tokenCorrection: 0,
    limits: {},
    ...more,
  };
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
        requests: Infinity,
        tokens: Infinity,
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
      const requests = leases.reduce((sum, lease) => sum + lease.requests, 0);
      const tokens = leases.reduce((sum, lease) => sum + lease.tokens, 0);
      expect(requests).toBe(4);
      expect(tokens).toBeGreaterThanOrEqual(1_000);
      // What flows in while the test runs is part of it.
      expect(tokens).toBeLessThan(4_000);
      const empty = await store.lease(ask(pool, 'a', { limits, wantTokens: 4_000 }));
      expect(empty.requests).toBe(0);
      expect(empty.retryInMs).toBeGreaterThanOrEqual(100);
    });

    it('takes refunds and debts of tokens into account', async () => {
      const pool = randomUUID();
      const limits = { tpm: 60_000 };
      await store.lease(ask(pool, 'a', { limits }));
      const debt = await store.lease(ask(pool, 'a', { limits, tokenCorrection: 50_000 }));
      expect(debt.tokens).toBe(0);
      expect(debt.retryInMs).toBe(10_000);
      const refund = await store.lease(ask(pool, 'a', { limits, tokenCorrection: -52_000 }));
      expect(refund.tokens).toBeGreaterThan(0);
    });

    it("holds the lowest limit any live worker's batches bring", async () => {
      const pool = randomUUID();
      await store.lease(ask(pool, 'strict', { limits: { rpm: 60 } }));
      expect((await store.lease(ask(pool, 'lax', { limits: { rpm: 60_000 } }))).requests).toBeLessThanOrEqual(1);
      expect((await store.lease(ask(pool, 'unlimited'))).requests).toBeLessThanOrEqual(1);
    });

    it('shares places in flight fairly, never more than there are', async () => {
      const pool = randomUUID();
      const limits = { inFlight: 10 };
      const wish = { limits, wantInFlight: 100 };
      expect((await store.lease(ask(pool, 'a', wish))).inFlight).toBe(10);
      expect((await store.lease(ask(pool, 'b', wish))).inFlight).toBe(0);
      expect((await store.lease(ask(pool, 'a', { ...wish, inFlight: 10 }))).inFlight).toBe(5);
      expect((await store.lease(ask(pool, 'b', wish))).inFlight).toBe(0);
      await store.lease(ask(pool, 'a', { ...wish, inFlight: 7 }));
      expect((await store.lease(ask(pool, 'b', wish))).inFlight).toBe(3);
      await store.dropLeases('a');
      expect((await store.lease(ask(pool, 'b', { ...wish, inFlight: 3 }))).inFlight).toBe(10);
    });

    it('tells everybody of a cooldown, which only moves later', async () => {
      const pool = randomUUID();
      const until = Date.now() + 5_000;
      await store.cooldown(pool, until);
      await store.cooldown(pool, until - 3_000);
      const lease = await store.lease(ask(pool, 'a'));
      expect(Math.abs(lease.cooldownUntil - until)).toBeLessThan(1_000);
      const limited = await store.lease(ask(pool, 'a', { limits: { rpm: 600 } }));
      expect(limited.requests).toBe(0);
      expect(limited.retryInMs).toBeGreaterThan(2_000);
      await store.cooldown(pool, Date.now() - 1);
      expect((await store.lease(ask(pool, 'a'))).cooldownUntil).toBeGreaterThan(Date.now());
    });
  });
}
