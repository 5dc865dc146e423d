import { costsOf, readCosts } from '../../src/client/costs.js';
import { openStore } from '../../src/store/openStore.js';
import type { SpendRow } from '../../src/store/types.js';
import { ZERO_USAGE } from '../../src/task/usage.js';

function spent(day: string, usd: number, more: Partial<SpendRow> = {}): SpendRow {
  return {
    batchId: `b-${day}-${usd}`,
    service: 'tickets',
    at: Date.parse(`${day}T12:00:00Z`),
    model: null,
    prompts: 10,
    unknownPrompts: 0,
    unpricedPrompts: 0,
    usage: { ...ZERO_USAGE, inputTokens: 100 },
    knownNano: usd * 1e9,
    unknownNano: 0,
    savingsNano: 0,
    ...more,
  };
}

const SINCE = Date.parse('2026-11-16');

it('compares a day with the day before, also the one before the period', () => {
  const rows = [spent('2026-11-16', 2), spent('2026-11-17', 1), spent('2026-11-17', 2)];
  const made = costsOf({ by: 'day', since: SINCE, rise: 0.6 }, rows, [spent('2026-11-15', 1)]);
  expect(made.rows).toMatchObject([
    { key: '2026-11-16', costUsd: 2, beforeUsd: 1, change: 1, rose: true },
    { key: '2026-11-17', costUsd: 3, beforeUsd: 2, change: 0.5, rose: false },
  ]);
  expect(made.total).toMatchObject({ costUsd: 5, prompts: 30, usage: { inputTokens: 300 } });
});

it('counts weeks from Monday', () => {
  const rows = [spent('2026-11-22', 1), spent('2026-11-23', 4)];
  const made = costsOf({ by: 'week', since: SINCE, rise: 0.25 }, rows, []);
  expect(made.rows).toMatchObject([
    { key: '2026-11-16', costUsd: 1, beforeUsd: null, rose: false },
    { key: '2026-11-23', costUsd: 4, beforeUsd: 1, change: 3, rose: true },
  ]);
});

it('puts the dearest service first and compares it with as long a time before', () => {
  const rows = [spent('2026-11-17', 1), spent('2026-11-17', 5, { service: 'emails' })];
  const made = costsOf({ by: 'service', since: SINCE, rise: 0.25 }, rows, [spent('2026-11-10', 4)]);
  expect(made.rows.map(({ key, change, rose }) => ({ key, change, rose }))).toEqual([
    { key: 'emails', change: null, rose: false },
    { key: 'tickets', change: -0.75, rose: false },
  ]);
  expect(made.total).toMatchObject({ beforeUsd: 4, change: 0.5, rose: true });
});

it('shows an unknown price as unknown, never as zero', () => {
  const rows = [spent('2026-11-17', 1, { model: 'a/b', unpricedPrompts: 1 }), spent('2026-11-17', 2, { model: 'c/d' })];
  const made = costsOf({ by: 'model', since: SINCE, rise: 0.25 }, rows, []);
  expect(made.rows.find(({ key }) => key === 'a/b')).toMatchObject({ costUsd: null, savingsUsd: null });
  expect(made.total.costUsd).toBeNull();
});

it('tells what prompts nobody told the usage of may have cost', () => {
  const rows = [spent('2026-11-17', 1, { unknownPrompts: 2, unknownNano: 5e8 })];
  expect(costsOf({ by: 'batch', since: SINCE, rise: 0.25 }, rows, []).total).toMatchObject({
    unknownPrompts: 2,
    unknownUsd: 0.5,
    costUsd: 1,
  });
});

it('begins with whole days and weeks, so that the second is no rise over a part of the first', async () => {
  const store = await openStore('sqlite::memory:');
  const now = Date.parse('2026-11-28T15:00:00Z');
  const since = new Date('2026-11-20T09:30:00Z');
  const from = async (by: 'day' | 'week' | 'service') => (await readCosts(store, { by, since }, now)).since;
  expect(await from('week')).toBe('2026-11-16T00:00:00.000Z');
  expect(await from('day')).toBe('2026-11-20T00:00:00.000Z');
  expect(await from('service')).toBe(since.toISOString());
  await store.close();
});
