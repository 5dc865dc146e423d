import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { BatchHandle } from '../../src/client/handle.js';
import { defineTask } from '../../src/task/defineTask.js';
import { itemId, shardId } from '../../src/workflows/ids.js';
import { Bench, outcomesOf, records, until } from '../support/bench.js';
import { containing } from '../support/match.js';

jest.setTimeout(60_000);

const schema = z.object({ mood: z.enum(['happy', 'sad']), words: z.int() });
const prompt = 'Greeting: {{text}}';
const task = defineTask({ name: 'greetings', model: 'anthropic/claude-sonnet-4-6', prompt, schema });
const onGemini = defineTask({ name: 'gemini', model: 'gemini/gemini-2.5-flash', prompt, schema });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ env: { GEMINI_API_KEY: 'wrong-key' } });
  await bench.work({ pools: ['anthropic', 'gemini'] });
});
afterAll(() => bench.close());
beforeEach(() => bench.clearLedger());

let next = 0;
/** Starts a batch of records nobody has used before. */
async function start(
  count: number,
  options: Parameters<Bench['tempered']['startBatch']>[2] = {},
  of = task,
): Promise<BatchHandle<unknown>> {
  const from = (next += 1_000);
  return bench.tempered.startBatch(of, records(count, from), options);
}
const promptsOf = async (batch: BatchHandle<unknown>) => (await batch.progress()).counters.prompts;
const hasStatus = (batch: BatchHandle<unknown>, status: string) =>
  until(async () => (await batch.progress()).status === status);
const requests = () => bench.sim.totals().requests;
const slow = (ms: number) => bench.scenario({ latency: { fixedMs: ms } });
/** The outcomes' states, `succeeded` counted together with their ends. */
async function tally(batch: BatchHandle<unknown>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status, error } of await outcomesOf(batch)) {
    const key = error === undefined ? status : `${status} ${error.code ?? error.category}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
const indices = async (batch: BatchHandle<unknown>) => (await outcomesOf(batch)).map(({ index }) => index);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test('pause starts no more prompts, resume continues, nothing is asked twice', async () => {
  await slow(100);
  const batch = await start(24, { concurrency: 2 });
  await until(async () => (await promptsOf(batch)) >= 3);
  await batch.pause('lunch');
  await hasStatus(batch, 'paused');
  expect(await batch.progress()).toMatchObject({ paused: { reason: 'user', message: 'lunch' } });
  // Workers know after half a second at most; then those in flight finish.
  await sleep(800);
  const before = requests();
  await sleep(400);
  expect(requests()).toBe(before);
  expect(before).toBeLessThan(24);
  await batch.resume();
  expect(await batch.result()).toMatchObject({ status: 'finished', succeeded: 24, prompts: 24 });
  expect(requests()).toBe(24);
});

test('concurrency changes while it runs; a value that makes no sense is refused', async () => {
  await slow(150);
  const batch = await start(30, { concurrency: 1 });
  await until(async () => (await promptsOf(batch)) >= 1);
  await expect(batch.setConcurrency(0)).rejects.toMatchObject({ category: 'input' });
  expect(await batch.setConcurrency(10)).toBe(10);
  expect(await batch.config()).toMatchObject({ options: { concurrency: 10 }, settings: { concurrency: 10 } });
  await until(async () => (await batch.progress()).counters.inFlight >= 5);
  expect(await batch.result()).toMatchObject({ succeeded: 30, prompts: 30 });
});

test('a batch pauses before its budget is exceeded, and a higher one continues it', async () => {
  await slow(400);
  // One prompt may cost $0.016 at most, and costs less than a tenth of it: a few are allowed.
  const batch = await start(12, { concurrency: 3, budgetUsd: 0.018 });
  await hasStatus(batch, 'paused');
  const { paused, money, counters } = await batch.progress();
  expect(paused).toMatchObject({ reason: 'budget', message: containing('tempered set') });
  expect(money.spentUsd).toBeLessThanOrEqual(0.018);
  expect(counters.prompts).toBeLessThan(12);
  expect(await batch.setBudget(1)).toBe(1);
  const summary = await batch.result();
  expect(summary).toMatchObject({ status: 'finished', succeeded: 12, prompts: 12 });
  expect(summary.costUsd).toBeCloseTo(bench.sim.totals().costUsd, 9);
});

test('with onBudget stop the rest gets no prompt, and says so', async () => {
  await slow(400);
  const batch = await start(12, { concurrency: 3, budgetUsd: 0.018, onBudget: 'stop' });
  const { status, succeeded, notRun } = await batch.result();
  expect({ status, all: succeeded + notRun }).toEqual({ status: 'stopped', all: 12 });
  expect(notRun).toBeGreaterThan(0);
  expect(await tally(batch)).toEqual({ ...(succeeded === 0 ? {} : { succeeded }), 'notRun budget': notRun });
});

test('a passed deadline ends the batch; every record has one outcome', async () => {
  await slow(300);
  const batch = await start(40, { concurrency: 2 });
  await until(async () => (await promptsOf(batch)) >= 2);
  await expect(batch.setDeadline('2020-01-01T00:00:00Z')).rejects.toMatchObject({ category: 'input' });
  const soon = new Date(Date.now() + 700).toISOString();
  expect(await batch.setDeadline(soon)).toBe(soon);
  const { status, succeeded } = await batch.result();
  expect(status).toBe('stopped');
  expect(await tally(batch)).toEqual({ succeeded, 'notRun deadline': 40 - succeeded });
  expect(requests()).toBe(succeeded);
});

test('limits change while it runs', async () => {
  await slow(50);
  const batch = await start(10, { concurrency: 5 });
  await expect(batch.setLimits({ rpm: -1 })).rejects.toMatchObject({ category: 'input' });
  await expect(batch.setLimits({})).rejects.toMatchObject({ category: 'input' });
  expect(await batch.setLimits({ inFlight: 1 })).toEqual({ inFlight: 1 });
  expect(await batch.setLimits({ rpm: 6_000 })).toEqual({ inFlight: 1, rpm: 6_000 });
  expect(await bench.tempered.pools()).toContainEqual(
    expect.objectContaining({ pool: 'anthropic', set: { inFlight: 1, rpm: 6_000 } }),
  );
  expect(await batch.setLimits({ inFlight: null, rpm: null })).toEqual({});
  expect(await batch.result()).toMatchObject({ succeeded: 10 });
});

test('a wrong key costs one request, whatever the concurrency; mended, the batch finishes', async () => {
  await bench.scenario({ keys: ['another-key'] });
  const batch = await start(200, { concurrency: 20 });
  await hasStatus(batch, 'paused');
  expect((await batch.progress()).paused).toMatchObject({ reason: 'authentication' });
  await sleep(700);
  expect(bench.sim.totals()).toMatchObject({ requests: 0, unbilled: { key: 1 } });
  expect((await batch.progress()).counters).toMatchObject({ prompts: 0, inFlight: 0, failed: 0 });
  await bench.scenario({});
  await batch.resume();
  expect(await batch.result()).toMatchObject({ status: 'finished', succeeded: 200, prompts: 200 });
  expect(requests()).toBe(200);
});

test('a key that goes bad midway pauses with at most one request per prompt in flight', async () => {
  await slow(50);
  const batch = await start(60, { concurrency: 5 });
  await until(async () => (await promptsOf(batch)) >= 10);
  await bench.scenario({ keys: ['another-key'] });
  await hasStatus(batch, 'paused');
  await sleep(700);
  expect(bench.sim.totals().unbilled['key']).toBeLessThanOrEqual(6);
  await bench.scenario({});
  await batch.resume();
  expect(await batch.result()).toMatchObject({ succeeded: 60, prompts: 60 });
});

test('another model continues a batch whose own has a wrong key', async () => {
  await slow(0);
  const batch = await start(6, {}, onGemini);
  await hasStatus(batch, 'paused');
  expect(await batch.setModel('anthropic/claude-haiku-4-5')).toBe('anthropic/claude-haiku-4-5');
  expect(await batch.result()).toMatchObject({ succeeded: 6 });
  expect(Object.keys(bench.sim.totals().byModel)).toEqual(['anthropic/claude-haiku-4-5']);
  const [first] = await outcomesOf(batch);
  expect(first?.prompts).toMatchObject([{ variation: { model: 'anthropic/claude-haiku-4-5' }, result: 'valid' }]);
});

test('records are cancelled one by one, before and while they are asked', async () => {
  await slow(5_000);
  const batch = await start(16, { concurrency: 4 });
  await until(async () => (await batch.progress()).counters.inFlight >= 3);
  // One whose workflow runs, one not started; and one by a signal to its own workflow.
  await batch.cancelItem(1);
  await batch.cancelItem(15);
  await batch.skip(2);
  await expect(batch.skip(99)).rejects.toMatchObject({ category: 'input' });
  // Answers stay slow until both have ended: a prompt sent only now would else be answered first.
  await until(async () => {
    const { failed, notRun } = (await batch.progress()).counters;
    return failed + notRun >= 2;
  });
  await slow(0);
  expect(await batch.result()).toMatchObject({ status: 'finished', succeeded: 13 });
  const outcomes = await outcomesOf(batch);
  expect(outcomes).toHaveLength(16);
  for (const index of [1, 2, 15]) expect(outcomes[index]).toMatchObject({ error: { category: 'cancelled' } });
  expect(outcomes[15]).toMatchObject({ status: 'notRun', prompts: [] });
});

test('records skipped before their turn, while the batch pauses, end as skipped', async () => {
  await slow(20_000);
  const batch = await start(12, { concurrency: 3 });
  const waiting = Array.from({ length: 6 }, (_, i) => i + 1);
  const ofAll = (look: (status: string) => boolean) => async () => {
    const all = waiting.map((index) => bench.client.workflow.getHandle(itemId(batch.id, index)).describe());
    return (await Promise.all(all).catch(() => [])).filter(({ status }) => look(status.name)).length === waiting.length;
  };
  await bench.releaseFirst();
  await until(ofAll((status) => status === 'RUNNING'));
  await Promise.all([...waiting.map((index) => batch.skip(index)), batch.pause('lunch')]);
  await until(ofAll((status) => status !== 'RUNNING'));
  await slow(0);
  await bench.release();
  await batch.resume();
  await batch.result();
  const outcomes = await outcomesOf(batch);
  for (const index of waiting) expect(outcomes[index]).toMatchObject({ error: { code: 'skipped' } });
});

test('cancel ends every record with one outcome; prompts in flight are in the journal', async () => {
  await slow(500);
  const batch = await start(20, { concurrency: 4 });
  await until(async () => (await promptsOf(batch)) >= 2 && (await batch.progress()).counters.inFlight >= 3);
  await batch.cancel();
  expect(await batch.result()).toMatchObject({ status: 'cancelled', items: 20 });
  expect(await indices(batch)).toEqual(upTo(20));
  const { inFlight, reservedNano, succeeded, failed, notRun } = (await batch.progress()).counters;
  expect({ inFlight, reservedNano, all: succeeded + failed + notRun }).toEqual({
    inFlight: 0,
    reservedNano: 0,
    all: 20,
  });
  const asked = (await outcomesOf(batch)).filter(({ prompts }) => prompts.length > 0);
  expect(asked.length).toBeGreaterThanOrEqual(5);
  expect((await bench.client.workflow.getHandle(batch.id).describe()).status.name).toBe('CANCELLED');
});

test('terminating an item or a shard in the UI leaves no record without its outcome', async () => {
  await slow(20_000);
  const batch = await start(60, { concurrency: 60 });
  await until(async () => (await batch.progress()).counters.inFlight >= 10);
  // One of the first shard whose answer has not come yet.
  const [waiting] = await bench.store.pending(batch.id, 0, 30);
  const index = waiting?.index ?? -1;
  await bench.client.workflow.getHandle(itemId(batch.id, index)).terminate('by a test');
  await bench.client.workflow.getHandle(shardId(batch.id, 1)).terminate('by a test');
  await slow(0);
  const summary = await batch.result();
  expect(summary).toMatchObject({ status: 'finished', items: 60 });
  expect(await indices(batch)).toEqual(upTo(60));
  expect((await outcomesOf(batch))[index]).toMatchObject({ error: { category: 'cancelled' } });
  const counts = await tally(batch);
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(60);
});

test('a batch terminated in the UI is closed by the next one who looks for its result', async () => {
  await slow(200);
  const batch = await start(20, { concurrency: 3 });
  await until(async () => (await promptsOf(batch)) >= 4);
  await bench.client.workflow.getHandle(batch.id).terminate('by a test');
  expect(await batch.result()).toMatchObject({ status: 'cancelled', items: 20 });
  expect(await indices(batch)).toEqual(upTo(20));
  const { succeeded, failed, notRun, inFlight } = (await batch.progress()).counters;
  expect({ all: succeeded + failed + notRun, inFlight }).toEqual({ all: 20, inFlight: 0 });
});
