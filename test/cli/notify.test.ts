import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { type Simulator, simulatorEnv, startSimulator } from '../../src/simulator/index.js';
import { CliFolder, jsonOf } from '../support/cli.js';
import { containing } from '../support/match.js';

jest.setTimeout(180_000);

const SECRET = 'whsec_plJ3nmyCDGBKInavdOK15jsl';
const TASK = { name: 'told', model: 'anthropic/claude-haiku-4-5', prompt: 'Say: {{text}}', maxOutputTokens: 50 };
const NOTE = `
import { appendFileSync } from 'node:fs';
let text = '';
for await (const chunk of process.stdin) text += chunk;
appendFileSync('noted.jsonl', JSON.stringify({ by: process.env.TEMPERED_NOTIFIED, ...JSON.parse(text) }) + '\\n');`;

interface Told {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let folder: CliFolder;
let sim: Simulator;
let receiver: Server;
const told: Told[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      told.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      // The first is not heard: it must come again.
      response.writeHead(told.length === 1 ? 503 : 204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const address = receiver.address();
  const host = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  sim = await startSimulator();
  const secrets = { HOOK_SECRET: SECRET, HOOK_URL: `http://${host}/secret-path` };
  folder = await CliFolder.make({ ...simulatorEnv(sim.url), ...secrets });
  const command = [process.execPath, 'note.mjs'];
  const ops = { urlEnv: 'HOOK_URL', secretEnv: 'HOOK_SECRET' };
  await folder.write('tempered.config.json', { notify: { ops, note: { events: ['finish'], command } } });
  await folder.write('note.mjs', NOTE);
  await folder.write('task.json', TASK);
  await folder.write('data.jsonl', '{"text":"one"}\n{"text":"two"}\n');
});
afterAll(async () => {
  await folder.run(['down']);
  await folder.remove();
  receiver.close();
  await sim.close();
});

const body = (text: string) =>
  z.object({ type: z.string(), data: z.record(z.string(), z.unknown()) }).parse(JSON.parse(text));

test('a pause and the end are told, signed, until they are heard; history shows the host alone', async () => {
  const args = ['run', 'task.json', 'data.jsonl', '--batch-id', 'told', '--json'];
  expect((await folder.run([...args, '--budget', '0.000001'])).code).toBe(3);
  expect((await folder.run(['set', 'told', '--budget', '1'])).code).toBe(0);
  expect((await folder.run(args)).code).toBe(0);

  const [first, again, ...rest] = told;
  expect(body(first?.body ?? '')).toMatchObject({
    type: 'batch.paused',
    data: {
      batchId: 'told',
      status: 'paused',
      reason: { category: 'budget', message: containing('budget') },
      items: 2,
    },
  });
  expect(again?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  const end = rest.map((one) => body(one.body)).find(({ type }) => type === 'batch.finished');
  expect(end?.data).toMatchObject({ task: 'told', status: 'finished', reason: null, succeeded: 2, prompts: 2 });
  expect(new Set(told.map(({ headers }) => headers['webhook-id'])).size).toBe(2);
  for (const { headers, body: text } of told) {
    const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${text}`;
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  }
  const noted = (await readFile(path.join(folder.path, 'noted.jsonl'), 'utf8')).trim().split('\n');
  expect(noted.map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)))).toEqual([
    expect.objectContaining({ by: 'told', type: 'batch.finished' }),
  ]);

  const { address } = jsonOf(await folder.run(['server', '--json']));
  const connection = await Connection.connect({ address: String(address) });
  const history = await new Client({ connection }).workflow.getHandle('told').fetchHistory();
  await connection.close();
  const shown = textsOf(history.events);
  expect(shown.filter((text) => text.includes('tell ops (127.0.0.1:'))).toHaveLength(2);
  expect(shown.filter((text) => text.includes('secret-path') || text.includes(SECRET))).toEqual([]);
});

/** Every text in a history, payloads decoded. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString()];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

test('a batch that a command starts tells nobody', async () => {
  const before = told.length;
  const args = ['run', 'task.json', 'data.jsonl', '--new', '--json'];
  expect((await folder.run(args, { TEMPERED_NOTIFIED: 'told' })).code).toBe(0);
  expect(told).toHaveLength(before);
});
