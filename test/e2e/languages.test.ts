import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { obtainProgram } from '../../src/client/embedded/index.js';
import { itemId, reviewId } from '../../src/workflows/ids.js';
import { Bench, outcomesOf, until } from '../support/bench.js';
import { buildGo, preparePython, snippets, writePrograms } from '../support/languages.js';

// The first time on a machine Python's SDK is installed and Go's compiled.
jest.setTimeout(300_000);

const TASK = {
  name: 'moods',
  model: 'anthropic/claude-sonnet-4-6',
  schema: { type: 'object', properties: { mood: { enum: ['happy', 'sad'] } }, required: ['mood'] },
};

let bench: Bench;
let folder: string;
let python: string;
let built: Promise<string>;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tempered-languages-'));
  await writePrograms(folder);
  built = buildGo(folder);
  // Told where it is waited for.
  built.catch(() => undefined);
  [bench, python] = await Promise.all([Bench.open(), preparePython()]);
  await bench.work();
});
afterAll(async () => {
  await bench.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => bench.scenario({}));

/** Longest a program may take; milliseconds. */
const PROGRAM_MS = 120_000;

/** Runs a program as a person would; returns what it printed. Throws, with what it said, when it does not end. */
async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, TEMPORAL_ADDRESS: bench.address };
  return (await promisify(execFile)(program, args, { cwd: folder, env, timeout: PROGRAM_MS })).stdout.trim();
}

/**
 * Skips Python's own end, which Temporal's SDK sometimes aborts (sdk-python's #300): what was printed is whole by then.
 * A program that hangs tells where.
 */
const WITHOUT_END = `
import faulthandler, os, runpy, sys, traceback
faulthandler.dump_traceback_later(${PROGRAM_MS / 2_000})
sys.argv = sys.argv[1:]
code = 0
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except BaseException:
    traceback.print_exc()
    code = 1
sys.stdout.flush()
sys.stderr.flush()
os._exit(code)`;
const runPython = (...args: readonly string[]) => run(python, '-c', WITHOUT_END, ...args);

let batches = 0;
/** A batch id nobody has used: a test that is tried again must not meet the batch of its first try. */
const fresh = (name: string) => `${name}-${(batches += 1)}`;

/** An open batch whose prompts are not answered before they are released: nothing it is told comes too late. `field`: of its records. */
async function startSlow(batchId: string, field: string): Promise<void> {
  await bench.clearLedger();
  await bench.scenario({ latency: { fixedMs: 90_000 } });
  const items = Array.from({ length: 40 }, (_, i) => ({ [field]: `happy day number ${i} of ${batchId}` }));
  await bench.client.workflow.signalWithStart('batch', {
    workflowId: batchId,
    taskQueue: 'tempered',
    args: [{ task: { ...TASK, prompt: `Greeting: {{${field}}}` }, open: true, concurrency: 6 }],
    signal: 'addItems',
    signalArgs: [{ clientKey: 'first', items }],
  });
  await bench.releaseFirst();
  // Its record 3 is a workflow then, and waits for its answer.
  await until(async () => {
    const item = await bench.client.workflow
      .getHandle(itemId(batchId, 3))
      .describe()
      .catch(() => undefined);
    return item !== undefined && (await bench.tempered.batch(batchId).progress()).counters.inFlight >= 4;
  });
}

const hasEnded = (workflowId: string) =>
  until(async () => (await bench.client.workflow.getHandle(workflowId).describe()).status.name !== 'RUNNING');

/** Messages of a workflow that its history shows, and the words for what they changed. */
async function messagesOf(workflowId: string): Promise<{ signals: string[]; updates: string[]; summaries: string }> {
  const { events } = await bench.client.workflow.getHandle(workflowId).fetchHistory();
  const all = events ?? [];
  return {
    signals: all.flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName ?? []),
    updates: all.flatMap(
      ({ workflowExecutionUpdateAcceptedEventAttributes: update }) => update?.acceptedRequest?.input?.name ?? [],
    ),
    summaries: all.map(({ userMetadata }) => Buffer.from(userMetadata?.summary?.data ?? []).toString()).join('\n'),
  };
}

const answers = async (batchId: string) =>
  (await outcomesOf(bench.tempered.batch(batchId))).map(({ status, error }) => error?.category ?? status);

test('Python says everything there is to a running batch; history shows every message and what it changed', async () => {
  const id = fresh('from-python');
  await startSlow(id, 'text');
  const progress: unknown = JSON.parse(await runPython('steer.py', id, '3'));
  expect(progress).toMatchObject({ items: 40 });
  await hasEnded(itemId(id, 3));
  await bench.scenario({});
  await bench.release();
  const batch = bench.tempered.batch(id);
  expect(await batch.result()).toMatchObject({ status: 'finished', items: 41, succeeded: 39 });
  const outcomes = await answers(id);
  expect([outcomes[3], outcomes[13], outcomes[40]]).toEqual(['cancelled', 'cancelled', 'succeeded']);
  const { signals, updates, summaries } = await messagesOf(id);
  const sent = ['pause', 'cancelItem', 'addItems', 'closeInput', 'resume'];
  expect(signals.filter((name) => name !== 'drained')).toEqual(['addItems', ...sent]);
  const limits = ['setModel', 'setModel', 'setDeadline', 'setLimits'];
  expect(updates).toEqual(['setConcurrency', 'setWeight', 'setBudget', ...limits]);
  expect((await messagesOf(itemId(id, 3))).signals).toEqual(['skip']);
  for (const words of ['paused: user', '20 in flight', 'budget $2.5', 'model anthropic/claude-haiku-4-5', 'until 2'])
    expect(summaries).toContain(words);
  expect(summaries).toMatch(/quotas of the pool: (rpm 3000, inFlight 100|inFlight 100, rpm 3000)/);
  expect(await bench.tempered.pools()).toMatchObject([{ pool: 'anthropic', set: { rpm: 3_000, inFlight: 100 } }]);

  await runPython('answer.py', id, '3');
  expect((await outcomesOf(batch))[3]).toMatchObject({ status: 'succeeded', output: { mood: 'sad' } });
  expect((await messagesOf(reviewId(id, 3))).updates).toEqual(['answer']);
});

test('Python starts a batch by signal-with-start and streams records into it', async () => {
  const id = fresh('python-stream');
  const result: unknown = JSON.parse(await runPython('stream.py', id));
  expect(result).toMatchObject({ status: 'finished', items: 30, succeeded: 30 });
  expect((await messagesOf(id)).signals.filter((name) => name === 'addItems')).toHaveLength(3);
});

test('the commands of the temporal program in docs/messages.md do what they say', async () => {
  const program = await obtainProgram({ env: process.env, onProgress: () => undefined });
  const id = fresh('from-temporal');
  const other = fresh('my-batch');
  const [toBatch = [], toRecord = [], elsewhere = []] = snippets('messages.md', 'sh').map((block) => {
    const lines = block.trim().split('\n');
    return lines.map((line) => line.replaceAll('BATCH', id).replaceAll('my-batch', other));
  });
  const say = (line: string) => run('sh', '-c', line.replace(/^temporal /, `${program} `));
  await startSlow(id, 'name');
  const [state = '', skip = '', answer = ''] = toRecord;
  expect(await say(state)).toContain('promptsUsed');
  for (const line of [skip, ...toBatch]) await say(line);
  await bench.scenario({});
  await bench.release();
  const batch = bench.tempered.batch(id);
  expect(await batch.result()).toMatchObject({ status: 'cancelled' });
  const { signals, updates } = await messagesOf(id);
  expect(signals.filter((name) => name !== 'drained')).toEqual([
    'addItems',
    'pause',
    'cancelItem',
    'addItems',
    'resume',
  ]);
  expect(updates).toHaveLength(7);
  expect(answer).toContain('answer');
  await expect(say(answer)).rejects.toThrow('does not fit the schema');
  await say(answer.replace('"Good day, Ada!"', '{"mood":"happy"}'));
  expect((await outcomesOf(batch))[0]).toMatchObject({ status: 'succeeded' });

  for (const line of elsewhere) await say(line);
  expect(await bench.client.workflow.getHandle(other).result()).toMatchObject({
    status: 'finished',
    succeeded: 1,
  });
});

test('Go starts a batch, changes it and waits for its end', async () => {
  const id = fresh('from-go');
  const said = (await run(await built, id)).split('\n');
  expect(said.at(-1)).toBe('finished: 2 succeeded, 1 not run');
  expect((await messagesOf(id)).updates).toEqual(['setConcurrency', 'setBudget', 'setLimits']);
});
