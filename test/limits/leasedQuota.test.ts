import { LeasedQuota } from '../../src/limits/leasedQuota.js';
import type { Lease } from '../../src/limits/types.js';

const EVERYTHING: Lease = {
  requests: Infinity,
  tokens: Infinity,
  inFlight: Infinity,
  cooldownUntil: 0,
  retryInMs: 100,
};

describe('leased quota', () => {
  let clock = 0;
  let quota = new LeasedQuota(() => clock);

  beforeEach(() => {
    clock = 10_000;
    quota = new LeasedQuota(() => clock);
  });

  it('lets nothing start before the first lease, nor on an old one', () => {
    expect(quota.fresh).toBe(false);
    quota.grant(EVERYTHING);
    expect(quota.fresh).toBe(true);
    expect(quota.blockedBy(1e9, {})).toBeNull();
    clock += 501;
    expect(quota.fresh).toBe(false);
    expect(quota.limited).toBe(false);
  });

  it('counts down what was leased', () => {
    const limits = { rpm: 60, tpm: 60_000, inFlight: 2 };
    quota.grant({ requests: 2, tokens: 250, inFlight: 2, cooldownUntil: 0, retryInMs: 100 });
    quota.start(100, limits);
    expect(quota.blockedBy(200, limits)).toBe('tokens per minute');
    quota.start(100, limits);
    expect(quota.blockedBy(1, limits)).toBe('in flight');
    quota.end(100, 90);
    expect(quota.blockedBy(1, limits)).toBe('requests per minute');
    quota.close(clock + 5);
    expect(quota.blockedBy(1, limits)).toBe('cooldown');
  });

  it('tells the store what was really used, again if it did not hear', () => {
    const limits = { tpm: 60_000 };
    quota.grant({ ...EVERYTHING, tokens: 1_000 });
    quota.start(400, limits);
    quota.end(400, 150);
    expect(quota.untold).toBe(true);
    // 250 too many were leased, and 600 lie idle.
    const asked = quota.wants([], limits);
    expect(asked).toMatchObject({ tokenCorrection: -850, inFlight: 0, wantInFlight: 0 });
    quota.untell(asked.tokenCorrection);
    expect(quota.wants([], limits).tokenCorrection).toBe(-850);
    quota.grant({ ...EVERYTHING, tokens: 0 });
    expect(quota.untold).toBe(false);
  });

  it('starts a prompt bigger than a part of the minute on that part; the rest is a debt', () => {
    const limits = { tpm: 12_000 };
    quota.grant({ ...EVERYTHING, tokens: 1_000 });
    expect(quota.blockedBy(50_000, limits)).toBeNull();
    quota.start(50_000, limits);
    quota.end(50_000, null);
    expect(quota.wants([], limits).tokenCorrection).toBe(49_000);
  });

  it('asks for those who wait, less what is left, and a little ahead', () => {
    const limits = { rpm: 600, tpm: 60_000 };
    quota.grant({ requests: 10, tokens: 1_000, inFlight: Infinity, cooldownUntil: 0, retryInMs: 100 });
    for (let started = 0; started < 4; started += 1) quota.start(100, limits);
    expect(quota.wants([100, 100, 500], limits)).toMatchObject({
      wantRequests: 3 + 4 - 6,
      wantTokens: 700 + 400 - 600,
      inFlight: 4,
      wantInFlight: 7,
    });
  });
});
