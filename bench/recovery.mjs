// What partial recovery saves against whole retries: the e-mail task twice, with the default ladder and with one of
// whole answers only, over the same e-mails with the same invalid first answers, at several shares of them.
//
//   npm run bench:recovery [-- --limit N --latency MS]
//
// Uses the simulator and an embedded server in a folder of their own; about a minute per thousand records and core.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { simulatorEnv, startSimulator } from '../dist/client/simulator.js';
import { modelInfo } from '../dist/models/catalog.js';
import { costNano } from '../dist/models/cost.js';
import { parseModelRef } from '../dist/models/modelRef.js';
import { loadTask } from '../dist/task/loadTask.js';
import { EMAILS, prepareEmails } from '../examples/emails/prepare.mjs';
import { readLines, tempered } from '../examples/support.mjs';
import { finish, ratio } from './support/report.mjs';

const { values } = parseArgs({
  options: { limit: { type: 'string', default: '600' }, latency: { type: 'string', default: '0' } },
});
const INVALID_SHARES = [0.05, 0.2, 0.4];
const FULL = { kind: 'full', temperature: 0 };
const WARM = { kind: 'full', temperature: 0.25 };
const LADDERS = { partial: undefined, whole: [FULL, FULL, WARM, WARM] };

const folder = mkdtempSync(path.join(tmpdir(), 'tempered-bench-'));
const { spec } = await loadTask(fileURLToPath(new URL('../examples/emails/task.ts', import.meta.url)));
const info = modelInfo(parseModelRef(spec.model), new Date());

/** Faults of the e-mails example in the same proportions, all of them of the answer's form. */
const scenario = (invalid) => ({
  seed: 2002,
  rates: { wrongFields: invalid * 0.55, missingFields: invalid * 0.25, invalidJson: invalid * 0.2 },
  laterStages: 0.5,
  latency: { fixedMs: Number(values.latency) },
});

/** The example's task with other stages, as a JSON task file. */
function taskFile(ladder) {
  const { model, instructions, schema, maxOutputTokens } = spec;
  const task = { name: `recovery-${ladder}`, model, instructions, prompt: '{{text}}', schema, maxOutputTokens };
  const file = path.join(folder, `${ladder}.json`);
  const stages = LADDERS[ladder] === undefined ? {} : { stages: LADDERS[ladder] };
  writeFileSync(file, JSON.stringify({ ...task, ...stages, cache: { enabled: true } }));
  return file;
}

/** Sums over prompts. `uncachedNano`: what they would cost if nothing were cached. */
function sumOf(prompts) {
  const sum = { prompts: 0, inputTokens: 0, outputTokens: 0, costNano: 0, uncachedNano: 0 };
  for (const { usage, costUsd } of prompts) {
    sum.prompts += 1;
    sum.inputTokens += usage.inputTokens;
    sum.outputTokens += usage.outputTokens;
    sum.costNano += Math.round(costUsd * 1e9);
    sum.uncachedNano += costNano(info, { ...usage, cachedInputTokens: 0, cacheWriteTokens: 0, cacheWrite1hTokens: 0 });
  }
  return sum;
}

async function measure(ladder, invalid) {
  const simulator = await startSimulator({ scenario: scenario(invalid) });
  const out = path.join(folder, 'outcomes.jsonl');
  const args = ['run', taskFile(ladder), EMAILS, '--new', '--limit', values.limit, '--out', out];
  const summary = await tempered(args, simulatorEnv(simulator.url), folder);
  const ledger = simulator.totals();
  await simulator.close();
  if (ledger.requests !== summary.prompts) throw new Error('The ledger has another number of prompts.');
  const outcomes = readLines(out);
  const { items, succeeded, seconds } = summary;
  const all = sumOf(outcomes.flatMap(({ prompts }) => prompts));
  const retries = sumOf(outcomes.flatMap(({ prompts }) => prompts.slice(1)));
  return { ladder, invalid, items, succeeded, seconds, all, retries };
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const usd = (nano) => `$${(nano / 1e9).toFixed(4)}`;

/** Part of the whole ladder's figure that the partial ladder did without; negative when it needed more. */
const saved = (whole, partial) => (whole === 0 ? '-' : percent(1 - partial / whole));

prepareEmails();
const runs = [];
try {
  for (const invalid of INVALID_SHARES) {
    for (const ladder of Object.keys(LADDERS)) runs.push(await measure(ladder, invalid));
  }
} finally {
  await tempered(['down'], {}, folder);
  rmSync(folder, { recursive: true });
}

/** Both ladders at each share of invalid answers. */
const pairs = INVALID_SHARES.map((invalid) => ({
  invalid,
  partial: runs.find((run) => run.ladder === 'partial' && run.invalid === invalid),
  whole: runs.find((run) => run.ladder === 'whole' && run.invalid === invalid),
}));

finish({
  name: 'recovery',
  title: `Partial retries and whole ones, ${values.limit} e-mails, ${spec.model}, ${values.latency} ms latency`,
  ratios: pairs.flatMap(({ invalid, partial, whole }) => {
    const at = `at ${percent(invalid)} invalid, partial / whole`;
    return [
      ratio(`cost of the batch ${at}`, partial.all.costNano / whole.all.costNano),
      ratio(`output tokens of retries ${at}`, partial.retries.outputTokens / whole.retries.outputTokens),
      ratio(`time ${at}`, partial.seconds / whole.seconds),
    ];
  }),
  tables: [
    {
      title: 'All prompts',
      headings: ['invalid, retries', 'prompts', 'tokens in', 'tokens out', 'cost', 'cost uncached', 'valid', 'seconds'],
      rows: runs.map(({ ladder, invalid, items, succeeded, seconds, all }) => [
        `${percent(invalid)} ${ladder}`,
        all.prompts,
        all.inputTokens,
        all.outputTokens,
        usd(all.costNano),
        usd(all.uncachedNano),
        percent(succeeded / items),
        seconds,
      ]),
    },
    {
      title: 'What partial retries saved of what whole retries took (last column: of the whole batch)',
      headings: ['invalid', 'output tokens', 'input tokens', 'cost', 'cost uncached', 'cost of the batch'],
      rows: pairs.map(({ invalid, partial, whole }) => [
        percent(invalid),
        ...['outputTokens', 'inputTokens', 'costNano', 'uncachedNano'].map((figure) =>
          saved(whole.retries[figure], partial.retries[figure]),
        ),
        saved(whole.all.costNano, partial.all.costNano),
      ]),
    },
  ],
  plot: {
    title: 'Cost of the batch by share of invalid first answers',
    unit: 'USD',
    groups: pairs.map(({ invalid, partial, whole }) => ({
      label: `${percent(invalid)} invalid`,
      bars: [
        { label: 'partial retries', value: partial.all.costNano / 1e9 },
        { label: 'whole retries', value: whole.all.costNano / 1e9 },
      ],
    })),
  },
  data: { records: Number(values.limit), model: spec.model, runs },
});
