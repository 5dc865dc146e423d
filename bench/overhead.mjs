// What item mode costs over the barest Temporal program of the same shape (parent, child workflow per record, one
// activity that sends the same request), and what the embedded server's settings bring. The same stub at 0 ms; then
// item mode at 1 s latency against the ideal.
//
//   npm run bench:overhead [-- --records N --runs N]
import { parseArgs } from 'node:util';
import { SPEED_SETTINGS } from '../dist/client/embedded/serverProcess.js';
import { initialState, planOf } from '../dist/recovery/ladder.js';
import { loadTask } from '../dist/task/loadTask.js';
import { Ours, writeRecords } from './support/ours.mjs';
import { cpuMs } from './support/proc.mjs';
import { alternate, finish, medianOf, number, ratio } from './support/report.mjs';
import { runScript } from './support/script.mjs';
import { startServer } from './support/server.mjs';
import { startStub } from './support/startStub.mjs';

const { values } = parseArgs({
  options: { records: { type: 'string', default: '1000' }, runs: { type: 'string', default: '3' } },
});
const n = Number(values.records);
const CONCURRENCY = 50;
/**
 * Latency, concurrency and records of the comparison with the ideal: forty rounds of one second. The first prompt of a
 * batch goes alone, so of ten rounds its second would be a tenth.
 */
const IDEAL = { latencyMs: 1000, concurrency: 25, records: 1000 };

const stub = await startStub();
const servers = { tuned: await startServer(SPEED_SETTINGS), default: await startServer() };

/** Item mode on a server. `task` changes the task. */
async function ours(server, task = {}) {
  const env = { TEMPORAL_ADDRESS: server.address };
  const made = new Ours(stub, { env, task });
  made.serverPid = server.pid;
  await writeRecords(made.file('records.jsonl'), Math.max(n, IDEAL.records));
  await made.run(['--limit', '20']);
  return made;
}

const items = {
  tuned: await ours(servers.tuned),
  default: await ours(servers.default),
  metadata: await ours(servers.tuned, { name: 'bench-metadata', includeMetadata: true }),
};

async function item(made, { latencyMs = 0, concurrency = CONCURRENCY, records = n } = {}) {
  await stub.set({ latencyMs });
  const before = made.storeBytes();
  const { result, cli, server } = await made.run([
    ...['--execution', 'item', '--concurrency', String(concurrency), '--limit', String(records)],
  ]);
  const storeBytes = (made.storeBytes() - before) / records;
  return { seconds: result.seconds, workerMs: cli.cpuMs / records, serverMs: server.cpuMs / records, storeBytes };
}

async function bare(server, { latencyMs = 0, concurrency = CONCURRENCY, records = n } = {}) {
  await stub.set({ latencyMs });
  const before = cpuMs(server.pid);
  const options = { address: server.address, baseUrl: stub.baseUrl, n: records, concurrency };
  const result = await runScript('bare/run.mjs', options);
  // The program warms up with 50 records more.
  const serverMs = (cpuMs(server.pid) - before) / (records + 50);
  return { seconds: result.seconds, workerMs: result.cpuMs / records, serverMs };
}

const CONTENDERS = {
  'item mode': () => item(items.tuned),
  'item mode with metadata': () => item(items.metadata),
  'barest program': () => bare(servers.tuned),
  'item mode, default server': () => item(items.default),
  'barest program, default server': () => bare(servers.default),
};

/** The same at {@link IDEAL}. */
const AT_IDEAL = {
  'item mode': () => item(items.tuned, IDEAL),
  'item mode with metadata': () => item(items.metadata, IDEAL),
  'barest program': () => bare(servers.tuned, IDEAL),
};

/** Microseconds and bytes of the retry state of one prompt: computed and written as JSON, as often as an item does. */
async function stateCost() {
  const { spec } = await loadTask(items.tuned.file('task.json'));
  const plan = planOf(spec);
  const rounds = 20_000;
  let bytes = 0;
  const begun = performance.now();
  for (let i = 0; i < rounds; i += 1) {
    const text = JSON.stringify(initialState(plan));
    bytes = Buffer.byteLength(JSON.stringify(JSON.parse(text)));
  }
  return { ms: (performance.now() - begun) / rounds, bytes };
}

let runs;
let waiting;
let state;
try {
  runs = await alternate(Object.keys(CONTENDERS), Number(values.runs), (name) => CONTENDERS[name]());
  waiting = await alternate(Object.keys(AT_IDEAL), Number(values.runs), (name) => AT_IDEAL[name]());
  state = await stateCost();
} finally {
  for (const made of Object.values(items)) made.remove();
  for (const server of Object.values(servers)) await server.stop();
  stub.stop();
}

const of = (name, figure) => medianOf(runs[name], (run) => run[figure]);
const rate = (name) => n / of(name, 'seconds');
const perRecordMs = of('item mode', 'workerMs') + of('item mode', 'serverMs');
const metadataBytes = of('item mode with metadata', 'storeBytes') - of('item mode', 'storeBytes');
const waited = (name) => medianOf(waiting[name], ({ seconds }) => seconds);
const ideal = (IDEAL.records / IDEAL.concurrency) * (IDEAL.latencyMs / 1000);

finish({
  name: 'overhead',
  title: `Item mode and the barest Temporal program, ${n} records at 0 ms, concurrency ${CONCURRENCY}`,
  ratios: [
    ratio('item mode / barest program, records/s', rate('item mode') / rate('barest program'), { atLeast: 0.9 }),
    ratio('item mode, our server settings / default', rate('item mode') / rate('item mode, default server'), {
      atLeast: 1.5,
    }),
    ratio(
      'barest program, our server settings / default',
      rate('barest program') / rate('barest program, default server'),
    ),
    ratio('item mode at 1 s and concurrency 25 / ideal time', waited('item mode') / ideal, { atMost: 1.1 }),
    ratio('barest program at 1 s and concurrency 25 / ideal time', waited('barest program') / ideal),
    ratio(
      'CPU of item mode / barest program',
      perRecordMs / (of('barest program', 'workerMs') + of('barest program', 'serverMs')),
    ),
    ratio("retry state's CPU / CPU of a record", state.ms / perRecordMs, { atMost: 0.01 }),
    ratio('time with metadata / without, at 1 s', waited('item mode with metadata') / waited('item mode'), {
      atMost: 1.01,
    }),
    ratio('time with metadata / without, at 0 ms', rate('item mode') / rate('item mode with metadata')),
  ],
  tables: [
    {
      title: `Medians of ${values.runs} alternating runs`,
      headings: ['program', 'records/s', 'seconds', 'worker CPU ms per record', 'server CPU ms per record'],
      rows: Object.keys(CONTENDERS).map((name) => [
        name,
        rate(name),
        of(name, 'seconds'),
        of(name, 'workerMs'),
        of(name, 'serverMs'),
      ]),
    },
    {
      title: 'What state and metadata take per record',
      headings: ['what', 'bytes', 'CPU ms'],
      rows: [
        ['retry state, once in history', state.bytes, state.ms],
        ['metadata (`includeMetadata`), in the store', metadataBytes, null],
      ],
    },
  ],
  plot: {
    title: 'Item mode and the barest Temporal program',
    unit: 'records/s',
    groups: [
      { label: 'our server settings', bars: bars(['item mode', 'barest program']) },
      { label: 'default server settings', bars: bars(['item mode, default server', 'barest program, default server']) },
    ],
  },
  notes: [
    `At 1 s latency and concurrency ${IDEAL.concurrency}, ${IDEAL.records} records took ${number(waited('item mode'))} s in item mode, ${number(waited('item mode with metadata'))} s with metadata, and ${number(waited('barest program'))} s in the barest program; ${ideal} s is the ideal.`,
    "The worker's CPU includes the command's start; the barest program's does not.",
  ],
  data: { runs, waiting, state },
});

function bars(names) {
  return names.map((label) => ({ label: label.replace(', default server', ''), value: rate(label) }));
}
