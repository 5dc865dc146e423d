import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { CliFolder, jsonOf, type RunningCli } from '../support/cli.js';
import { aNumber, containing, matching } from '../support/match.js';

jest.setTimeout(120_000);

const TASK = {
  name: 'greetings',
  model: 'anthropic/claude-sonnet-4-6',
  prompt: 'Greeting: {{text}}',
  schema: {
    type: 'object',
    properties: { mood: { enum: ['happy', 'sad'] }, words: { type: 'integer' } },
    required: ['mood', 'words'],
  },
  maxOutputTokens: 100,
};
const records = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => `${JSON.stringify({ id: `r${from + i}`, text: `happy day ${from + i}` })}\n`);

let folder: CliFolder;
let sim: RunningCli;
let env: Record<string, string>;

/** Starts `tempered sim`; what it prints is the environment of the other commands. */
async function simulate(args: readonly string[] = []): Promise<{ sim: RunningCli; env: Record<string, string> }> {
  const started = folder.start(['sim', ...args]);
  await started.wrote(/export COMPATIBLE_BASE_URL=.*\n/);
  return { sim: started, env: Object.fromEntries(started.lines().flatMap((line) => exported(line))) };
}

function exported(line: string): [string, string][] {
  const match = /^export (\w+)=(.*)$/.exec(line);
  return match === null ? [] : [[match[1] ?? '', match[2] ?? '']];
}

beforeAll(async () => {
  folder = await CliFolder.make();
  await folder.write('task.json', TASK);
  await folder.write('data.jsonl', records(12).join(''));
  ({ sim, env } = await simulate());
});

afterAll(async () => {
  sim.child.kill('SIGTERM');
  await sim.end;
  await folder.run(['down']);
  await folder.remove();
});

test('a batch runs to its end; the object, the results and the exit code are as promised', async () => {
  const end = await folder.run(['run', 'task.json', 'data.jsonl', '--json', '--out', 'out.jsonl'], env);
  expect(end).toMatchObject({ code: 0 });
  const summary = jsonOf(end);
  expect(summary).toEqual({
    batchId: matching(/^greetings-[0-9a-f]{8}-[0-9a-f]{8}$/),
    status: 'finished',
    ...{ items: 12, succeeded: 12, partial: 0, failed: 0, notRun: 0, prompts: 12 },
    usage: {
      inputTokens: aNumber(),
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      cacheWrite1hTokens: 0,
      outputTokens: aNumber(),
      thinkingTokens: 0,
      unknownPrompts: 0,
    },
    costUsd: aNumber(),
    cacheSavingsUsd: 0,
    seconds: aNumber(),
    itemsPerSecond: aNumber(),
    out: 'out.jsonl',
    ui: containing(`/workflows/greetings-`),
  });
  expect(end.stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(end.stderr).toContain('New batch greetings-');
  const lines = (await readFile(path.join(folder.path, 'out.jsonl'), 'utf8')).trimEnd().split('\n');
  const outcomes = lines.map((line): unknown => JSON.parse(line));
  expect(outcomes).toHaveLength(12);
  expect(outcomes[3]).toMatchObject({
    index: 3,
    id: 'r3',
    status: 'succeeded',
    workflowId: `${String(summary['batchId'])}/3`,
  });
});

test('run again, it shows what is there and asks nothing', async () => {
  const end = await folder.run(['run', 'task.json', 'data.jsonl'], env);
  expect(end.code).toBe(0);
  expect(end.stdout).toContain('Already finished, shown (--new runs it again)');
  expect(end.stdout).toMatch(/\$0 this session, \$0\.\d+ earlier/);
  expect(end.stdout).toContain('.tempered/results/greetings-');
});

test('--new --reuse takes every answer over', async () => {
  const end = await folder.run(['run', 'task.json', 'data.jsonl', '--new', '--reuse', '--json'], env);
  expect(end.code).toBe(0);
  expect(jsonOf(end)).toMatchObject({
    batchId: matching(/-r1$/),
    succeeded: 12,
    prompts: 0,
    costUsd: 0,
  });
  expect(end.stderr).toContain('12 answers taken over');
});

test('status, results and a unique beginning of an id', async () => {
  const list = jsonOf(await folder.run(['status', '--json']));
  expect(list).toMatchObject({ batches: [{ status: 'finished' }, { status: 'finished' }], server: { up: true } });
  const one = await folder.run(['status', 'latest', '--json']);
  expect(jsonOf(one)).toMatchObject({ status: 'finished', model: TASK.model, failures: [], concurrency: 50 });
  const ambiguous = await folder.run(['status', 'greet']);
  expect(ambiguous).toMatchObject({ code: 1, stderr: containing('begins the id of 2 batches') });
  const lines = (await folder.run(['results', 'latest', '--with-input'])).stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(12);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ index: 0, input: { id: 'r0' }, prompts: [] });
  const failed = await folder.run(['results', 'latest', '--failed', '--json']);
  expect(jsonOf(failed)).toMatchObject({ outcomes: 0 });
});

test('a wrong key pauses the batch, names what to do, and the right one continues it', async () => {
  await folder.write('key.jsonl', records(5, 100).join(''));
  const paused = await folder.run(['run', 'task.json', 'key.jsonl', '--json'], {
    ...env,
    ANTHROPIC_API_KEY: 'wrong-key',
  });
  expect(paused.code).toBe(3);
  expect(jsonOf(paused)).toMatchObject({ status: 'paused', items: 5, succeeded: 0, out: null });
  expect(paused.stderr).toMatch(/ANTHROPIC_API_KEY|invalid x-api-key|authentication/);
  expect(paused.stderr).toContain('tempered resume greetings-');
  expect(paused.stderr).not.toContain('wrong-key');
  const resumed = await folder.run(['resume', 'latest'], env);
  expect(resumed.code).toBe(0);
  expect(resumed.stdout).toContain('tempered watch greetings-');
  const end = await folder.run(['run', 'task.json', 'key.jsonl', '--json'], env);
  expect(end.code).toBe(0);
  expect(jsonOf(end)).toMatchObject({ status: 'finished', succeeded: 5, prompts: 5 });
});

test('a spent budget pauses, a higher one continues', async () => {
  await folder.write('money.jsonl', records(5, 200).join(''));
  const args = ['run', 'task.json', 'money.jsonl', '--json'];
  const paused = await folder.run([...args, '--budget', '0.0001'], env);
  expect(paused.code).toBe(3);
  expect(jsonOf(paused)).toMatchObject({ status: 'paused', succeeded: 0 });
  expect(paused.stderr).toMatch(/budget/);
  const free = await folder.run(['set', 'latest', '--budget', 'none', '--json'], env);
  expect(jsonOf(free)).toMatchObject({ budget: null });
  const end = await folder.run([...args, '--budget', '1'], env);
  expect(end.code).toBe(0);
  expect(jsonOf(end)).toMatchObject({ status: 'finished', succeeded: 5 });
});

test('pause, set and cancel from another terminal', async () => {
  const slow = await simulate(['--scenario', await scenario({ latency: { fixedMs: 1_500 } })]);
  await folder.write('slow.jsonl', records(40, 300).join(''));
  const args = ['run', 'task.json', 'slow.jsonl', '--concurrency', '2'];
  const running = folder.start(args, slow.env);
  await running.wrote(/[1-9]\d*\/40 done/);
  const paused = await folder.run(['pause', 'latest', '--reason', 'lunch', '--json'], slow.env);
  expect(jsonOf(paused)).toMatchObject({ status: 'paused' });
  const left = await running.end;
  expect(left.code).toBe(3);
  expect(left.stdout).toContain('lunch');

  const set = await folder.run(['set', 'latest', '--concurrency', '3', '--rpm', '600', '--json'], slow.env);
  expect(jsonOf(set)).toMatchObject({ concurrency: 3, limits: { rpm: 600 } });
  const wrong = await folder.run(['set', 'latest'], slow.env);
  expect(wrong).toMatchObject({ code: 1, stderr: containing('Nothing to set') });

  const cancelled = await folder.run(['cancel', 'latest', '--json'], slow.env);
  expect(cancelled.code).toBe(0);
  const { succeeded, notRun, failed, status } = jsonOf(cancelled);
  expect(status).toBe('cancelled');
  expect(Number(succeeded) + Number(notRun) + Number(failed)).toBe(40);
  const ended = await folder.run(['pause', 'latest'], slow.env);
  expect(ended).toMatchObject({ code: 1, stderr: containing('it has ended') });
  expect((await folder.run(['run', 'task.json', 'slow.jsonl'], slow.env)).code).toBe(3);
  slow.sim.child.kill('SIGTERM');
  await slow.sim.end;
});

test('records that wait are skipped from another terminal', async () => {
  await folder.write('scarce.json', { ...TASK, name: 'scarce', model: 'gemini/gemini-2.5-flash', limits: { rpm: 1 } });
  await folder.write('three.jsonl', records(3).join(''));
  const running = folder.start(['run', 'scarce.json', 'three.jsonl', '--json'], env);
  await running.wrote(/1\/3 done/);
  for (const index of ['1', '2']) {
    const { batchId, item } = jsonOf(await folder.run(['skip', 'latest', index, '--json'], env));
    expect({ batchId, item }).toEqual({ batchId: matching(/^scarce-/), item: Number(index) });
  }
  const end = await running.end;
  expect(end.code).toBe(0);
  expect(jsonOf(end)).toMatchObject({ status: 'finished', succeeded: 1, notRun: 2, prompts: 1 });
  const late = await folder.run(['skip', 'latest', '1'], env);
  expect(late).toMatchObject({ code: 1, stderr: containing('has no workflow that runs') });
});

test('records whose time is over before they were asked are no success', async () => {
  // The probe takes the pool's one prompt a minute.
  await folder.write('late.json', { ...TASK, name: 'late', model: 'openai/gpt-4.1-mini', limits: { rpm: 1 } });
  const args = ['run', 'late.json', 'three.jsonl', '--item-timeout', '2s', '--json'];
  const end = await folder.run(args, env);
  expect(jsonOf(end)).toMatchObject({ status: 'finished', succeeded: 1, failed: 0, notRun: 2, prompts: 1 });
  expect(end).toMatchObject({ code: 2, stderr: containing('deadline/item_timeout') });
});

test('Ctrl-C saves, says how to go on, and the next run finishes', async () => {
  const slow = await simulate(['--scenario', await scenario({ latency: { fixedMs: 700 } })]);
  await folder.write('left.jsonl', records(8, 400).join(''));
  const args = ['run', 'task.json', 'left.jsonl', '--concurrency', '2'];
  const running = folder.start(args, slow.env);
  await running.wrote(/\/8 done/);
  running.child.kill('SIGINT');
  const left = await running.end;
  expect(left.code).toBe(3);
  expect(left.stdout).toMatch(/go on: +tempered run task\.json left\.jsonl/);
  expect(left.stdout).toMatch(/pause: +tempered pause greetings-/);
  expect(left.stdout).toMatch(/cancel: +tempered cancel greetings-/);
  const end = await folder.run([...args, '--json'], env);
  expect(end.code).toBe(0);
  expect(jsonOf(end)).toMatchObject({ status: 'finished', succeeded: 8 });
  slow.sim.child.kill('SIGTERM');
  await slow.sim.end;
});

test('--detach needs a worker; with one, records can be added until the input is closed', async () => {
  await folder.write('open.jsonl', records(3, 500).join(''));
  await folder.write('more.jsonl', records(4, 600).join(''));
  const args = ['run', 'task.json', 'open.jsonl', '--open', '--detach', '--json'];
  const alone = await folder.run(args, env);
  expect(alone.code).toBe(4);
  expect(alone.stderr).toMatch(/none polls tempered and llm-anthropic/);

  const worker = folder.start(['dev'], env);
  await worker.wrote('Ctrl-C stops it.');
  const detached = await folder.run(args, env);
  expect(detached.code).toBe(0);
  const { batchId } = jsonOf(detached);
  for (let time = 0; time < 2; time += 1) {
    expect(jsonOf(await folder.run(['add', String(batchId), 'more.jsonl', '--json'], env))).toMatchObject({ added: 4 });
  }
  await folder.run(['add', String(batchId), '--close'], env);
  const late = await folder.run(['add', String(batchId), 'more.jsonl'], env);
  expect(late).toMatchObject({ code: 1, stderr: matching(/is closed: it takes no more records.*\n.*--open/) });
  const followed = folder.start(['results', String(batchId), '--follow', '--json'], env);
  const watched = await folder.run(['watch', String(batchId), '--json'], env);
  expect(jsonOf(watched)).toMatchObject({ status: 'finished', items: 7, succeeded: 7 });
  expect(jsonOf(await followed.end)).toMatchObject({ outcomes: 7 });

  const waiting = await folder.run(['answer', String(batchId), '--json'], env);
  expect(jsonOf(waiting)).toMatchObject({ batchId, waiting: [] });
  expect(waiting.stderr).toContain('waits for a person');
  const answer = ['answer', String(batchId), '2', '--output'];
  const refused = await folder.run([...answer, '{"mood":"sour","words":1}'], env);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/mood/);
  expect((await folder.run([...answer, '{"mood":"sad","words":7}', '--by', 'Kim'], env)).code).toBe(0);
  const lines = (await folder.run(['results', String(batchId)], env)).stdout.trimEnd().split('\n');
  expect(JSON.parse(lines[2] ?? '')).toMatchObject({ status: 'succeeded', output: { mood: 'sad', words: 7 } });
  worker.child.kill('SIGINT');
  expect((await worker.end).code).toBe(0);
});

test('down stops the server; status works from the store and says so', async () => {
  expect((await folder.run(['down'])).code).toBe(0);
  const end = await folder.run(['status', 'latest']);
  expect(end.code).toBe(0);
  expect(end.stdout).toContain('down; figures are from the store');
});

test('money is told while the server is down: what was spent, what a run would cost, and to other programs', async () => {
  const text = (await folder.run(['costs', '--by', 'service', '--since', '1d'])).stdout;
  expect(text).toMatch(/^service +prompts +tokens in +cached +written +out +thinking +cost +saved +before +change\n/);
  expect(text).toMatch(/^greetings +\d+ .*\$0\.\d{4}/m);
  const byModel = jsonOf(await folder.run(['costs', '--by', 'model', '--json']));
  const byDay = jsonOf(await folder.run(['costs', '--json']));
  const row = { key: TASK.model, costUsd: aNumber(), rose: false };
  expect(byModel).toMatchObject({ by: 'model', rows: expect.arrayContaining([expect.objectContaining(row)]) });
  expect(Money.parse(byModel).total.costUsd).toBeCloseTo(Money.parse(byDay).total.costUsd, 9);
  for (const [args, words] of [
    [['--since', 'yesterday'], /12h, 7d or 4w, or an ISO date/],
    [['--rise', 'much'], /share such as 0\.25/],
    [['--by', 'hour'], /Allowed choices are day, week/],
  ] as const) {
    expect(await folder.run(['costs', ...args])).toMatchObject({ code: 1, stderr: matching(words) });
  }

  const estimated = await folder.run([
    'estimate',
    'task.json',
    'data.jsonl',
    '--offline',
    '--budget',
    '1',
    '--model',
    TASK.model,
    '--model',
    'lmstudio/any',
    '--execution',
    'inline',
  ]);
  expect(estimated).toMatchObject({ code: 0, stderr: '' });
  expect(estimated.stdout).toMatch(/greetings on data\.jsonl: 12 records/);
  expect(estimated.stdout).toMatch(/prompt +\d+ tokens.*corrected by \d+ earlier prompts; 12 records sampled/);
  expect(estimated.stdout).toMatch(/budget +\$1\.0000 is enough/);
  expect(estimated.stdout).toMatch(/lmstudio\/any[^]*cost +\$0, between/);
  expect(estimated.stdout).toContain('Run it:       tempered run task.json data.jsonl');

  const server = folder.start(['serve', '--port', '0']);
  await server.wrote(/http:\/\/127\.0\.0\.1:\d+/);
  const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(server.lines().join('\n')) ?? [];
  const response = await fetch(`${url}/api/monitoring/llm-optimization`);
  expect(await response.json()).toMatchObject({ greetings: { hit_rate: '0.0%', is_optimized: false } });
  server.child.kill('SIGINT');
  expect((await server.end).code).toBe(0);
});

const Money = z.object({ total: z.object({ costUsd: z.number() }) });

let scenarios = 0;

async function scenario(content: object): Promise<string> {
  scenarios += 1;
  const name = `scenario${scenarios}.json`;
  await folder.write(name, content);
  return name;
}
