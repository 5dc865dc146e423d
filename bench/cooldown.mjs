// One 429 with `Retry-After: 1` among 300 records of 1 s at concurrency 100: what it costs, ours and async-batch-llm with
// its defaults side by side.
//
//   npm run bench:cooldown [-- --runs N --peer-cap S]
//
// The peer pauses 300 s by default whatever the header says; it is ended after `--peer-cap` seconds (default 60; 0 =
// never) and its time is then told as "more than".
import { parseArgs } from 'node:util';
import { Ours, writeRecords } from './support/ours.mjs';
import { preparePeer, startPeer } from './support/peer.mjs';
import { alternate, finish, medianOf, ratio } from './support/report.mjs';
import { startStub } from './support/startStub.mjs';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '3' }, 'peer-cap': { type: 'string', default: '60' } },
});
const n = 300;
const concurrency = 100;
const LATENCY_MS = 1000;
/** The request that is refused: in the midst of the first hundred. */
const LIMIT_AT = 50;
const capS = Number(values['peer-cap']);

const peerVersion = preparePeer();
const stub = await startStub();
const ours = await new Ours(stub).start();
const modes = await ours.modes();

async function runOurs(mode) {
  const { result } = await ours.run(['--execution', mode, '--concurrency', String(concurrency)]);
  return { seconds: result.seconds, capped: false };
}

async function runPeer() {
  const { child, ended } = startPeer({ baseUrl: stub.baseUrl, n, concurrency, checkpoint: null });
  const timer = capS > 0 ? setTimeout(() => child.kill('SIGKILL'), capS * 1000) : undefined;
  const result = await ended;
  clearTimeout(timer);
  return result === undefined ? { seconds: capS, capped: true } : { seconds: result.seconds, capped: false };
}

const CONTENDERS = {
  ...Object.fromEntries(modes.map((mode) => [mode, () => runOurs(mode)])),
  'async-batch-llm': runPeer,
};

/** One run with or without the 429. */
async function measure(name, limitAt) {
  await stub.set({ latencyMs: LATENCY_MS, limitAt, retryAfterS: 1 });
  return { ...(await CONTENDERS[name]()), ...(await stub.counts()) };
}

const results = {};
try {
  await writeRecords(ours.file('records.jsonl'), n);
  for (const mode of modes) await ours.run(['--execution', mode, '--limit', '20']);
  for (const name of Object.keys(CONTENDERS)) {
    // A run that is ended at the cap tells nothing new the second time.
    const times = name === 'async-batch-llm' ? 1 : Number(values.runs);
    const runs = await alternate(['without', 'with'], times, (which) =>
      measure(name, which === 'with' ? LIMIT_AT : null),
    );
    const seconds = (which) => medianOf(runs[which], (run) => run.seconds);
    const capped = runs.with.some((run) => run.capped);
    results[name] = { without: seconds('without'), with: seconds('with'), capped, runs };
  }
} finally {
  await ours.end();
  stub.stop();
}

const peer = results['async-batch-llm'];
finish({
  name: 'cooldown',
  title: `${n} records of 1 s at concurrency ${concurrency}, one 429 with Retry-After: 1`,
  ratios: Object.entries(results).map(([name, one]) =>
    ratio(
      `${name}: with the 429 / without${one.capped ? ` (ended after ${capS} s)` : ''}`,
      one.with / one.without,
      name === 'async-batch-llm' ? {} : { atMost: 1.6 },
    ),
  ),
  tables: [
    {
      title: `Seconds (async-batch-llm ${peerVersion} with its defaults, once; ours medians of ${values.runs})`,
      headings: ['contender', 'without', 'with the 429'],
      rows: Object.entries(results).map(([name, one]) => [
        name,
        one.without,
        one.capped ? `more than ${capS}` : one.with,
      ]),
    },
  ],
  plot: {
    title: 'What one 429 with Retry-After: 1 costs',
    unit: 'seconds',
    groups: ['without', 'with'].map((which) => ({
      label: which === 'without' ? 'without' : 'with the 429',
      bars: Object.entries(results).map(([label, one]) => ({ label, value: one[which] })),
    })),
  },
  notes: [
    peer.capped
      ? `async-batch-llm was ended after ${capS} s: by default it pauses 300 s after a 429, whatever the header says. \`--peer-cap 0\` waits for it.`
      : 'async-batch-llm was waited for to its end.',
  ],
  data: { peerVersion, results },
});
