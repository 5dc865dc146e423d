import { z } from 'zod';
import type { BatchHandle } from '../../src/client/handle.js';
import { defineTask } from '../../src/task/defineTask.js';
import { Bench, outcomesOf, records, until } from '../support/bench.js';
import { containing } from '../support/match.js';

jest.setTimeout(120_000);

const schema = z.object({ mood: z.enum(['happy', 'sad']), words: z.int() });
const options = { name: 'again', model: 'anthropic/claude-sonnet-4-6', schema, maxPrompts: 1 };
const task = defineTask({ ...options, prompt: 'Greeting: {{text}}' });
const better = defineTask({ ...options, prompt: 'A better greeting: {{text}}' });

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
  await bench.work();
});
afterAll(() => bench.close());

async function latest(batch: BatchHandle<unknown>) {
  const lines = [];
  for await (const line of batch.latestOutcomes()) lines.push(line);
  return lines;
}

test('a retry asks only for what failed; results show the newest success, costs stay with their batch', async () => {
  await bench.scenario({ seed: 3, rates: { refusal: 0.4 } });
  const root = await bench.tempered.startBatch(task, records(40), { concurrency: 10 });
  const before = await root.result();
  expect(before.failed).toBeGreaterThan(3);
  expect(await latest(root)).toEqual((await outcomesOf(root)).map((line) => ({ ...line, batchId: root.id })));

  // Some of them are refused again: their old outcome stays.
  await bench.scenario({ seed: 4, rates: { refusal: 0.5 } });
  const { batch: first, submission } = await bench.tempered.retry(root.id);
  expect(first.id).toBe(`${root.id}-r1`);
  expect(submission).toMatchObject({ kind: 'started', load: { loaded: before.failed } });
  const one = await first.result();
  expect(one).toMatchObject({ items: before.failed, prompts: before.failed });
  expect(one.failed).toBeGreaterThan(0);
  expect(one.succeeded).toBeGreaterThan(0);
  const merged = await latest(root);
  expect(merged.map(({ index, id }) => `${index} ${id}`)).toEqual(records(40).map(({ id }, i) => `${i} ${id}`));
  expect(merged.filter(({ batchId }) => batchId === first.id)).toHaveLength(one.succeeded);
  expect(merged.filter(({ status }) => status === 'failed')).toHaveLength(one.failed);
  for (const line of merged) if (line.status === 'failed') expect(line.batchId).toBe(root.id);

  // A retry of a retry is one of the first batch, for what failed in both.
  await bench.scenario({});
  const { batch: second } = await bench.tempered.retry(first.id);
  expect(second.id).toBe(`${root.id}-r2`);
  expect(await second.result()).toMatchObject({ items: one.failed, succeeded: one.failed });
  expect((await latest(root)).every(({ status }) => status === 'succeeded')).toBe(true);
  expect((await root.retries()).map(({ batchId }) => batchId)).toEqual([first.id, second.id]);
  expect(await second.progress()).toMatchObject({ retryOf: root.id });

  // Nothing is left; the first batch's own figures are as they were.
  await expect(bench.tempered.retry(root.id)).rejects.toMatchObject({ message: containing('nothing to ask again') });
  expect(await root.summary()).toMatchObject({ failed: before.failed, costUsd: before.costUsd });
  const all = [before, one, await second.summary()].reduce((sum, { costUsd }) => sum + (costUsd ?? NaN), 0);
  expect(all).toBeCloseTo(bench.sim.totals().costUsd, 9);
});

test('a condition chooses the rows, another task renders them anew; the same retry is found again', async () => {
  await bench.scenario({});
  const root = await bench.tempered.startBatch(task, records(6, 500), { concurrency: 3 });
  await root.result();
  await bench.scenario({ latency: { fixedMs: 300 } });
  const where = 'index < 3 && input.text.contains("day")';
  const { batch } = await bench.tempered.retry(root.id, { where, task: better, concurrency: 1 });
  await until(async () => (await batch.progress()).counters.prompts >= 1);
  expect((await bench.tempered.retry(root.id, { where, task: better })).submission).toMatchObject({
    batchId: batch.id,
    kind: 'attached',
  });
  await expect(bench.tempered.retry(root.id, { where: 'index == 5' })).rejects.toThrow('has not ended');
  expect(await batch.result()).toMatchObject({ items: 3, succeeded: 3 });
  expect((await bench.store.getRecord(batch.id, 0))?.rendered?.messages).toEqual([
    { role: 'user', content: 'A better greeting: happy day number 500' },
  ]);
  expect((await latest(root)).map(({ batchId }) => batchId === batch.id)).toEqual([
    ...[true, true, true],
    ...[false, false, false],
  ]);
  await expect(bench.tempered.retry(root.id, { where: 'nonsense ==' })).rejects.toMatchObject({ category: 'input' });
});
