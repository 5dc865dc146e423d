import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { stopServer } from '../../../src/client/embedded/index.js';
import { defineTask, openTempered, runBatch, type Tempered } from '../../../src/index.js';
import { simulatorEnv, startSimulator } from '../../../src/simulator/index.js';
import { containing } from '../../support/match.js';

jest.setTimeout(120_000);

let root: string;
let options: { folder: string; env: NodeJS.ProcessEnv; log: () => void };
let simulator: Awaited<ReturnType<typeof startSimulator>>;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'tempered-library-'));
  simulator = await startSimulator();
  const { PATH, HOME, TEMPORAL_CLI_PATH } = process.env;
  const env = { PATH, HOME, TEMPORAL_CLI_PATH, ...simulatorEnv(simulator.url) };
  options = { folder: path.join(root, '.tempered'), env, log: () => undefined };
});

afterAll(async () => {
  await stopServer(options.folder);
  await simulator.close();
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
});

const review = z.object({ mood: z.enum(['happy', 'sad']), words: z.number().int() });

const task = defineTask({
  name: 'library',
  model: 'anthropic/claude-sonnet-4-6',
  prompt: (record: { text: string }) => `Review: ${record.text}`,
  schema: review,
  before: (record) => (record.text === '' ? { skip: 'nothing was written' } : undefined),
});

async function* texts() {
  for (const text of ['a happy day', 'a sad day', '']) yield await Promise.resolve({ text });
}

async function withTempered<T>(work: (tempered: Tempered) => Promise<T>): Promise<T> {
  const tempered = await openTempered(options);
  try {
    return await work(tempered);
  } finally {
    await tempered.close();
  }
}

test('runBatch runs an async iterable to its end; outcomes have the type of the schema', async () => {
  const { summary, outcomes } = await runBatch(task, texts(), options);
  expect(summary).toMatchObject({ status: 'finished', items: 3, succeeded: 2, notRun: 1, failed: 0, prompts: 2 });
  const moods: ('happy' | 'sad')[] = [];
  const skipped: string[] = [];
  for await (const outcome of outcomes) {
    if (outcome.status === 'succeeded') moods.push(outcome.output.mood);
    else skipped.push(outcome.error?.message ?? '');
  }
  expect(moods).toHaveLength(2);
  expect(skipped).toEqual([containing('nothing was written')]);
});

test('the same data again asks nothing and gives the same', async () => {
  const before = simulator.totals().requests;
  const again = await runBatch(task, [{ text: 'a happy day' }, { text: 'a sad day' }, { text: '' }], options);
  expect(again.summary).toMatchObject({ status: 'finished', succeeded: 2, prompts: 2 });
  expect(simulator.totals().requests).toBe(before);
});

test('a batch is started here and worked on by a worker there', async () => {
  await withTempered(async (tempered) => {
    const { batch, submission } = await tempered.submit(task, [{ text: 'grown' }, { text: 'a sad day' }], {
      reuse: true,
    });
    expect(submission).toMatchObject({ kind: 'started', reused: 1, load: { loaded: 2, preset: 0, skipped: [] } });
    const worker = await tempered.startWorker({ tasks: [task], log: () => undefined });
    expect(await tempered.unpolled(batch)).toEqual([]);
    const summary = await batch.result();
    await worker.shutdown();
    expect(summary).toMatchObject({ status: 'finished', succeeded: 2, prompts: 1 });
    expect(summary.ui).toContain(batch.id);
    expect(await batch.failures()).toEqual([]);
    expect((await tempered.findBatch('latest')).id).toBe(batch.id);
    await expect(batch.pause()).rejects.toMatchObject({ category: 'input' });
  });
});

test('an open batch takes records until its input is closed; values that are refused say why', async () => {
  await withTempered(async (tempered) => {
    const batch = await tempered.startBatch(task, [{ text: 'first' }], { open: true });
    const worker = await tempered.startWorker({ tasks: [task], log: () => undefined });
    expect(await batch.addItems([{ text: 'second' }, { text: 'third' }], { clientKey: 'k' })).toBe(2);
    expect(await batch.addItems([{ text: 'second' }, { text: 'third' }], { clientKey: 'k' })).toBe(2);
    expect(await batch.setConcurrency(7)).toBe(7);
    expect(await batch.setBudget(5)).toBe(5);
    expect(await batch.setBudget(null)).toBeNull();
    await expect(batch.setConcurrency(0)).rejects.toThrow(/whole number from 1 to 10000/);
    expect((await batch.config()).settings.concurrency).toBe(7);
    await batch.closeInput();
    expect(await batch.result()).toMatchObject({ items: 3, succeeded: 3 });
    await expect(batch.answer(0, { mood: 'angry', words: 1 })).rejects.toThrow(/mood/);
    await batch.answer(0, { mood: 'sad', words: 1 }, 'Kim');
    const outputs = [];
    for await (const outcome of batch.outcomes()) outputs.push(outcome.output);
    expect(outputs[0]).toEqual({ mood: 'sad', words: 1 });
    await worker.shutdown();
  });
});

test('a batch that takes no more records says how to go on', async () => {
  await withTempered(async (tempered) => {
    const batch = await tempered.findBatch('latest');
    const closed = await tempered.startBatch(task, [{ text: 'a happy day' }, { text: 'a sad day' }, { text: '' }]);
    await expect(closed.addItems([{ text: 'x' }])).rejects.toThrow(/not started to take more records/);
    expect((await batch.progress()).status).toBe('finished');
  });
});
