// Runs every workflow for real and keeps its histories under test/replay/histories: `node scripts/save-histories.mjs`
// after `npm run build`. Do so after a change that `patched()` guards, and keep the older histories of it too.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { obtainProgram } from '../dist/client/embedded/index.js';
import { defineTask, openTempered } from '../dist/index.js';
import { simulatorEnv, startSimulator } from '../dist/simulator/index.js';
import { z } from 'zod';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = path.join(root, 'test/replay/histories');
const folder = mkdtempSync(path.join(tmpdir(), 'tempered-histories-'));
mkdirSync(target, { recursive: true });

const task = defineTask({
  name: 'greetings',
  model: 'anthropic/claude-sonnet-4-6',
  prompt: 'Greeting: {{text}}',
  schema: z.object({ mood: z.enum(['happy', 'sad']), words: z.int() }),
});
const records = (count, from) => Array.from({ length: count }, (_, i) => ({ text: `happy day number ${from + i}` }));

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function startTemporal() {
  const program = await obtainProgram({ env: process.env, onProgress: () => undefined });
  const port = await freePort();
  const values = ['limit.historyCount.suggestContinueAsNew=60', 'matching.numTaskqueueReadPartitions=1'];
  const args = ['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port)];
  const options = [...values, 'matching.numTaskqueueWritePartitions=1'].flatMap((v) => ['--dynamic-config-value', v]);
  const child = spawn(program, [...args, '--log-level', 'error', ...options], { stdio: 'ignore', cwd: folder });
  const address = `127.0.0.1:${port}`;
  for (;;) {
    const connection = await Connection.connect({ address, connectTimeout: '1 s' }).catch(() => undefined);
    if (connection !== undefined) return { child, address, connection };
    await sleep(100);
  }
}

async function until(look) {
  while (!(await look())) await sleep(50);
}

const { child, address, connection } = await startTemporal();
const client = new Client({ connection });
const sim = await startSimulator();
const store = `sqlite:${path.join(folder, 'store.db')}`;
const env = simulatorEnv(sim.url);
const tempered = await openTempered({ address, store, folder, env });
const scenario = (value) => fetch(`${sim.url}/scenario`, { method: 'PUT', body: JSON.stringify(value) });
/** A worker of its own process, so that it can die. */
const startWorker = () =>
  spawn(process.execPath, [path.join(root, 'bin/tempered'), 'worker', '--address', address, '--store', store], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });

async function save(name, workflowId, runId) {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const json = JSON.stringify(JSON.parse(historyToJSON(history)), (key, value) => {
    // Who worked on it, and where, says nothing about the workflow.
    if (key === 'identity') return 'worker';
    return typeof value === 'string' ? value.replaceAll(root, '').replaceAll(hostname(), 'worker') : value;
  });
  writeFileSync(path.join(target, `${name}.json`), `{"workflowId":"${workflowId}","history":${json}}\n`);
  process.stdout.write(`${name}: ${history.events.length} events\n`);
}

async function steered() {
  await scenario({ latency: { fixedMs: 150 } });
  const batch = await tempered.startBatch(task, records(12, 1_000), { concurrency: 3, budgetUsd: 10 });
  await until(async () => (await batch.progress()).counters.prompts >= 2);
  await batch.cancelItem(11);
  await batch.pause('for the history');
  await batch.setConcurrency(5);
  await batch.setBudget(20);
  await batch.setModel('anthropic/claude-haiku-4-5');
  await batch.setDeadline(new Date(Date.now() + 3_600_000).toISOString());
  await batch.setLimits({ inFlight: 4 });
  await until(async () => (await batch.progress()).status === 'paused');
  await client.workflow
    .getHandle(`${batch.id}/5`)
    .signal('skip')
    .catch(() => undefined);
  await batch.resume();
  await batch.result();
  await save('batch-steered', batch.id);
  await save('shard-steered', `${batch.id}/s0`);
  await save('item-first-answer', `${batch.id}/0`);
}

async function continued() {
  await scenario({});
  const batch = await tempered.startBatch(task, records(5, 2_000), { open: true, concurrency: 4 });
  for (let i = 0; i < 20; i += 1) await batch.addItems(records(3, 2_100 + 3 * i));
  await batch.closeInput();
  await batch.result();
  const runs = [];
  for await (const run of client.workflow.list({ query: `WorkflowId = '${batch.id}'` })) runs.push(run);
  const inOrder = runs.sort((a, b) => Number(a.startTime) - Number(b.startTime));
  await save('batch-continues', batch.id, inOrder[0].runId);
  await save('batch-continued', batch.id, inOrder[inOrder.length - 1].runId);
}

async function laddered() {
  await scenario({ rates: { wrongFields: 0.8 }, laterStages: 0.8 });
  const batch = await tempered.startBatch(task, records(30, 3_000));
  await batch.result();
  let found = false;
  for await (const { index, prompts, status } of batch.outcomes()) {
    if (found || prompts.length !== 3 || status !== 'succeeded') continue;
    found = true;
    await save('item-3stages', `${batch.id}/${index}`);
  }
  await save('shard-whole', `${batch.id}/s0`);
  await save('batch-whole', batch.id);
  await scenario({ rates: { wrongFields: 1 }, laterStages: 1 });
  const failing = await tempered.startBatch(task, records(3, 3_100));
  await failing.result();
  await save('item-spent', `${failing.id}/0`);
  await failing.answer(0, { mood: 'happy', words: 3 }, 'a person');
  await save('review-answered', `${failing.id}/0/review`);
}

async function ended() {
  await scenario({ latency: { fixedMs: 2_000 } });
  const batch = await tempered.startBatch(task, records(6, 4_000), { concurrency: 3 });
  await until(async () => (await batch.progress()).counters.inFlight >= 3);
  await client.workflow.getHandle(`${batch.id}/1`).signal('skip');
  await until(async () => (await client.workflow.getHandle(`${batch.id}/1`).describe()).status.name !== 'RUNNING');
  await save('item-skipped', `${batch.id}/1`);
  await batch.cancel();
  await batch.result();
  await save('batch-cancelled', batch.id);
  await save('shard-cancelled', `${batch.id}/s0`);
}

async function inPages() {
  await scenario({ rates: { wrongFields: 0.2 } });
  const batch = await tempered.startBatch(task, records(40, 6_000), { execution: 'inline', concurrency: 8 });
  await batch.result();
  await save('shard-inline', `${batch.id}/s0`);
  await save('batch-inline', batch.id);
}

/** Returns the worker that lives. */
async function lost(worker) {
  await scenario({ latency: { fixedMs: 8_000 } });
  const batch = await tempered.startBatch(task, records(2, 5_000), { concurrency: 2 });
  await until(async () => (await batch.progress()).counters.succeeded >= 1);
  await until(async () => (await batch.progress()).counters.inFlight >= 1);
  worker.kill('SIGKILL');
  await once(worker, 'exit');
  await scenario({});
  const next = startWorker();
  await batch.result();
  await save('item-lost-worker', `${batch.id}/1`);
  return next;
}

/** What to make; all of it when no name is given: `node scripts/save-histories.mjs inPages`. */
const wanted = process.argv.slice(2);
const parts = { steered, continued, laddered, ended, inPages };
let worker = startWorker();
try {
  for (const [name, make] of Object.entries(parts)) {
    if (wanted.length === 0 || wanted.includes(name)) await make();
  }
  if (wanted.length === 0 || wanted.includes('lost')) worker = await lost(worker);
} finally {
  worker.kill('SIGKILL');
  await tempered.close();
  await connection.close();
  await sim.close();
  child.kill('SIGTERM');
  await once(child, 'close');
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
