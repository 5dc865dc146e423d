import type { WorkflowHandle } from '@temporalio/client';
import { parseTaskFile } from '../../src/task/taskFile.js';
import type { BatchProgress, FailureNote } from '../../src/workflows/types.js';
import { Bench, outcomesOf, records, until } from '../support/bench.js';

jest.setTimeout(60_000);

/** A task file's content, as any program can send it. */
const TASK = {
  name: 'streamed',
  model: 'anthropic/claude-sonnet-4-6',
  prompt: 'Greeting: {{text}}',
  schema: { type: 'object', properties: { mood: { enum: ['happy', 'sad'] } }, required: ['mood'] },
};

let bench: Bench;
// So few events that a batch continues as new several times; `addItems` must survive that.
beforeAll(async () => {
  bench = await Bench.open({ dynamicConfig: ['limit.historyCount.suggestContinueAsNew=60'] });
  await bench.work();
});
afterAll(() => bench.close());
beforeEach(() => bench.clearLedger());

/** What a program without our library does: names and plain JSON only. */
const stream = (batchId: string, payload: unknown): Promise<WorkflowHandle> =>
  bench.client.workflow.signalWithStart('batch', {
    workflowId: batchId,
    taskQueue: 'tempered',
    args: [{ task: TASK, open: true, concurrency: 10 }],
    signal: 'addItems',
    signalArgs: [payload],
  });

test('a bare client streams records in by signal-with-start; repeats add once, bad ones are told', async () => {
  await stream('streamed-1', { clientKey: 'a', items: records(5) });
  await stream('streamed-1', { clientKey: 'a', items: records(5) });
  await stream('streamed-1', { clientKey: 'b', items: [{ id: 'no-text' }, { id: 'ok', text: 'sad evening' }] });
  await stream('streamed-1', { items: records(1) });
  const handle = await stream('streamed-1', 'nonsense');
  await handle.signal('closeInput');
  expect(await handle.result()).toMatchObject({ status: 'finished', items: 7, succeeded: 6, notRun: 1, prompts: 6 });
  expect(bench.sim.totals().requests).toBe(6);
  const batch = bench.tempered.batch('streamed-1');
  const outcomes = await outcomesOf(batch);
  expect(outcomes.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(outcomes[5]).toMatchObject({ status: 'notRun', error: { category: 'input' }, prompts: [] });
  expect(outcomes[6]).toMatchObject({ id: 'ok', status: 'succeeded' });
  const failures = await handle.query<readonly FailureNote[]>('failures');
  const told = failures.filter(({ index }) => index === -1).map(({ message }) => message);
  expect(told).toEqual([expect.stringContaining('clientKey'), expect.stringContaining('addItems wants')]);
});

test('a chunk with an id that is there already is refused and told; the batch goes on', async () => {
  const id = 'streamed-again';
  await stream(id, { clientKey: 'a', items: records(3) });
  await stream(id, { clientKey: 'b', items: records(3) });
  const handle = await stream(id, { clientKey: 'c', items: records(2, 100) });
  await handle.signal('closeInput');
  expect(await handle.result()).toMatchObject({ status: 'finished', items: 5, succeeded: 5 });
  const failures = await handle.query<readonly FailureNote[]>('failures');
  expect(failures).toEqual([
    expect.objectContaining({ index: -1, message: expect.stringContaining('b was not added') }),
  ]);
});

test('records that come after the end of the input are refused, or told; the others are done', async () => {
  await bench.scenario({ latency: { fixedMs: 1_000 } });
  const handle = await stream('streamed-closed', { clientKey: 'a', items: records(2, 8_000) });
  const batch = bench.tempered.batch('streamed-closed');
  await until(async () => (await handle.query<BatchProgress>('progress')).items === 2);
  expect(await batch.addItems(records(1, 8_100))).toBe(1);
  await handle.signal('closeInput');
  await expect(batch.addItems(records(1, 8_200))).rejects.toMatchObject({
    category: 'input',
    message: expect.stringContaining('takes no more records'),
  });
  await handle.signal('addItems', { clientKey: 'late', items: records(1, 8_300) });
  expect(await handle.result()).toMatchObject({ status: 'finished', items: 3, succeeded: 3 });
  const failures = await handle.query<readonly FailureNote[]>('failures');
  expect(failures).toEqual([
    { index: -1, category: 'input', message: 'late was not added: the input of the batch is closed' },
  ]);
  await expect(batch.addItems(records(1, 8_400))).rejects.toMatchObject({ category: 'input' });
  await bench.scenario({});
});

test('a message that starts a batch, before its row is in the store, waits for it', async () => {
  const handle = await bench.client.workflow.signalWithStart('batch', {
    workflowId: 'paused-first',
    taskQueue: 'tempered',
    args: [{ task: TASK, open: true }],
    signal: 'pause',
    signalArgs: [],
  });
  expect(await handle.executeUpdate('setBudget', { args: [undefined] })).toBeNull();
  expect(await bench.tempered.batch('paused-first').progress()).toMatchObject({ status: 'paused' });
  await handle.signal('addItems', { clientKey: 'a', items: records(2, 7_000) });
  await handle.signal('resume');
  await handle.signal('closeInput');
  expect(await handle.result()).toMatchObject({ status: 'finished', succeeded: 2 });
});

test('records that came before a cancellation have their outcome too', async () => {
  const id = 'streamed-cancelled';
  const handle = await stream(id, { clientKey: 'a', items: records(4) });
  for (let chunk = 0; chunk < 10; chunk += 1)
    await handle.signal('addItems', { clientKey: `${chunk}`, items: records(3, 10 + 3 * chunk) });
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
  const outcomes = await outcomesOf(bench.tempered.batch(id));
  expect(outcomes.map(({ index }) => index)).toEqual(Array.from({ length: 34 }, (_, i) => i));
});

test('a batch continues as new while records, pauses and changes arrive; nothing is lost or doubled', async () => {
  await bench.scenario({ latency: { fixedMs: 20 } });
  const id = 'streamed-2';
  let sent = 0;
  for (let chunk = 0; chunk < 30; chunk += 1) {
    const handle = await stream(id, { clientKey: `chunk ${chunk}`, items: records(5, 1_000 + sent) });
    sent += 5;
    if (chunk % 10 === 3) await handle.signal('pause', { reason: 'a moment' });
    if (chunk % 10 === 4) await handle.signal('resume');
    if (chunk % 10 === 7) expect(await handle.executeUpdate('setConcurrency', { args: [chunk] })).toBe(chunk);
  }
  const handle = bench.client.workflow.getHandle(id);
  await handle.signal('closeInput');
  expect(await handle.result()).toMatchObject({ status: 'finished', items: sent, succeeded: sent, prompts: sent });
  expect(bench.sim.totals().requests).toBe(sent);
  const outcomes = await outcomesOf(bench.tempered.batch(id));
  expect(outcomes.map((outcome) => outcome.id)).toEqual(records(sent, 1_000).map((record) => record.id));
  expect(await handle.query<BatchProgress>('progress')).toMatchObject({ status: 'finished', succeeded: sent });
  const { raw, runId } = await handle.describe();
  expect(raw.workflowExecutionInfo?.firstRunId).not.toBe(runId);
});

test('grown data pays only for what is new', async () => {
  await bench.scenario({});
  const task = parseTaskFile(TASK, { file: 'task.json' });
  const first = await bench.tempered.startBatch(task, records(8, 5_000));
  expect(await first.result()).toMatchObject({ succeeded: 8 });
  const { batch, submission } = await bench.tempered.submit(task, records(11, 5_000), { reuse: true });
  expect(submission).toMatchObject({ kind: 'started', reused: 8 });
  expect(await batch.result()).toMatchObject({ items: 11, succeeded: 11, prompts: 3 });
  expect(bench.sim.totals().requests).toBe(11);
});
