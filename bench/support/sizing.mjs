// From measured CPU per record to the machines a batch needs.
import { number } from './report.mjs';

const RECORDS = [1e5, 1e6, 1e7, 1e8];

/** Part of a core that is planned with: the rest is for what a benchmark doesn't have. */
const PLANNED = 0.7;

/** Records an hour of one planned core. */
const perCoreHour = (ms) => (3_600_000 * PLANNED) / ms;

/** The arithmetic as Markdown: core-hours and disk for batches of several sizes, from the two benchmarks' figures. */
export function sizing(scale, overhead) {
  const { n, cpu, storeBytes, databaseBytes } = scale.data.results.at(-1);
  const item = median(overhead.data.runs['item mode']);
  const modes = [
    {
      mode: scale.data.execution,
      worker: cpu.worker,
      server: cpu.server,
      bytes: storeBytes,
      history: databaseBytes,
      n,
    },
    ...(scale.data.execution === 'item'
      ? []
      : [{ mode: 'item', worker: item.workerMs, server: item.serverMs, bytes: item.storeBytes, history: undefined }]),
  ];
  const lines = modes.flatMap(({ mode, worker, server, bytes, history }) => [
    `**\`${mode}\`**: ${number(worker)} ms of worker CPU and ${number(server)} ms of Temporal server CPU per record. A core planned to ${100 * PLANNED} % does 3,600,000 × ${PLANNED} / ${number(worker)} = ${number(perCoreHour(worker))} records an hour in a worker, and ${number(perCoreHour(server))} in the server.`,
    '',
    '| records | worker core-hours | server core-hours | store, GB | server database, GB |',
    '|--:|--:|--:|--:|--:|',
    ...RECORDS.map((records) => {
      const gb = (per) => (per === undefined ? 'see below' : number((records * per) / 1e9));
      const hours = (ms) => number(records / perCoreHour(ms));
      return `| ${records.toLocaleString('en')} | ${hours(worker)} | ${hours(server)} | ${gb(bytes)} | ${gb(history)} |`;
    }),
    '',
  ]);
  return lines.join('\n').trim();
}

/** The run in the middle by time. */
function median(runs) {
  return [...runs].sort((a, b) => a.seconds - b.seconds)[Math.floor(runs.length / 2)];
}
