import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { type Simulator, simulatorEnv, startSimulator } from '../../src/simulator/index.js';
import { openStore } from '../../src/store/openStore.js';
import type { Outcome, PromptRecord } from '../../src/task/outcome.js';
import { CliFolder, jsonOf, type RunningCli } from '../support/cli.js';
import { type Recorder, startRecorder } from '../support/recorder.js';

jest.setTimeout(300_000);

const RECORDS = 150;
const CONCURRENCY = 20;

const TASK = {
  name: 'chaos',
  model: 'anthropic/claude-sonnet-4-6',
  prompt: 'Ticket <<{{id}}>>: {{text}}',
  schema: {
    type: 'object',
    properties: {
      mood: { enum: ['happy', 'sad'] },
      words: { type: 'integer' },
      address: { type: 'string', format: 'email' },
      day: { type: 'string', format: 'date' },
    },
    required: ['mood', 'words', 'address', 'day'],
  },
  maxOutputTokens: 100,
};

/** Two answers in five are wrong, so that kills meet records in the middle of their ladders. */
const SCENARIO = { seed: 11, latency: { fixedMs: 150 }, rates: { wrongFields: 0.3, missingFields: 0.1 } };

let folder: CliFolder;
let simulator: Simulator;
let recorder: Recorder;
let worker: RunningCli;
let batchId: string;

/** Prompts that were in flight at a kill, as `index/prompt`. */
const atKills = new Set<string>();
/** When each killed worker was started again, and which records had been in flight. */
const restarts: { readonly at: number; readonly records: readonly string[] }[] = [];
let outcomes: readonly Outcome[];

beforeAll(async () => {
  simulator = await startSimulator({ scenario: SCENARIO });
  recorder = await startRecorder(simulator.url, /<<r(\d+)>>/);
  folder = await CliFolder.make(simulatorEnv(recorder.url));
  const record = (i: number) => ({ id: `r${i}`, text: `happy, write to r${i}@example.com before 2026-03-01` });
  await folder.write('task.json', TASK);
  await folder.write('data.jsonl', Array.from({ length: RECORDS }, (_, i) => JSON.stringify(record(i))).join('\n'));
});

afterAll(async () => {
  worker.child.kill('SIGTERM');
  await worker.end;
  await folder.run(['down']);
  await recorder.close();
  await simulator.close();
  await folder.remove();
});

test('three killed workers and a killed server: the batch finishes by itself', async () => {
  await startWorker();
  const options = ['--detach', '--concurrency', String(CONCURRENCY), '--json'];
  const started = await folder.run(['run', 'task.json', 'data.jsonl', ...options]);
  batchId = String(jsonOf(started)['batchId']);
  // The first kill meets a record on a later rung; the others come when they come.
  await recorder.next(20, ({ earlier }) => earlier > 0);
  await killWorker();
  for (let kill = 0; kill < 2; kill += 1) {
    await recorder.next(recorder.seen.length + 15 + Math.floor(Math.random() * 15));
    await killWorker();
  }
  await recorder.next(recorder.seen.length + 10 + Math.floor(Math.random() * 10));
  const killed = await killServer();
  const followed = await folder.run(['results', batchId, '--follow']);
  expect(followed.stdout.trimEnd().split('\n')).toHaveLength(RECORDS);
  outcomes = await withStore(async (store) => {
    const all: Outcome[] = [];
    for await (const outcome of store.outcomes(batchId)) all.push(outcome);
    return all;
  });
  expect((await serverProcess()).pid).not.toBe(killed);
  tellRecovery();
});

test('every record has exactly one outcome', () => {
  expect(outcomes.map(({ index }) => index)).toEqual(Array.from({ length: RECORDS }, (_, i) => i));
  expect(outcomes.filter(({ status }) => status === 'notRun')).toEqual([]);
});

test('nothing was asked again but what was in flight at a kill', () => {
  const lost = outcomes.flatMap(({ index, prompts }) =>
    prompts.flatMap((prompt, i) => (isLost(prompt) ? [`${index}/${i + 1}`] : [])),
  );
  expect(lost.filter((place) => !atKills.has(place))).toEqual([]);
  // Were there none, the test would prove nothing.
  expect(lost.length).toBeGreaterThan(0);
  expect(lost.length).toBeLessThanOrEqual(4 * CONCURRENCY);
});

test('a finished record is never prompted again: the provider saw what is in the books', () => {
  for (const { index, prompts } of outcomes) {
    const seen = recorder.seen.filter(({ record }) => record === String(index)).length;
    const answered = prompts.filter((prompt) => !isLost(prompt)).length;
    // A lost prompt may have been killed before or after it left the worker.
    expect(seen).toBeGreaterThanOrEqual(answered);
    expect(seen).toBeLessThanOrEqual(prompts.length);
    expect(prompts.slice(0, -1).map(({ result }) => result)).not.toContain('valid');
  }
  expect(simulator.totals().requests).toBe(recorder.seen.length);
});

test('a record continues at its stage', () => {
  const after = outcomes.flatMap(({ prompts }) =>
    prompts.slice(1).map((prompt, i) => ({ before: prompts[i], prompt })),
  );
  const resumed = after.filter(({ before }) => before !== undefined && isLost(before));
  for (const { before, prompt } of resumed) expect(prompt).toMatchObject({ stage: before?.stage, kind: before?.kind });
  const climbed = after.filter(({ before }) => before?.result === 'invalid');
  for (const { before, prompt } of climbed) expect(prompt.stage).toBe(Math.min(4, (before?.stage ?? 0) + 1));
  expect(resumed.some(({ prompt }) => prompt.stage > 1)).toBe(true);
});

/** A prompt whose worker died before its answer was journalled. */
function isLost({ result, usage }: PromptRecord): boolean {
  return result === 'unknown' && usage === null;
}

async function startWorker(): Promise<void> {
  worker = folder.start(['worker']);
  await worker.wrote('Ctrl-C stops it.');
}

/** Kills the worker and starts another, which takes up at once what needs no waiting for. */
async function killWorker(): Promise<void> {
  worker.child.kill('SIGKILL');
  await worker.end;
  const records = await noteInFlight();
  const before = recorder.seen.length;
  restarts.push({ at: Date.now(), records });
  await startWorker();
  await recorder.next(before);
}

/** Kills the Temporal server, which its keeper starts again. Returns its process id. */
async function killServer(): Promise<number> {
  const { pid } = await serverProcess();
  await noteInFlight();
  process.kill(pid, 'SIGKILL');
  return pid;
}

async function serverProcess(): Promise<{ pid: number }> {
  const state = z.object({ server: z.object({ pid: z.number() }) });
  const text = await readFile(path.join(folder.path, '.tempered', 'server.json'), 'utf8');
  return state.parse(JSON.parse(text)).server;
}

/** Says how long the batch stood still after each restart: told, not asserted, since machines differ. */
function tellRecovery(): void {
  const seconds = (from: number, to: number) => `${((to - from) / 1000).toFixed(1)} s`;
  for (const { at, records } of restarts) {
    const after = recorder.seen.filter((request) => request.at >= at);
    const again = records.flatMap((record) => after.find((request) => request.record === record)?.at ?? []);
    const first = seconds(at, after[0]?.at ?? at);
    const last = seconds(at, Math.max(at, ...again));
    process.stderr.write(
      `worker restarted: next prompt after ${first}, the last of ${again.length} in flight asked again after ${last}\n`,
    );
  }
}

/** Notes the prompts in flight now. Returns their records. */
async function noteInFlight(): Promise<readonly string[]> {
  return withStore(async (store) => {
    const records: string[] = [];
    for (let index = 0; index < RECORDS; index += 1) {
      for (const { prompt, state } of await store.journal(batchId, index)) {
        if (state !== 'sent' || atKills.has(`${index}/${prompt}`)) continue;
        atKills.add(`${index}/${prompt}`);
        records.push(String(index));
      }
    }
    return records;
  });
}

async function withStore<T>(use: (store: Awaited<ReturnType<typeof openStore>>) => Promise<T>): Promise<T> {
  const store = await openStore(`sqlite:${path.join(folder.path, '.tempered', 'store.db')}`);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
