// A budget at high concurrency, over records of widely varying cost: what the provider's own ledger bills when the batch
// pauses, in each execution mode, with and without kill -9 in between; then a higher budget finishes the rest.
//
//   npm run bench:budget [-- --records N --budget USD --concurrency N --modes item,inline]
//
// Uses the simulator, the embedded server of a folder of its own, and a worker process.
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { simulatorEnv, startSimulator } from '../dist/client/simulator.js';
import { Ours } from './support/ours.mjs';
import { finish, ratio } from './support/report.mjs';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '9000' },
    budget: { type: 'string', default: '1' },
    concurrency: { type: 'string', default: '100' },
    modes: { type: 'string', default: 'item,inline' },
  },
});
const n = Number(values.records);
const budget = Number(values.budget);

const TASK = {
  model: 'gemini/gemini-2.5-flash',
  instructions: 'Sum up in a sentence.',
  prompt: '{{text}}',
  maxOutputTokens: 60,
  maxPrompts: 3,
  cache: { enabled: false },
  schema: undefined,
};

const ours = await new Ours({ baseUrl: 'http://127.0.0.1:1/v1' }, { task: TASK }).start();
const textOf = (i) => `${'word '.repeat(5 + Math.round(((i * 37) % 100) * 1.2))}${i}`;
const lines = Array.from({ length: n }, (_, i) => JSON.stringify({ id: String(i), text: textOf(i) }));
writeFileSync(ours.file('records.jsonl'), lines.join('\n'));

async function statusOf(id) {
  return (await ours.cli(['status', id])).result;
}

/** Waits until the batch is in one of these states and nothing is in flight. */
async function settled(id, states) {
  for (;;) {
    const status = await statusOf(id);
    if (states.includes(status.status) && status.inFlight === 0) return status;
    await sleep(500);
  }
}

async function measure(mode, killed) {
  const simulator = await startSimulator({ scenario: { latency: { meanMs: 300, p95Ms: 700 } } });
  const env = simulatorEnv(simulator.url);
  const billed = () => simulator.totals().costUsd;
  const id = `budget-${mode}${killed ? '-killed' : ''}`;
  let worker = await ours.worker([], { env });
  try {
    const args = ['run', 'task.json', 'records.jsonl', '--execution', mode, '--batch-id', id, '--detach'];
    await ours.cli([...args, '--concurrency', values.concurrency, '--budget', values.budget], { env });
    if (killed) {
      while (billed() < budget / 2) await sleep(20);
      worker.child.kill('SIGKILL');
      await worker.exited;
      worker = await ours.worker([], { env });
    }
    const paused = await settled(id, ['paused']);
    const atPause = billed();
    await ours.cli(['set', id, '--budget', String(budget * 10)], { env });
    const ended = await settled(id, ['finished']);
    if (ended.succeeded !== n) throw new Error(`${n - ended.succeeded} records did not succeed.`);
    return {
      atPause,
      told: paused.costUsd,
      unknown: paused.usage.unknownPrompts,
      done: paused.succeeded,
      all: billed(),
    };
  } finally {
    worker.child.kill('SIGTERM');
    await worker.exited;
    await simulator.close();
  }
}

const runs = [];
try {
  for (const mode of values.modes.split(',')) {
    for (const killed of [false, true]) {
      console.error(`${mode}${killed ? ', killed' : ''}`);
      runs.push({ label: `${mode}${killed ? ', kill -9 at half' : ''}`, ...(await measure(mode, killed)) });
    }
  }
} finally {
  await ours.end();
}

finish({
  name: 'budget',
  title: `A budget of $${budget.toFixed(2)}, ${n} records of varying cost, concurrency ${values.concurrency}`,
  ratios: runs.flatMap(({ label, atPause }) => [
    ratio(`bill of the provider at the pause / budget, ${label}`, atPause / budget, { atMost: 1 }),
    ratio(`used of the budget, ${label}`, atPause / budget, { atLeast: 0.9 }),
  ]),
  tables: [
    {
      title: 'At the pause, and after ten times the budget',
      headings: ['run', 'billed at the pause, $', 'told, $', 'prompts lost', 'records done', 'billed in all, $'],
      rows: runs.map(({ label, atPause, told, unknown, done, all }) => [label, atPause, told, unknown, done, all]),
    },
  ],
  notes: [
    'What was in flight at a kill stays charged at its worst case: that is the part of the budget that is not billed.',
  ],
  data: { runs },
});
