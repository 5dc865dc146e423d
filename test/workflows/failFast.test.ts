import { z } from 'zod';
import type { BatchHandle } from '../../src/client/handle.js';
import { defineTask } from '../../src/task/defineTask.js';
import { Bench, records, until } from '../support/bench.js';
import { containing, matching } from '../support/match.js';

jest.setTimeout(180_000);

const schema = z.object({ mood: z.enum(['happy', 'sad']), words: z.int() });
const prompt = 'Greeting: {{text}}';
const task = defineTask({ name: 'broken', model: 'anthropic/claude-sonnet-4-6', prompt, schema, maxFailures: '10%' });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open({ env: { GEMINI_API_KEY: 'wrong-key' } });
  await bench.work();
});
afterAll(() => bench.close());
beforeEach(() => bench.clearLedger());

const hasStatus = (batch: BatchHandle<unknown>, status: string) =>
  until(async () => (await batch.progress()).status === status);

test('a broken prompt costs the smallest sample and what is in flight; resume counts anew, a model that works ends it', async () => {
  // Every answer is refused: a failure at once, without later stages.
  await bench.scenario({ rates: { refusal: 1 }, latency: { fixedMs: 50 } });
  const batch = await bench.tempered.startBatch(task, records(120, 100), { concurrency: 4 });
  await hasStatus(batch, 'paused');
  const { paused, counters } = await batch.progress();
  expect(paused).toMatchObject({
    reason: 'failures',
    message: matching(/^\d+ of \d+ records failed, more than maxFailures 10% allows: \d+ × refusal, such as: /),
  });
  expect(paused?.message).toContain(`tempered resume ${batch.id}`);
  expect(counters.failed).toBeGreaterThanOrEqual(20);
  // Workers look twice a second: in that time four lanes of 50 ms and more each end few records.
  expect(counters.failed).toBeLessThan(100);
  await until(async () => (await batch.progress()).counters.inFlight === 0);
  const before = (await batch.progress()).counters.failed;

  await batch.resume();
  await until(async () => (await batch.progress()).counters.failed > before);
  await until(async () => {
    const now = await batch.progress();
    return now.status === 'paused' && now.counters.failed >= before + 20;
  });
  expect((await batch.progress()).paused?.message).toContain('since it went on');

  await bench.scenario({});
  expect(await batch.setModel('anthropic/claude-haiku-4-5')).toBe('anthropic/claude-haiku-4-5');
  const summary = await batch.result();
  expect(summary).toMatchObject({ status: 'finished', items: 120 });
  expect(summary.succeeded + summary.failed).toBe(120);
  expect(summary.succeeded).toBeGreaterThan(0);
});

test('a number pauses a batch of any size; one that is no limit is refused', async () => {
  await bench.scenario({ rates: { refusal: 1 } });
  const batch = await bench.tempered.startBatch(task, records(12, 300), { concurrency: 1, maxFailures: 2 });
  await hasStatus(batch, 'paused');
  expect((await batch.progress()).paused).toMatchObject({ reason: 'failures', message: containing('maxFailures 2') });
  expect(await batch.config()).toMatchObject({ options: { maxFailures: 2 } });
  await batch.cancel();
  await expect(bench.tempered.startBatch(task, records(2), { maxFailures: '120%' })).rejects.toMatchObject({
    category: 'input',
  });
});

test('a halt whose worker died before it told the workflow is told by the next one who sees it', async () => {
  await bench.scenario({ latency: { fixedMs: 50 } });
  const batch = await bench.tempered.startBatch(task, records(14, 600), { concurrency: 2 });
  await until(async () => (await batch.progress()).counters.succeeded >= 2);
  const { version = 0 } = (await bench.store.readControl(batch.id)) ?? {};
  const pause = { reason: 'billing', message: 'Pay first.', since: Date.now() - 60_000 } as const;
  expect(await bench.store.halt(batch.id, version, pause)).toBe(true);
  // The batch's row is the workflow's word.
  await hasStatus(batch, 'paused');
  expect((await batch.progress()).paused).toMatchObject({ message: 'Pay first.' });
  await batch.resume();
  expect(await batch.result()).toMatchObject({ status: 'finished', succeeded: 14 });
});

test('a model of a provider nobody knows is refused, whoever asks', async () => {
  await bench.scenario({ latency: { fixedMs: 200 } });
  const batch = await bench.tempered.startBatch(task, records(6, 700), { concurrency: 1 });
  await until(async () => (await batch.progress()).counters.succeeded >= 1);
  const setModel = bench.client.workflow.getHandle(batch.id).executeUpdate('setModel', { args: ['antropic/x'] });
  await expect(setModel).rejects.toMatchObject({ cause: { message: containing('no provider "antropic"') } });
  const { priority } = (await bench.client.workflow.getHandle(batch.id).describe()).raw.workflowExecutionInfo ?? {};
  expect(priority).toMatchObject({ priorityKey: 2, fairnessWeight: 1 });
  await batch.cancel();
});

test('a wrong key on 10,000 records costs one request; with the right one, resume goes on', async () => {
  await bench.scenario({});
  const concurrency = 100;
  const gemini = defineTask({ name: 'keys', model: 'gemini/gemini-2.5-flash', prompt, schema });
  const wrong = await bench.work({ pools: ['gemini'] });
  const options = { concurrency, execution: 'inline' } as const;
  const batch = await bench.tempered.startBatch(gemini, records(10_000, 1_000), options);
  await hasStatus(batch, 'paused');
  const { paused, counters } = await batch.progress();
  expect(paused).toMatchObject({ reason: 'authentication', message: containing('GEMINI_API_KEY') });
  expect(counters).toMatchObject({ items: 10_000, prompts: 0, failed: 0, notRun: 0 });
  const { requests, unbilled } = bench.sim.totals();
  expect(requests + (unbilled['key'] ?? 0)).toBeLessThanOrEqual(concurrency + 1);
  // A smaller one beside it, to be seen to its end: all 10,000 take too long for a test.
  const small = await bench.tempered.startBatch(gemini, records(300, 20_000), options);
  await hasStatus(small, 'paused');
  await bench.leave(wrong);

  await bench.work({ pools: ['gemini'] }, await bench.another({ GEMINI_API_KEY: 'right-key' }));
  await small.resume();
  expect(await small.result()).toMatchObject({ status: 'finished', succeeded: 300, prompts: 300 });
  await batch.resume();
  await until(async () => (await batch.progress()).counters.succeeded >= 300);
  expect((await batch.progress()).counters).toMatchObject({ failed: 0, notRun: 0 });
  await batch.cancel();
});
