import { exitOf, exitOfError } from '../../src/cli/exit.js';
import { clock, cut, money, percent, perSecond, plural } from '../../src/cli/format.js';
import { concurrency, deadline, dollars, duration, hostPort, names, orNone, wholeNumber } from '../../src/cli/parse.js';
import { Rates } from '../../src/cli/rates.js';
import { remedyFor } from '../../src/cli/remedies.js';
import { panelLines, plainLine } from '../../src/cli/view.js';
import type { BatchSnapshot } from '../../src/client/snapshot.js';
import { ERROR_CATEGORIES, type ErrorCategory, TemperedError } from '../../src/task/errors.js';
import { ZERO_USAGE } from '../../src/task/usage.js';

const paint = { bold: (text: string) => text, green: (text: string) => text };

function snapshot(change: Partial<BatchSnapshot> = {}): BatchSnapshot {
  return {
    batchId: 'tickets-11111111-22222222',
    taskName: 'tickets',
    taskHash: 'h',
    source: 'tickets.jsonl',
    retryOf: null,
    status: 'running',
    reason: null,
    paused: null,
    cache: null,
    model: 'anthropic/claude-sonnet-4-6',
    queue: 'llm-anthropic',
    concurrency: 50,
    autoConcurrency: false,
    counters: {
      items: 120,
      succeeded: 60,
      partial: 1,
      failed: 2,
      notRun: 0,
      prompts: 80,
      usage: { ...ZERO_USAGE, inputTokens: 10_000, cachedInputTokens: 2_500, outputTokens: 900 },
      inFlight: 43,
      unknownPrompts: 0,
      unpricedPrompts: 0,
      spentNano: 431_200_000,
      unknownNano: 0,
      reservedNano: 0,
      cacheSavingsNano: 0,
      stages: { '1': { valid: 55, invalid: 8, error: 0 }, '2': { valid: 5, invalid: 3, error: 1 } },
    },
    done: 63,
    money: { spentUsd: 0.4312, unknownUsd: 0, reservedUsd: 0, cacheSavingsUsd: 0, budgetUsd: 5 },
    startedAt: 1_000,
    finishedAt: null,
    asOf: 43_000,
    ...change,
  };
}

test('numbers look the same everywhere', () => {
  expect([plural(1, 'record'), plural(1234567, 'record')]).toEqual(['1 record', '1,234,567 records']);
  expect([clock(42), clock(725), clock(11_220)]).toEqual(['0:42', '12:05', '3:07:00']);
  expect([percent(0), percent(0.005), percent(0.999)]).toEqual(['0 %', '0.5 %', '99 %']);
  expect([perSecond(0.254), perSecond(9.81)]).toEqual(['0.25/s', '9.8/s']);
  expect(cut('abcdef', 4)).toBe('abc…');
});

test('money that is not known is never $0', () => {
  expect([money(null), money(0), money(0.00001), money(0.4312), money(12.345)]).toEqual([
    'unpriced',
    '$0',
    '<$0.0001',
    '$0.4312',
    '$12.35',
  ]);
});

test('option values are parsed strictly', () => {
  expect(wholeNumber(1)('50')).toBe(50);
  for (const bad of ['0', '-1', '1.5', 'ten', '']) expect(() => wholeNumber(1, 100)(bad)).toThrow(/from 1 to 100/);
  expect([dollars('5'), dollars('$0.25'), dollars('.5')]).toEqual([5, 0.25, 0.5]);
  expect(() => dollars('5 EUR')).toThrow(/dollars/);
  expect([orNone(dollars)('none'), orNone(dollars)('3')]).toEqual(['none', 3]);
  expect(names('anthropic, gemini,')).toEqual(['anthropic', 'gemini']);
});

test('concurrency is a number or auto; a length of time, an address', () => {
  expect([concurrency('auto'), concurrency('7')]).toEqual(['auto', 7]);
  for (const bad of ['0', 'many', '10001']) expect(() => concurrency(bad)).toThrow(/1 to 10000, or auto/);
  expect([duration('90s'), duration('1h30m')]).toEqual([90_000, 5_400_000]);
  for (const bad of ['10', '0s', '2030-01-01']) expect(() => duration(bad)).toThrow(/such as 90s/);
  expect(hostPort('127.0.0.1:9464')).toBe('127.0.0.1:9464');
  for (const bad of ['9464', 'host:0', 'host:70000', 'http://x:1']) expect(() => hostPort(bad)).toThrow(/host:port/);
});

test('a deadline is a time from now or an ISO time', () => {
  const inMs = (text: string) => deadline(text).getTime() - Date.now();
  expect(inMs('90s')).toBeGreaterThan(85_000);
  expect(inMs('1h30m')).toBeGreaterThan(5_395_000);
  expect(deadline('2030-01-01T00:00:00Z').toISOString()).toBe('2030-01-01T00:00:00.000Z');
  for (const bad of ['soon', '10', '5x', '2030-99-99']) expect(() => deadline(bad)).toThrow(/time from now/);
});

test('the panel names what people look for, within the width', () => {
  const rates = new Rates();
  rates.measure(snapshot({ done: 30, asOf: 33_000 }));
  const speed = rates.measure(snapshot());
  const lines = panelLines({ snapshot: snapshot(), speed, limiter: 'rate limit (tokens per minute)' }, 100, paint);
  expect(lines).toEqual([
    'tickets-11111111-22222222  running',
    '  ████████████░░░░░░░░░░░░ 52 %',
    '  records    63/120 done, 2 failed, 1 partial, 43 in flight',
    '  stages     1: 55 of 63 valid > 2: 5 of 9 valid',
    '  tokens     10,000 in (25 % cached), 900 out, 0/min',
    '  money      $0.4312 spent, $0.8213 projected, budget $5.0000',
    '  time       0:42 since start, 3.3/s, ETA 0:17',
    '  limited by rate limit (tokens per minute)',
  ]);
  for (const line of panelLines({ snapshot: snapshot(), speed, limiter: null }, 40, paint)) {
    expect(line.length).toBeLessThanOrEqual(40);
  }
});

test('a plain line is one line, unpriced money is named', () => {
  const unpriced = snapshot({ money: { ...snapshot().money, spentUsd: null } });
  const line = plainLine({ snapshot: unpriced, speed: new Rates().measure(unpriced), limiter: null });
  expect(line).toContain('63/120 done, 2 failed, 1 partial, 43 in flight');
  expect(line).toContain('| unpriced |');
  expect(line).not.toContain('\n');
});

test('every category has what to do, and exit codes follow the contract', () => {
  for (const category of ERROR_CATEGORIES) {
    const remedy = remedyFor(category, 'b', 0);
    if (category !== 'input') expect(remedy).toMatch(/tempered /);
  }
  const end = (status: 'finished' | 'paused' | 'stopped' | 'cancelled', failed = 0, partial = 0) =>
    exitOf({ status, failed, partial, notRun: 0 }, []);
  expect([end('finished'), end('finished', 1), end('finished', 0, 1)]).toEqual([0, 2, 2]);
  expect([end('paused'), end('stopped', 1), end('cancelled')]).toEqual([3, 3, 3]);
  expect(exitOfError(new TemperedError('network', 'x'))).toBe(4);
  expect(exitOfError(new TemperedError('input', 'x'))).toBe(1);
});

test('a finished batch whose records were left out is a success only when somebody wanted that', () => {
  const left = (...causes: readonly (readonly [ErrorCategory, string | null, number])[]) => {
    const failures = causes.map(([category, code, count]) => ({ category, code, count }));
    return exitOf({ status: 'finished', failed: 0, partial: 0, notRun: 3 }, failures);
  };
  expect(left(['cancelled', 'item_cancelled', 1], ['cancelled', 'skipped', 1], ['input', 'skipped', 1])).toBe(0);
  expect(left(['deadline', 'item_timeout', 3])).toBe(2);
  expect(left(['cancelled', 'skipped', 2], ['cancelled', 'workflow_gone', 1])).toBe(2);
  expect(left(['input', null, 3])).toBe(2);
});
