// Tempered against async-batch-llm and the loop everybody writes first: the same stub server, the same records, the
// same checked answer, in turn.
//
//   npm run bench:peers [-- --records N --runs N --concurrency N --latencies 0,100,1000 --long --fresh]
//
// `--long` runs instead 100,000 records at 0 ms, `inline` (in one process, and in one per core) and the SDK loop, as a
// report of its own for this version of Node. `--fresh` brings the newest async-batch-llm. `item` mode runs a fifth of
// the records, and at 1 s latency everybody a twentieth: rates are compared, and what takes a second is too short to be
// one.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Ours, writeRecords } from './support/ours.mjs';
import { preparePeer, runPeer } from './support/peer.mjs';
import { alternate, finish, medianOf, number, ratio } from './support/report.mjs';
import { runScript } from './support/script.mjs';
import { startStub } from './support/startStub.mjs';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '5000' },
    runs: { type: 'string', default: '3' },
    concurrency: { type: 'string', default: '50' },
    latencies: { type: 'string', default: '0,100,1000' },
    long: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
  },
});
const concurrency = Number(values.concurrency);
const CORES = availableParallelism();
/** Its name among the contenders. */
const ALL_CORES = `tempered inline, worker --processes ${CORES}`;
const latencies = values.latencies.split(',').map(Number);

const peerVersion = values.long ? null : preparePeer(values.fresh);
const stub = await startStub();
const ours = await new Ours(stub).start();
const folder = mkdtempSync(path.join(tmpdir(), 'tempered-bench-peers-'));
const modes = await ours.modes();

let files = 0;
/** A new file for results. */
const fresh = (ending) => path.join(folder, `${(files += 1)}.${ending}`);

let batches = 0;

/** Contenders: each runs `n` records once and tells `{seconds, cpuMs, peakMb, wallMs}`. */
const CONTENDERS = {
  ...Object.fromEntries(modes.map((mode) => [`tempered ${mode}`, (n) => runOurs(mode, n)])),
  [ALL_CORES]: (n) => runOnAllCores(n),
  'async-batch-llm + checkpoint': (n) => peer(n, fresh('sqlite')),
  'async-batch-llm': (n) => peer(n, null),
  'openai SDK loop + SQLite': (n) => loop(n, fresh('db')),
  'openai SDK loop + JSONL': (n) => loop(n, fresh('jsonl')),
};

/** `tempered worker` with a process per core, started for the run; its batch comes from a command of its own. */
async function runOnAllCores(n) {
  const begun = performance.now();
  const { seconds, usage } = await ours.runOnWorkers(
    ['--execution', 'inline', '--concurrency', values.concurrency, '--limit', String(n)],
    { processes: CORES, batchId: `all-cores-${(batches += 1)}` },
  );
  const { worker, server } = usage;
  return { seconds, cpuMs: worker.cpuMs + server.cpuMs, peakMb: worker.peakMb, wallMs: performance.now() - begun };
}

async function runOurs(mode, n) {
  const args = ['--execution', mode, '--concurrency', values.concurrency, '--limit', String(n)];
  const { result, wallMs, cli, server } = await ours.run(args);
  if (result.succeeded !== n) throw new Error(`${result.succeeded} of ${n} records succeeded.`);
  return { seconds: result.seconds, cpuMs: cli.cpuMs + server.cpuMs, peakMb: cli.peakMb, wallMs };
}

const peer = (n, checkpoint) => runPeer({ baseUrl: stub.baseUrl, n, concurrency, checkpoint });
const loop = (n, results) => runScript('sdkLoop.mjs', { baseUrl: stub.baseUrl, n, concurrency, results });

async function measure(name, n, latencyMs) {
  await stub.set({ latencyMs });
  const begun = performance.now();
  const result = await CONTENDERS[name](n);
  const { requests, repeated } = await stub.counts();
  if (requests !== n || repeated !== 0) throw new Error(`${name} sent ${requests} requests for ${n} records.`);
  return { wallMs: performance.now() - begun, ...result };
}

/** What is run: who, how many records at most, and how long the stub takes. */
const ROUNDS = values.long
  ? [
      {
        label: '0 ms',
        latencyMs: 0,
        records: 100_000,
        names: ['tempered inline', ALL_CORES, 'openai SDK loop + SQLite'],
      },
    ]
  : latencies.map((latencyMs) => ({
      label: `${latencyMs} ms`,
      latencyMs,
      records: Number(values.records),
      names: Object.keys(CONTENDERS),
    }));

/** Records a contender runs. */
function recordsOf(name, { latencyMs, records }) {
  const part = latencyMs >= 1000 ? 20 : name === 'tempered item' ? 5 : 1;
  return Math.ceil(records / part);
}

/** What the contenders of a round made. */
async function made(round) {
  const { names, latencyMs } = round;
  const runs = await alternate(names, Number(values.runs), async (name) => {
    const n = recordsOf(name, round);
    return { n, ...(await measure(name, n, latencyMs)) };
  });
  const rates = Object.fromEntries(names.map((name) => [name, medianOf(runs[name], ({ n, seconds }) => n / seconds)]));
  return { ...round, runs, rates };
}

const results = [];
try {
  await writeRecords(ours.file('records.jsonl'), Math.max(...ROUNDS.map(({ records }) => records)));
  for (const mode of modes) await ours.run(['--execution', mode, '--limit', '20']);
  for (const round of ROUNDS) results.push(await made(round));
} finally {
  await ours.end();
  stub.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** The aims hold where nothing but the program's own work counts. */
function ratiosOf({ label, latencyMs, rates }) {
  const checkpoint = rates['async-batch-llm + checkpoint'];
  const sdk = rates['openai SDK loop + SQLite'];
  const aimed = (name, atLeast) => (latencyMs === 0 && name !== 'tempered item' ? { atLeast } : {});
  const names = Object.keys(rates).filter((name) => name.startsWith('tempered'));
  return names.flatMap((name) => [
    ...(checkpoint === undefined
      ? []
      : [ratio(`${name}, ${label} / async-batch-llm + checkpoint`, rates[name] / checkpoint, aimed(name, 3))]),
    ratio(`${name}, ${label} / SDK loop + SQLite`, rates[name] / sdk, aimed(name, 0.8)),
  ]);
}

const [NODE] = process.versions.node.split('.');
const REPORT = values.long
  ? {
      name: `long-node${NODE}`,
      title: `Records per second of a long run at concurrency ${concurrency} on Node ${NODE}, against an SDK loop`,
    }
  : {
      name: 'peers',
      title: `Records per second at concurrency ${concurrency}, against async-batch-llm ${peerVersion} and an SDK loop`,
    };

finish({
  ...REPORT,
  ratios: results.flatMap(ratiosOf),
  tables: results.map(({ label, latencyMs, names, records, runs, rates }) => ({
    title: `${label} (medians of ${values.runs}; ideal ${latencyMs === 0 ? 'none' : number((1000 * concurrency) / latencyMs)} records/s)`,
    headings: ['contender', 'records', 'records/s', 'seconds', 'whole command, s', 'CPU ms per record', 'peak MB'],
    rows: names.map((name) => [
      name,
      recordsOf(name, { latencyMs, records }),
      rates[name],
      medianOf(runs[name], ({ seconds }) => seconds),
      medianOf(runs[name], ({ wallMs }) => wallMs / 1000),
      medianOf(runs[name], ({ n, cpuMs }) => cpuMs / n),
      medianOf(runs[name], ({ peakMb }) => peakMb),
    ]),
  })),
  plot: {
    title: 'Throughput',
    unit: 'records/s',
    groups: results.map(({ label, rates }) => ({
      label,
      bars: Object.entries(rates).map(([label, value]) => ({ label, value })),
    })),
  },
  notes: [
    "Seconds: from the first record's start to the last durable result, as each program tells; the whole command adds its start. Ours counts the CPU of the Temporal server too.",
  ],
  data: { peerVersion, concurrency, results },
});
