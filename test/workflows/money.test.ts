import { defineTask } from '../../src/task/defineTask.js';
import { Bench, until } from '../support/bench.js';

jest.setTimeout(120_000);

const RECORDS = 260;

// Of widely varying cost; what is reserved for a prompt is several times what it comes to.
const records = Array.from({ length: RECORDS }, (_, i) => ({
  text: `${'word '.repeat(20 + ((i * 37) % 100) * 15)}${i}`,
}));
const task = defineTask({
  name: 'dear',
  model: 'anthropic/claude-opus-4-5',
  prompt: 'Sum up: {{text}}',
  maxOutputTokens: 500,
  maxPrompts: 1,
  cache: { enabled: false },
});

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
  await bench.scenario({ latency: { meanMs: 60, p95Ms: 150 } });
  await bench.work();
});
afterAll(() => bench.close());

const billedUsd = () => bench.sim.totals().costUsd;

test.each(['item', 'inline'] as const)(
  '%s: a budget is used up, never passed; a higher one ends it',
  async (execution) => {
    await bench.clearLedger();
    const options = { batchId: execution, execution, concurrency: 100, budgetUsd: 1 };
    const batch = await bench.tempered.startBatch(task, records, options);
    const paused = await until(async () => {
      const snapshot = await batch.progress();
      return snapshot.status === 'paused' && snapshot.counters.inFlight === 0 && snapshot;
    });
    expect(paused.paused).toMatchObject({ reason: 'budget' });
    expect(billedUsd()).toBeLessThanOrEqual(1);
    expect(billedUsd()).toBeGreaterThanOrEqual(0.9);
    expect(paused.money.spentUsd).toBeCloseTo(billedUsd(), 9);
    expect(paused.done).toBeLessThan(RECORDS);
    await batch.setBudget(10);
    expect(await batch.result()).toMatchObject({ status: 'finished', succeeded: RECORDS, prompts: RECORDS });
    expect(billedUsd()).toBeGreaterThan(1);
  },
);

test("a pool's day is shared by its batches, and pauses them with the reason", async () => {
  await bench.clearLedger();
  await bench.store.setPool('anthropic', { perDayUsd: (await spentToday()) + 0.2 });
  const names = ['one', 'two'];
  const batches = await Promise.all(
    names.map((batchId) => bench.tempered.startBatch(task, records.slice(0, 80), { batchId, concurrency: 50 })),
  );
  const paused = await Promise.all(
    batches.map((batch) =>
      until(async () => {
        const snapshot = await batch.progress();
        return snapshot.status === 'paused' && snapshot.counters.inFlight === 0 && snapshot;
      }),
    ),
  );
  expect(billedUsd()).toBeLessThanOrEqual(0.2);
  expect(billedUsd()).toBeGreaterThan(0.05);
  for (const { paused: pause } of paused) {
    expect(pause?.reason).toBe('quota_exhausted');
    expect(pause?.message).toContain('tempered set --pool anthropic --per-day');
  }
  await bench.store.setPool('anthropic', { perDayUsd: null });
  for (const batch of batches) await batch.cancel();
  for (const batch of batches) await batch.result();
});

/** What the first test spent of this pool's day. */
async function spentToday(): Promise<number> {
  const batches = await bench.tempered.batches();
  return batches.reduce((sum, { money }) => sum + (money.spentUsd ?? 0), 0);
}
