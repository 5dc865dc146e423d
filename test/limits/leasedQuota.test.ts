import { LeasedQuota } from '../../src/limits/leasedQuota.js';
import type { Lease } from '../../src/limits/types.js';
import { amounts, type Amounts } from '../../src/task/limits.js';
import type { PoolLimits } from '../../src/task/spec.js';

function lease(granted: Partial<Amounts>, limits: PoolLimits = {}, more: Partial<Lease> = {}): Lease {
  return {
    granted: { ...amounts(() => Infinity), ...granted },
    inFlight: Infinity,
    cooldownUntil: 0,
    retryInMs: 100,
    settings: {},
    limits,
    overloaded: false,
    here: {},
    places: {},
    ...more,
  };
}

const tokens = (input: number, output = 0) => ({ input, output });

describe('leased quota', () => {
  let clock = 0;
  let quota = new LeasedQuota(() => clock);

  beforeEach(() => {
    clock = 10_000;
    quota = new LeasedQuota(() => clock);
  });

  it('lets nothing start before the first lease, nor on an old one', () => {
    expect(quota.fresh).toBe(false);
    quota.grant(lease({}));
    expect(quota.fresh).toBe(true);
    expect(quota.blockedBy(tokens(1e9))).toBeNull();
    clock += 501;
    expect(quota.fresh).toBe(false);
    expect(quota.limited).toBe(false);
  });

  it('gives back what is left of a lease that counts no more', () => {
    const limits = { rpm: 6_000 };
    quota.grant(lease({ requests: 20 }, limits));
    quota.end(quota.start(tokens(10)), null);
    quota.expire();
    expect(quota.fresh).toBe(false);
    expect(quota.blockedBy(tokens(10))).toBe('requests per minute');
    expect(quota.wants([tokens(10)], limits)).toMatchObject({ correction: { requests: -19, tokens: 0 } });
    quota.grant(lease({ requests: 1 }, { rpm: 1 }));
    quota.start(tokens(10));
    expect(quota.blockedBy(tokens(10))).toBe('requests per minute');
  });

  it('counts down what was leased', () => {
    const limits = { rpm: 60, tpm: 60_000, inFlight: 2 };
    quota.grant(lease({ requests: 2, tokens: 250 }, limits, { inFlight: 2 }));
    const first = quota.start(tokens(100));
    expect(quota.blockedBy(tokens(200))).toBe('tokens per minute');
    quota.start(tokens(60, 40));
    expect(quota.blockedBy(tokens(1))).toBe('in flight');
    quota.end(first, tokens(90));
    expect(quota.blockedBy(tokens(1))).toBe('requests per minute');
    quota.close(clock + 5);
    expect(quota.blockedBy(tokens(1))).toBe('cooldown');
  });

  it('counts input and output apart where they are limited apart', () => {
    quota.grant(lease({ inputTokens: 100, outputTokens: 30 }, { inputTpm: 6_000, outputTpm: 1_800 }));
    expect(quota.blockedBy(tokens(101, 10))).toBe('input tokens per minute');
    expect(quota.blockedBy(tokens(100, 31))).toBe('output tokens per minute');
    quota.end(quota.start(tokens(60, 20)), tokens(50, 30));
    expect(quota.wants([], {}).correction).toMatchObject({ requests: 0, inputTokens: -50, outputTokens: 0 });
  });

  it('says when a lowered rate is what holds prompts back, and how fast they really started', () => {
    quota.grant(lease({ requests: 1 }, { rpm: 42 }, { overloaded: true }));
    quota.start(tokens(1));
    expect(quota.blockedBy(tokens(1))).toBe('overload');
    clock += 2_000;
    quota.start(tokens(1));
    expect(quota.observedRpm).toBe(60);
    clock += 60_000;
    expect(quota.observedRpm).toBe(0);
  });

  it('gives a prompt that was not sent back whole, as if it had never started', () => {
    const limits = { rpm: 600, tpm: 12_000 };
    quota.grant(lease({ requests: 2, tokens: 1_100 }, limits));
    quota.start(tokens(100));
    for (let tries = 0; tries < 5; tries += 1) quota.end(quota.start(tokens(50_000)), 'unsent');
    expect(quota.observedRpm).toBe(60);
    expect(quota.inFlight).toBe(1);
    expect(quota.blockedBy(tokens(1_000))).toBeNull();
    // Ahead only for the one that was sent.
    expect(quota.wants([tokens(1_000)], limits)).toMatchObject({
      want: { requests: 1, tokens: 100 },
      correction: { requests: 0, tokens: 0 },
      answered: false,
    });
    // With nobody left it goes back to all workers.
    expect(quota.wants([], limits)).toMatchObject({ correction: { requests: -1, tokens: -1_000 } });
  });

  it('tells the store what was really used, again if it did not hear', () => {
    const limits = { tpm: 60_000 };
    quota.grant(lease({ tokens: 1_000 }, limits));
    quota.end(quota.start(tokens(400)), tokens(150));
    expect(quota.untold).toBe(true);
    // 250 too many were leased, and 600 lie idle.
    const asked = quota.wants([], limits);
    expect(asked).toMatchObject({ correction: { tokens: -850 }, answered: true, inFlight: 0, wantInFlight: 0 });
    quota.untell(asked);
    expect(quota.wants([], limits)).toMatchObject({ correction: { tokens: -850 }, answered: true });
    quota.grant(lease({ tokens: 0 }, limits, { inFlight: 0, granted: amounts(() => 0) }));
    expect(quota.untold).toBe(false);
  });

  it('starts a prompt bigger than a part of the minute on that part; the rest is a debt', () => {
    const limits = { tpm: 12_000 };
    quota.grant(lease({ tokens: 1_000 }, limits));
    expect(quota.blockedBy(tokens(50_000))).toBeNull();
    quota.end(quota.start(tokens(50_000)), null);
    expect(quota.wants([], limits).correction.tokens).toBe(49_000);
  });

  it('asks for those who wait, less what is left, and a little ahead', () => {
    const limits = { rpm: 600, tpm: 60_000 };
    quota.grant(lease({ requests: 10, tokens: 1_000 }, limits));
    for (let started = 0; started < 4; started += 1) quota.start(tokens(100));
    expect(quota.wants([tokens(100), tokens(100), tokens(500)], limits)).toMatchObject({
      want: { requests: 3 + 4 - 6, tokens: 700 + 400 - 600 },
      inFlight: 4,
      wantInFlight: 7,
    });
  });
});
