import type { BatchHandle } from '../../src/client/handle.js';
import { defineTask } from '../../src/task/defineTask.js';
import { Bench, outcomesOf, records, until } from '../support/bench.js';
import { containing } from '../support/match.js';

jest.setTimeout(120_000);

const task = defineTask({
  name: 'stopped',
  model: 'anthropic/claude-sonnet-4-6',
  prompt: 'Say: {{text}}',
  promptTimeout: 2_000,
});
const unprepared = defineTask({
  name: 'unprepared',
  model: 'anthropic/claude-sonnet-4-6',
  prompt: 'Say: {{text}}',
  prepare: () => {
    throw new Error('no index there');
  },
});

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

const soon = (ms: number) => new Date(Date.now() + ms);
/** Outcomes other than `succeeded`: how many, by status, category and prompts. */
async function ends(batch: BatchHandle<unknown>): Promise<ReadonlySet<string>> {
  const left = (await outcomesOf(batch)).filter(({ status }) => status !== 'succeeded');
  return new Set(left.map(({ status, error, prompts }) => `${status} ${error?.category} ${prompts.length}`));
}

test('a deadline ends a batch whose prepare() failed and that waits for a person', async () => {
  const worker = await bench.work({ tasks: [unprepared] });
  const batch = await bench.tempered.startBatch(unprepared, records(3), { deadline: soon(5_000) });
  await until(async () => (await batch.progress()).status === 'paused');
  expect((await batch.progress()).paused?.message).toContain('no index there');
  expect(await batch.result()).toMatchObject({ status: 'stopped', notRun: 3, prompts: 0 });
  expect(await ends(batch)).toEqual(new Set(['notRun deadline 0']));
  await bench.leave(worker);
});

test('a first prompt whose record is cancelled by name is aborted; the others are asked', async () => {
  const worker = await bench.work();
  await bench.scenario({ latency: { fixedMs: 60_000 } });
  const patient = defineTask({ name: 'patient', model: 'anthropic/claude-sonnet-4-6', prompt: 'Say: {{text}}' });
  const batch = await bench.tempered.startBatch(patient, records(3, 100));
  await until(async () => (await batch.progress()).counters.inFlight === 1);
  await batch.cancelItem(0);
  await until(async () => (await batch.progress()).counters.failed === 1);
  await bench.scenario({});
  expect(await batch.result()).toMatchObject({ status: 'finished', succeeded: 2, failed: 1, prompts: 3 });
  const [first] = await outcomesOf(batch);
  const error = { category: 'cancelled', code: 'item_cancelled', message: containing('cancelItem') };
  expect(first).toMatchObject({ status: 'failed', error, prompts: [{ result: 'cancelled' }] });
  await bench.leave(worker);
});

test('a deadline that lets prompts finish does not wait for those no worker will ever send', async () => {
  const worker = await bench.work();
  await bench.scenario({ latency: { fixedMs: 200 } });
  const start = (from: number, execution: 'item' | 'inline') =>
    bench.tempered.startBatch(task, records(60, from), { concurrency: 2, execution });
  const [items, pages] = await Promise.all([start(1_000, 'item'), start(2_000, 'inline')]);
  for (const batch of [items, pages]) await until(async () => (await batch.progress()).counters.succeeded >= 3);
  await bench.leave(worker);

  // Its batches are steered, but nobody has the provider's key any more.
  await bench.work({ pools: [] });
  const first = await bench.tempered.startBatch(task, records(3, 3_000), { deadline: soon(1_000) });
  for (const batch of [items, pages]) await batch.setDeadline(soon(1_000).toISOString());
  for (const batch of [items, pages, first]) {
    expect(await batch.result()).toMatchObject({ status: 'stopped', failed: 0 });
    expect(await ends(batch)).toEqual(new Set(['notRun deadline 0']));
    const { items: all, succeeded, notRun, inFlight } = (await batch.progress()).counters;
    expect({ ended: succeeded + notRun, inFlight }).toEqual({ ended: all, inFlight: 0 });
  }
});
