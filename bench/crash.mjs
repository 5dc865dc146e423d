// kill -9 in the middle, then the same command again: prompts paid twice, and the time from the kill to the end. Ours
// in each execution mode and async-batch-llm with its SQLite checkpoint (which is run again by hand).
//
//   npm run bench:crash [-- --records N --latency MS --concurrency N --runs N]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Ours, writeRecords } from './support/ours.mjs';
import { preparePeer, startPeer } from './support/peer.mjs';
import { alternate, finish, medianOf, ratio } from './support/report.mjs';
import { startStub } from './support/startStub.mjs';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '400' },
    latency: { type: 'string', default: '1000' },
    concurrency: { type: 'string', default: '50' },
    runs: { type: 'string', default: '3' },
  },
});
const n = Number(values.records);
const concurrency = Number(values.concurrency);

const peerVersion = preparePeer();
const stub = await startStub();
const ours = await new Ours(stub).start();
const folder = mkdtempSync(path.join(tmpdir(), 'tempered-bench-crash-'));
const modes = await ours.modes();
let number = 0;

/** Half of the records were asked about. */
async function untilHalf() {
  while ((await stub.counts()).requests < n / 2) await sleep(20);
}

/** Kills at the middle, goes on, and tells what was paid twice. `start` returns a child, `resume` runs to the end. */
async function killed(start, resume) {
  await stub.set({ latencyMs: Number(values.latency) });
  const child = start();
  await untilHalf();
  child.kill('SIGKILL');
  const begun = performance.now();
  const told = await resume();
  const seconds = (performance.now() - begun) / 1000;
  const { records, repeated } = await stub.counts();
  if (records !== n) throw new Error(`${n - records} records were never asked about.`);
  return { seconds, repeated, ...told };
}

async function oursKilled(mode) {
  number += 1;
  const args = ['run', 'task.json', 'records.jsonl', '--execution', mode, '--batch-id', `crash-${number}`];
  const all = [...args, '--concurrency', values.concurrency];
  return killed(
    () => ours.spawn(all).child,
    async () => {
      const { result } = await ours.cli(all);
      // Every prompt sent is in the bill: answered, or charged at its worst case as unknown.
      return { succeeded: result.succeeded, told: result.prompts };
    },
  );
}

async function peerKilled() {
  number += 1;
  const options = { baseUrl: stub.baseUrl, n, concurrency, checkpoint: path.join(folder, `${number}.sqlite`) };
  return killed(
    () => startPeer(options).child,
    async () => {
      const { succeeded } = await startPeer({ ...options, resume: true }).ended;
      return { succeeded, told: n };
    },
  );
}

const CONTENDERS = {
  ...Object.fromEntries(modes.map((mode) => [`tempered ${mode}`, () => oursKilled(mode)])),
  'async-batch-llm + checkpoint': peerKilled,
};

let runs;
try {
  await writeRecords(ours.file('records.jsonl'), n);
  runs = await alternate(Object.keys(CONTENDERS), Number(values.runs), (name) => CONTENDERS[name]());
} finally {
  await ours.end();
  stub.stop();
  rmSync(folder, { recursive: true, force: true });
}

const of = (name, figure) => medianOf(runs[name], (run) => run[figure]);
const peer = 'async-batch-llm + checkpoint';
const rest = (n / 2 / concurrency) * (Number(values.latency) / 1000);

finish({
  name: 'crash',
  title: `kill -9 at half of ${n} records, ${values.latency} ms latency, concurrency ${concurrency}`,
  ratios: modes.flatMap((mode) => [
    ratio(`prompts paid twice, ${mode} / concurrency`, of(`tempered ${mode}`, 'repeated') / concurrency, { atMost: 1 }),
    ratio(`time from kill to end, ${mode} / async-batch-llm`, of(`tempered ${mode}`, 'seconds') / of(peer, 'seconds')),
  ]),
  tables: [
    {
      title: `Medians of ${values.runs}; the other half alone takes ${rest} s`,
      headings: ['contender', 'paid twice', 'sent in all', 'told in the bill', 'kill to end, s', 'succeeded'],
      rows: Object.keys(CONTENDERS).map((name) => [
        name,
        of(name, 'repeated'),
        n + of(name, 'repeated'),
        of(name, 'told'),
        of(name, 'seconds'),
        of(name, 'succeeded'),
      ]),
    },
  ],
  plot: {
    title: 'After kill -9',
    unit: 'prompts, seconds',
    groups: ['repeated', 'seconds'].map((figure) => ({
      label: figure === 'repeated' ? 'prompts paid twice' : 'seconds from kill to end',
      bars: Object.keys(CONTENDERS).map((label) => ({ label, value: of(label, figure) })),
    })),
  },
  notes: [
    'What is in flight at the kill has been sent and is asked again, by everybody: up to the concurrency. The difference is who tells: our bill counts lost prompts at their worst case.',
  ],
  data: { peerVersion, runs },
});
