// Whether cost and memory grow faster than the records: loading, processing and export of more and more records, each
// in a process of its own, with CPU and peak memory by process, and bytes of history and store.
//
// Processing counts from the first record's start, without the worker's. Loading and export are the whole command; told
// beside them is what is left without its start, which is what the same command takes for a few records.
//
//   npm run bench:scale [-- --sizes 1000,10000,100000 --runs N --execution inline --processes N --concurrency N
//                           --latency MS]
//   npm run bench:scale -- --million      adds one run of 1,000,000 records
//
// Default: the medians of three alternating runs; `inline` where there is one, 1,000, 10,000 and 100,000 records; in
// `item` mode the first two.
import { parseArgs } from 'node:util';
import { statSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { Ours, writeRecords } from './support/ours.mjs';
import { finish, medianOf, ratio } from './support/report.mjs';
import { startStub } from './support/startStub.mjs';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string' },
    runs: { type: 'string', default: '3' },
    execution: { type: 'string' },
    processes: { type: 'string', default: '1' },
    concurrency: { type: 'string', default: '50' },
    latency: { type: 'string', default: '0' },
    million: { type: 'boolean', default: false },
  },
});

/** Records of a batch whose commands do little but start. */
const FEW = 20;

/** How often the start is measured; the median counts. */
const STARTS = 3;

const stub = await startStub();
const ours = await new Ours(stub).start();
const execution = values.execution ?? (await ours.modes()).at(-1);
const known = execution === 'item' ? [1_000, 10_000] : [1_000, 10_000, 100_000];
const sizes = values.sizes?.split(',').map(Number) ?? known;

/** Mean length and bytes of the histories of some items of a batch, and bytes of its own history. */
async function histories(batchId, n) {
  const connection = await Connection.connect({ address: ours.address });
  const { workflow } = new Client({ connection });
  const describe = async (id) => {
    const { historyLength, raw } = await workflow.getHandle(id).describe();
    return { events: historyLength, bytes: Number(raw.workflowExecutionInfo.historySizeBytes) };
  };
  const batch = await describe(batchId);
  const shard = await describe(`${batchId}/s0`);
  const sample = execution === 'item' ? [1, 2, 3, 4, 5].map((part) => Math.floor((part * (n - 1)) / 5)) : [];
  const items = await Promise.all(sample.map((index) => describe(`${batchId}/${index}`)));
  await connection.close();
  const mean = (figure) => (items.length === 0 ? 0 : items.reduce((sum, one) => sum + one[figure], 0) / items.length);
  return { itemEvents: mean('events'), itemBytes: mean('bytes'), batch, shard };
}

const databaseBytes = () => statSync(ours.file('.tempered/temporal.db')).size;

async function measure(n, batchId = `scale-${n}`) {
  console.error(`${n} records`);
  await stub.set({ latencyMs: Number(values.latency) });
  const data = `records-${n}.jsonl`;
  await writeRecords(ours.file(data), n);
  const before = { store: ours.storeBytes(), database: databaseBytes() };
  const { load, seconds, usage } = await ours.runOnWorkers(
    ['--execution', execution, '--concurrency', values.concurrency],
    { processes: Number(values.processes), data, batchId, watched: { stub: stub.pid } },
  );
  const { requests } = await stub.counts();
  if (requests !== n) throw new Error(`${requests} requests for ${n} records.`);
  const exported = await ours.cli(['results', batchId, '--out', 'out.jsonl']);
  return {
    n,
    seconds,
    rate: n / seconds,
    loadCommandSeconds: load.wallMs / 1000,
    exportCommandSeconds: exported.wallMs / 1000,
    cpu: {
      load: load.cli.cpuMs / n,
      worker: usage.worker.cpuMs / n,
      server: usage.server.cpuMs / n,
      stub: usage.stub.cpuMs / n,
      export: exported.cli.cpuMs / n,
    },
    peak: {
      load: load.cli.peakMb,
      worker: usage.worker.peakMb,
      server: usage.server.peakMb,
      export: exported.cli.peakMb,
    },
    storeBytes: (ours.storeBytes() - before.store) / n,
    databaseBytes: (databaseBytes() - before.database) / n,
    histories: await histories(batchId, n),
  };
}

/** The median of each figure. */
function medians(runs) {
  if (typeof runs[0] === 'number') return medianOf(runs, (figure) => figure);
  return Object.fromEntries(Object.keys(runs[0]).map((key) => [key, medians(runs.map((one) => one[key]))]));
}

const starts = [];
const runs = [];
try {
  await writeRecords(ours.file('records.jsonl'), FEW);
  await ours.run(['--execution', execution]);
  for (let i = 0; i < STARTS; i += 1) starts.push(await measure(FEW, `start-${i}`));
  for (let run = 0; run < Number(values.runs); run += 1) {
    for (const n of sizes) runs.push(await measure(n, `scale-${n}-${run}`));
  }
  if (values.million) runs.push(await measure(1_000_000));
} finally {
  await ours.end();
  stub.stop();
}

const start = medians(starts);
const results = [...new Set(runs.map(({ n }) => n))].map((n) => {
  const one = medians(runs.filter((run) => run.n === n));
  return {
    ...one,
    loadSeconds: one.loadCommandSeconds - start.loadCommandSeconds,
    exportSeconds: one.exportCommandSeconds - start.exportCommandSeconds,
  };
});
const base = results.find(({ n }) => n === 10_000) ?? results[0];
const large = results.find(({ n }) => n === 100_000) ?? results.at(-1);
const compared = `${large.n} / ${base.n} records`;
const cpuOf = ({ cpu }) => cpu.worker + cpu.server;
const most = (figure) => Math.max(...results.map(figure));

finish({
  name: 'scale',
  title: `${execution} mode, concurrency ${values.concurrency}, ${values.latency} ms latency`,
  ratios: [
    ratio(`CPU per record, ${compared}`, cpuOf(large) / cpuOf(base), { atMost: 1.15 }),
    ratio(`worker's peak memory, ${compared}`, large.peak.worker / base.peak.worker, { atMost: 1.15 }),
    ratio(`CLI's peak memory, ${compared}`, large.peak.load / base.peak.load, { atMost: 1.15 }),
    ratio(`time to load / to process, ${large.n} records`, large.loadCommandSeconds / large.seconds, { atMost: 0.05 }),
    ratio("the same without the command's start", large.loadSeconds / large.seconds),
    ratio(`time to export / to process, ${large.n} records`, large.exportCommandSeconds / large.seconds, {
      atMost: 0.05,
    }),
    ratio("the same without the command's start", large.exportSeconds / large.seconds),
    ratio(
      "CLI's peak, MB (load or export)",
      most(({ peak }) => Math.max(peak.load, peak.export)),
      { atMost: 150 },
    ),
    ratio(
      "worker's peak, MB",
      most(({ peak }) => peak.worker),
      { atMost: 600 },
    ),
  ],
  tables: [
    {
      title: 'Time (load and export: without and with the start of their commands)',
      headings: ['records', 'records/s', 'process, s', 'load, s', 'export, s', 'whole load, s', 'whole export, s'],
      rows: results.map((one) => [
        one.n,
        one.rate,
        one.seconds,
        one.loadSeconds,
        one.exportSeconds,
        one.loadCommandSeconds,
        one.exportCommandSeconds,
      ]),
    },
    {
      title: 'CPU ms per record, by process (load and export include the command’s start)',
      headings: ['records', 'worker', 'Temporal server', 'load', 'export', 'stub'],
      rows: results.map(({ n, cpu }) => [n, cpu.worker, cpu.server, cpu.load, cpu.export, cpu.stub]),
    },
    {
      title: 'Peak memory by process, MB',
      headings: ['records', 'worker', 'Temporal server', 'load', 'export'],
      rows: results.map(({ n, peak }) => [n, peak.worker, peak.server, peak.load, peak.export]),
    },
    {
      title: 'Bytes per record, and history',
      headings: ['records', 'store', "server's database", 'history of an item', 'its events', 'history of a shard'],
      rows: results.map(({ n, storeBytes, databaseBytes: database, histories: { itemBytes, itemEvents, shard } }) => [
        n,
        storeBytes,
        database,
        itemBytes,
        itemEvents,
        shard.bytes,
      ]),
    },
  ],
  plot: {
    title: `CPU per record, ${execution} mode`,
    unit: 'ms',
    groups: results.map(({ n, cpu }) => ({
      label: `${n.toLocaleString('en')} records`,
      bars: ['worker', 'server', 'load', 'export'].map((label) => ({ label, value: cpu[label] })),
    })),
  },
  data: { execution, starts, runs, results },
});
