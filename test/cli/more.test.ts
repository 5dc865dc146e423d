import { once } from 'node:events';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { Io } from '../../src/cli/io.js';
import { workerLog } from '../../src/cli/place.js';
import { openDataset } from '../../src/client/data/index.js';
import { CliFolder, jsonOf } from '../support/cli.js';
import { containing, matching } from '../support/match.js';
import { startPostgres } from '../support/postgres.js';

jest.setTimeout(180_000);

const TASK = { name: 'more', model: 'lmstudio/any', prompt: 'Say: {{text}}', maxOutputTokens: 100 };
const SCHEMA = {
  type: 'object',
  properties: { words: { type: 'string' }, size: { type: 'integer' } },
  required: ['words', 'size'],
};

let folder: CliFolder;
let server: Server;
let url: string;
/** Prompts the endpoint was sent. */
const asked: string[] = [];
/** What it answers; null = never. */
let answer = (_prompt: string): string | null => 'well';

const REQUEST = z.object({ messages: z.array(z.object({ role: z.string(), content: z.string() })) });

const POOLS = z.object({ pools: z.array(z.object({ pool: z.string(), set: z.record(z.string(), z.json()) })) });

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { messages } = REQUEST.parse(JSON.parse(Buffer.concat(chunks).toString()));
      const prompt = messages.at(-1)?.content ?? '';
      asked.push(prompt);
      const content = answer(prompt);
      if (content === null) return;
      const message = { role: 'assistant', content };
      const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
      const body = { id: 'x', object: 'chat.completion', created: 1, model: 'any', usage };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ...body, choices: [{ index: 0, finish_reason: 'stop', message }] }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  folder = await CliFolder.make({ LMSTUDIO_BASE_URL: `${url}/v1` });
  await folder.write('task.json', TASK);
  await folder.write('data.jsonl', records('a', 3));
});

beforeEach(() => {
  asked.length = 0;
  answer = () => 'well';
});

afterAll(async () => {
  await folder.run(['down']);
  server.closeAllConnections();
  server.close();
  await folder.remove();
});

function records(name: string, count: number): string {
  return Array.from({ length: count }, (_, i) => `{"id":"${name}${i}","text":"${name} ${i}"}\n`).join('');
}

async function outcomesOf(batchId: string, store: readonly string[] = []): Promise<readonly unknown[]> {
  const { stdout } = await folder.run(['results', batchId, ...store]);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

/** Bytes of history the server keeps for a workflow. */
async function historyBytes(workflowId: string): Promise<number> {
  const status = jsonOf(await folder.run(['status', '--json']));
  const { address } = z.object({ address: z.string() }).parse(status['server']);
  const connection = await Connection.connect({ address });
  try {
    const { historySize } = await new Client({ connection }).workflow.getHandle(workflowId).describe();
    return historySize ?? NaN;
  } finally {
    await connection.close();
  }
}

test('PostgreSQL is the store of a batch from its start to its results', async () => {
  const postgres = await startPostgres();
  try {
    const store = ['--store', postgres.url];
    const end = await folder.run(['run', 'task.json', 'data.jsonl', '--json', ...store]);
    expect(end).toMatchObject({ code: 0 });
    expect(`${end.stdout}${end.stderr}`).not.toContain('ss/word');
    const summary = jsonOf(end);
    expect(summary).toMatchObject({ status: 'finished', items: 3, succeeded: 3, prompts: 3 });
    const id = String(summary['batchId']);
    expect(jsonOf(await folder.run(['status', id, '--json', ...store]))).toMatchObject({ status: 'finished' });
    expect(await outcomesOf(id, store)).toMatchObject([0, 1, 2].map((i) => ({ id: `a${i}`, output: 'well' })));
    // The folder's own store knows nothing of it.
    expect(await folder.run(['status', id])).toMatchObject({ code: 1 });
    // A second run finds it.
    expect((await folder.run(['run', 'task.json', 'data.jsonl', ...store])).stdout).toContain(
      'Already finished, shown',
    );
    expect(asked).toHaveLength(3);
  } finally {
    await postgres.stop();
  }
});

test('CSV in, Parquet out', async () => {
  answer = (prompt) => JSON.stringify({ words: prompt.slice(5), size: prompt.length });
  await folder.write('table.json', { ...TASK, name: 'table', schema: SCHEMA });
  await folder.write('data.csv', '\uFEFFid,text\r\nx,"two\nlines, ""quoted"""\r\ny,grüße\r\n');
  const args = ['run', 'table.json', 'data.csv', '--out', 'out.parquet', '--json'];
  const end = await folder.run(args);
  expect(end).toMatchObject({ code: 0 });
  expect(jsonOf(end)).toMatchObject({ status: 'finished', succeeded: 2, out: 'out.parquet' });
  const parquet = await openDataset(path.join(folder.path, 'out.parquet'), { onBad: 'fail' });
  const rows: unknown[] = [];
  for await (const { value } of parquet.records()) rows.push(value);
  expect(rows).toMatchObject([
    { index: 0, id: 'x', status: 'succeeded', 'output.words': 'two\nlines, "quoted"', 'output.size': 24, prompts: 1 },
    { index: 1, id: 'y', status: 'succeeded', 'output.words': 'grüße', 'output.size': 10, prompts: 1 },
  ]);
});

test('an answer beyond what Temporal carries is stored whole, paid once, and kept out of history', async () => {
  const long = `${'ü'.repeat(1_500_000)}!`;
  answer = () => long;
  const end = await folder.run(['run', 'task.json', 'data.jsonl', '--limit', '1', '--json', '--out', 'long.jsonl']);
  expect(end).toMatchObject({ code: 0 });
  const summary = jsonOf(end);
  expect(summary).toMatchObject({ status: 'finished', succeeded: 1, prompts: 1 });
  expect(asked).toHaveLength(1);
  const id = String(summary['batchId']);
  const line: unknown = JSON.parse(await readFile(path.join(folder.path, 'long.jsonl'), 'utf8'));
  const written = z.object({ output: z.string() }).parse(line);
  expect(written.output === long).toBe(true);
  expect(await historyBytes(`${id}/0`)).toBeLessThan(64 * 1024);
});

test('--detach without a worker starts nothing and names the command', async () => {
  await folder.write('wait.jsonl', records('w', 2));
  const alone = await folder.run(['run', 'task.json', 'wait.jsonl', '--detach']);
  expect(alone).toMatchObject({ code: 4, stderr: containing('tempered dev') });
  expect(alone.stderr).toContain('llm-lmstudio');
  expect(asked).toHaveLength(0);
});

test('a port that is taken', async () => {
  const port = new URL(url).port;
  const end = await folder.run(['sim', '--port', port]);
  expect(end).toMatchObject({ code: 1, stdout: '' });
  expect(end.stderr).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}.*\\n {2}Choose another port`));
});

test('a results file that cannot be written is refused before anything is sent', async () => {
  await folder.write('refused.jsonl', records('r', 1));
  await mkdir(path.join(folder.path, 'a-folder.jsonl'));
  const run = (out: string) => folder.run(['run', 'task.json', 'refused.jsonl', '--out', out]);
  expect(await run('nowhere/out.jsonl')).toMatchObject({ code: 1, stderr: containing('There is no folder') });
  expect(await run('task.json/out.jsonl')).toMatchObject({ code: 1, stderr: containing('is not a folder') });
  // A folder nobody may write to, root included.
  const readOnly = process.platform === 'linux' ? '/sys' : '/System';
  expect(await run(`${readOnly}/out.jsonl`)).toMatchObject({
    code: 1,
    stderr: containing(`Nothing can be written in ${readOnly}`),
  });
  expect(await run('out.docx')).toMatchObject({ code: 1, stderr: containing('.parquet') });
  expect(await run('a-folder.jsonl')).toMatchObject({
    code: 1,
    stderr: containing('a-folder.jsonl: This is a folder'),
  });
  expect(asked).toHaveLength(0);
  expect((await readdir(folder.path)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('a worker that dies while a batch is watched is missed by name', async () => {
  answer = () => null;
  await folder.write('lost.jsonl', records('l', 1));
  const worker = folder.start(['dev']);
  await worker.wrote('Ctrl-C stops it.');
  expect((await folder.run(['run', 'task.json', 'lost.jsonl', '--detach'])).code).toBe(0);
  const watching = folder.start(['watch', 'latest']);
  await watching.wrote('1 in flight');
  worker.child.kill('SIGKILL');
  await watching.wrote(/limited by no worker polling/);
  watching.child.kill('SIGINT');
  expect((await watching.end).code).toBe(3);
});

test("a worker's log that cannot be written is told once and ends nothing", async () => {
  const at = process.cwd();
  await mkdir(path.join(folder.path, 'logless/.tempered/worker.log'), { recursive: true });
  process.chdir(path.join(folder.path, 'logless'));
  const io = new Io(false);
  const told = jest.spyOn(io, 'warn').mockImplementation(() => undefined);
  try {
    const log = workerLog(io);
    log('first');
    log('second');
  } finally {
    process.chdir(at);
  }
  expect(told.mock.calls).toEqual([[matching(/worker\.log can't be written: [\s\S]*\nfirst$/)]]);
});

test('retry asks again for what a condition picks, as a linked batch; a pool is limited by its name', async () => {
  await folder.write('again.jsonl', records('r', 3));
  const { batchId } = jsonOf(await folder.run(['run', 'task.json', 'again.jsonl', '--json']));
  asked.length = 0;
  const retried = await folder.run(['retry', String(batchId), '--where', 'id == "r1"', '--json']);
  expect(jsonOf(retried)).toMatchObject({ batchId: `${String(batchId)}-r1`, items: 1, succeeded: 1 });
  // Batches of other tests may still be asked.
  expect(asked.filter((one) => one.startsWith('Say: r '))).toEqual(['Say: r 1']);
  expect(jsonOf(await folder.run(['status', String(batchId), '--json']))).toMatchObject({
    retries: [{ batchId: `${String(batchId)}-r1` }],
  });

  const limits = async () => {
    const { pools } = POOLS.parse(jsonOf(await folder.run(['status', '--json'])));
    return pools.find(({ pool }) => pool === 'lmstudio')?.set;
  };
  expect((await folder.run(['set', '--pool', 'lmstudio', '--rpm', '5000'])).code).toBe(0);
  expect(await limits()).toEqual({ rpm: 5000 });
  expect((await folder.run(['set', '--pool', 'lmstudio', '--rpm', 'none'])).code).toBe(0);
  expect(await limits()).toEqual({});
});
