// How near `estimate` comes to what a run really costs: the e-mail example with instructions of some 3,000 tokens, a
// fifth of the answers invalid, and three models whose prices are built differently. Each is estimated before anything
// was sent, from 100 records that are really run, and again after the whole run. The run has an account of its own, so
// that it finds the caches empty, as was estimated.
//
//   npm run bench:estimate [-- --records N --sample N]
import { copyFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SPEED_SETTINGS } from '../dist/client/embedded/serverProcess.js';
import { simulatorEnv, startSimulator } from '../dist/client/simulator.js';
import { loadTask } from '../dist/task/loadTask.js';
import { EMAILS, prepareEmails } from '../examples/emails/prepare.mjs';
import { Ours } from './support/ours.mjs';
import { finish, ratio } from './support/report.mjs';
import { startServer } from './support/server.mjs';

const { values } = parseArgs({
  options: { records: { type: 'string', default: '1000' }, sample: { type: 'string', default: '100' } },
});

const MODELS = [
  { model: 'anthropic/claude-haiku-5-5', prices: 'tiers by prompt size, dear cache writes' },
  { model: 'openai/gpt-4.1-mini', prices: 'an automatic cache that bills no writes' },
  { model: 'compatible/our-own', prices: "the user's; tokenizer unknown" },
];
/** What the third model costs: nobody's table knows. */
const CONFIG = { models: { 'compatible/our-own': { prices: [{ input: 0.4, output: 1.2 }] } } };
const SCENARIO = { seed: 2002, rates: { wrongFields: 0.11, missingFields: 0.05, invalidJson: 0.04 }, laterStages: 0.5 };
const OTHER_ACCOUNT = { ANTHROPIC_API_KEY: 'another', OPENAI_API_KEY: 'another' };

prepareEmails();
const { spec } = await loadTask(fileURLToPath(new URL('../examples/caching/emails.ts', import.meta.url)));
const simulator = await startSimulator({ scenario: SCENARIO });
const server = await startServer(SPEED_SETTINGS);

async function measure({ model, prices }) {
  const env = { ...simulatorEnv(simulator.url), TEMPORAL_ADDRESS: server.address };
  const { instructions, schema, maxOutputTokens } = spec;
  const task = { name: 'emails', model, instructions, prompt: '{{text}}', schema, maxOutputTokens };
  const ours = new Ours({ baseUrl: env.COMPATIBLE_BASE_URL }, { env, task });
  try {
    writeFileSync(ours.file('tempered.config.json'), JSON.stringify(CONFIG));
    copyFileSync(EMAILS, ours.file('emails.jsonl'));
    const limit = ['--limit', values.records];
    const estimate = async (more = []) =>
      (await ours.cli(['estimate', 'task.json', 'emails.jsonl', ...limit, ...more])).result.estimates[0];
    const before = await estimate();
    const sampled = await estimate(['--sample', values.sample, '--yes']);
    const { result } = await ours.run(limit, { env: OTHER_ACCOUNT }, 'emails.jsonl');
    const after = await estimate();
    return { model, prices, before, sampled, after, result, costUsd: result.costUsd };
  } finally {
    ours.remove();
  }
}

const measured = [];
try {
  for (const one of MODELS) {
    console.error(one.model);
    measured.push(await measure(one));
  }
} finally {
  await server.stop();
  await simulator.close();
}

const KINDS = { before: 'nothing run', sampled: `--sample ${values.sample}`, after: 'after the run' };
const off = (one, kind) => one[kind].cost.usd / one.costUsd - 1;
const percent = (share) => `${share >= 0 ? '+' : ''}${(share * 100).toFixed(1)} %`;
const within = ({ cost }, usd) => (cost.lowUsd <= usd && usd <= cost.highUsd ? 'yes' : 'NO');

finish({
  name: 'estimate',
  title: `What a run of ${values.records} e-mails was estimated at, and cost`,
  ratios: measured.flatMap((one) => [
    ratio(`${one.model}: error with ${KINDS.sampled}`, Math.abs(off(one, 'sampled')), { atMost: 0.1 }),
    ratio(`${one.model}: error after the run`, Math.abs(off(one, 'after')), { atMost: 0.1 }),
    ratio(`${one.model}: error before anything was run`, Math.abs(off(one, 'before'))),
  ]),
  tables: [
    {
      title: 'Estimates beside the bill',
      headings: ['model', 'prices', 'cost', ...Object.values(KINDS), 'in the range before', 'in the range sampled'],
      rows: measured.map((one) => [
        one.model,
        one.prices,
        `$${one.costUsd.toFixed(4)}`,
        ...Object.keys(KINDS).map((kind) => percent(off(one, kind))),
        within(one.before, one.costUsd),
        within(one.sampled, one.costUsd),
      ]),
    },
    {
      title: 'What went into the first one',
      headings: ['model', 'prefix tokens', 'counted by', 'prompts a record', 'really'],
      rows: measured.map(({ model, before, result }) => [
        model,
        before.prefixTokens,
        before.tokenBasis,
        before.promptsPerRecord,
        result.prompts / result.items,
      ]),
    },
  ],
  notes: ['The bill is what the simulator charged: it equals the ledger, as in the e-mail example.'],
  data: { measured },
});
