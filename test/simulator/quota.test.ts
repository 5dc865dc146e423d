import { Quota } from '../../src/simulator/quota.js';
import { askAnthropic, askGemini, askOpenai, at, simulate, stopAll } from './wire.js';

afterAll(stopAll);

describe("an account's quota", () => {
  it('is full at first, is used up, and fills again', () => {
    const quota = new Quota();
    const limits = { rpm: 60 };
    for (let i = 0; i < 60; i += 1) expect(quota.take('a', 10, limits, 0).refusedBy).toBeNull();
    expect(quota.take('a', 10, limits, 0)).toEqual({
      requests: { limit: 60, remaining: 0, resetMs: 60_000 },
      tokens: null,
      inputTokens: null,
      outputTokens: null,
      refusedBy: 'requests',
      retryAfterMs: 1000,
    });
    expect(quota.take('b', 10, limits, 0).refusedBy).toBeNull();
    expect(quota.take('a', 10, limits, 999).refusedBy).toBe('requests');
    expect(quota.take('a', 10, limits, 1000).refusedBy).toBeNull();
    expect(quota.take('a', 10, limits, 1001).retryAfterMs).toBeCloseTo(999);
  });

  it('counts tokens of the answer afterwards, and lets one too large a request through a full bucket', () => {
    const quota = new Quota();
    const limits = { tpm: 600 };
    expect(quota.take('a', 5000, limits, 0).refusedBy).toBeNull();
    expect(quota.take('a', 1, limits, 0).refusedBy).toBe('tokens');
    expect(quota.take('b', 100, limits, 0).tokens).toEqual({ limit: 600, remaining: 500, resetMs: 10_000 });
    quota.charge('b', { input: 0, output: 600 }, limits, 0);
    expect(quota.take('b', 100, limits, 0)).toMatchObject({ refusedBy: 'tokens', retryAfterMs: 20_000 });
  });
});

describe('enforced limits', () => {
  it('are told in headers, and each key has its own', async () => {
    const { url, totals } = await simulate({ limits: { rpm: 2, tpm: 100_000 } });
    const first = await askAnthropic(url);
    expect(first.headers.get('anthropic-ratelimit-requests-limit')).toBe('2');
    expect(first.headers.get('anthropic-ratelimit-requests-remaining')).toBe('1');
    expect(first.headers.get('anthropic-ratelimit-tokens-limit')).toBe('100000');
    expect(first.headers.get('anthropic-ratelimit-requests-reset')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    await askAnthropic(url);
    const third = await askAnthropic(url);
    expect(third.status).toBe(429);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(20);
    const other = await askAnthropic(url, {}, { 'x-api-key': 'other', 'anthropic-version': '2026-10-21' });
    expect(other.status).toBe(200);
    expect(totals()).toMatchObject({ requests: 3, unbilled: { quota: 1 } });
  });

  it("in OpenAI's and Gemini's words", async () => {
    const { url } = await simulate({ limits: { rpm: 1 } });
    const first = await askOpenai(url);
    expect(first.headers.get('x-ratelimit-limit-requests')).toBe('1');
    expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('0');
    expect(first.headers.get('x-ratelimit-reset-requests')).toMatch(/^(?:1m0s|59(\.\d+)?s)$/);
    const second = await askOpenai(url);
    expect(second.status).toBe(429);
    expect(second.headers.get('retry-after')).toMatch(/^(?:60|59)$/);
    await askGemini(url);
    const gemini = await askGemini(url);
    expect(at(gemini.body, 'error', 'details', 0)).toEqual({
      '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
      violations: [{ quotaId: 'GenerateRequestsPerMinutePerProjectPerModel' }],
    });
  });

  it('never let more through than the quota and what it refilled', async () => {
    const { url, totals } = await simulate({ limits: { rpm: 40 } });
    const started = Date.now();
    await Promise.all(Array.from({ length: 120 }, () => askAnthropic(url)));
    const refilled = ((Date.now() - started) / 60_000) * 40;
    expect(totals().requests).toBeGreaterThanOrEqual(40);
    expect(totals().requests).toBeLessThanOrEqual(40 + Math.ceil(refilled));
  });
});
