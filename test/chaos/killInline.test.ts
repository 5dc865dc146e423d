import path from 'node:path';
import { type Simulator, simulatorEnv, startSimulator } from '../../src/simulator/index.js';
import { openStore } from '../../src/store/openStore.js';
import type { Outcome } from '../../src/task/outcome.js';
import { itemId } from '../../src/workflows/ids.js';
import { CliFolder, jsonOf, type RunningCli } from '../support/cli.js';
import { type Recorder, startRecorder } from '../support/recorder.js';

jest.setTimeout(300_000);

const RECORDS = 120;
const CONCURRENCY = 20;
const TASK = { name: 'pages', model: 'anthropic/claude-sonnet-4-6', prompt: 'Ticket <<{{id}}>>: {{text}}' };

let folder: CliFolder;
let simulator: Simulator;
let recorder: Recorder;
let worker: RunningCli;

beforeAll(async () => {
  simulator = await startSimulator({ scenario: { latency: { fixedMs: 300 } } });
  recorder = await startRecorder(simulator.url, /<<r(\d+)>>/);
  folder = await CliFolder.make(simulatorEnv(recorder.url));
  await folder.write('task.json', TASK);
  const line = (i: number) => JSON.stringify({ id: `r${i}`, text: `happy day ${i}` });
  await folder.write('data.jsonl', Array.from({ length: RECORDS }, (_, i) => line(i)).join('\n'));
});
afterAll(async () => {
  worker.child.kill('SIGTERM');
  await worker.end;
  await folder.run(['down']);
  await recorder.close();
  await simulator.close();
  await folder.remove();
});

async function startWorker(): Promise<void> {
  worker = folder.start(['worker']);
  await worker.wrote('Ctrl-C stops it.');
}

/** The batch's outcomes now, and how many prompts are in flight. */
async function look(batchId: string): Promise<{ outcomes: readonly Outcome[]; inFlight: number }> {
  const store = await openStore(`sqlite:${path.join(folder.path, '.tempered', 'store.db')}`);
  try {
    const outcomes: Outcome[] = [];
    for await (const outcome of store.outcomes(batchId)) outcomes.push(outcome);
    return { outcomes, inFlight: (await store.counters(batchId)).inFlight };
  } finally {
    await store.close();
  }
}

test('a worker killed in the middle of its pages: only what was in flight is asked again', async () => {
  await startWorker();
  const options = ['--execution', 'inline', '--concurrency', String(CONCURRENCY), '--detach', '--json'];
  const batchId = String(jsonOf(await folder.run(['run', 'task.json', 'data.jsonl', ...options]))['batchId']);
  await recorder.next(45);
  worker.child.kill('SIGKILL');
  await worker.end;
  const atKill = await look(batchId);
  const before = recorder.seen.length;
  // Were there none of either, the test would prove nothing.
  expect(atKill.inFlight).toBeGreaterThan(0);
  expect(atKill.inFlight).toBeLessThanOrEqual(CONCURRENCY);
  expect(atKill.outcomes.length).toBeGreaterThan(0);

  await startWorker();
  await folder.run(['results', batchId, '--follow']);
  const { outcomes, inFlight } = await look(batchId);
  expect(inFlight).toBe(0);
  expect(outcomes.map(({ index }) => index)).toEqual(Array.from({ length: RECORDS }, (_, i) => i));
  expect(outcomes.filter(({ status }) => status !== 'succeeded')).toEqual([]);

  // A finished record is left alone; a lost one was asked again by a workflow of its own.
  const finished = new Set(atKill.outcomes.map(({ index }) => String(index)));
  expect(recorder.seen.slice(before).filter(({ record }) => finished.has(record))).toEqual([]);
  const lost = outcomes.filter(({ prompts }) => prompts[0]?.result === 'unknown');
  expect(lost).toHaveLength(atKill.inFlight);
  for (const { index, prompts, workflowId } of lost) {
    expect(prompts[0]?.usage).toBeNull();
    expect(workflowId).toBe(itemId(batchId, index));
  }
  for (const { prompts, workflowId } of outcomes) expect(workflowId === null).toBe(prompts.length === 1);
  // A connection that broke is a prompt too, and none of the kill's making.
  const broken = outcomes.flatMap(({ prompts }) => prompts).filter(({ result }) => result === 'network');
  expect(recorder.seen.length - RECORDS - broken.length).toBeLessThanOrEqual(atKill.inFlight);
});
