// What warming the prompt cache first is worth: e-mails with a prefix of 3,000 tokens through the simulator, whose caches
// are found a while after the answer that wrote them, with the first prompt sent alone and with all sent at once.
//
//   npm run bench:caching [-- --records N --concurrency N --runs N]
import { createReadStream, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { simulatorEnv, startSimulator } from '../dist/client/simulator.js';
import { modelInfo } from '../dist/models/catalog.js';
import { cacheSavingsNano } from '../dist/models/cost.js';
import { parseModelRef } from '../dist/models/modelRef.js';
import { EMAILS, prepareEmails } from '../examples/emails/prepare.mjs';
import { Ours } from './support/ours.mjs';
import { alternate, finish, medianOf, ratio } from './support/report.mjs';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '500' },
    concurrency: { type: 'string', default: '50' },
    runs: { type: 'string', default: '3' },
  },
});
const n = Number(values.records);
const TASK = fileURLToPath(new URL('../examples/caching/emails.ts', import.meta.url));
const MODELS = ['anthropic/claude-sonnet-4-6', 'openai/gpt-5.6-luna', 'gemini/gemini-2.5-flash'];
/** Time to the answer, and from there until what it wrote is found. */
const LATENCY = { meanMs: 600, p95Ms: 1200 };
const READABLE_AFTER_MS = 300;

/** The first `n` e-mails, each made unlike those of other runs: equal prompts would find each other's caches. */
async function writeEmails(file) {
  const lines = [];
  for await (const line of createInterface({ input: createReadStream(EMAILS) })) {
    if (lines.push(line) === n) break;
  }
  writeFileSync(file, `${lines.join('\n')}\n`);
}

/** One run by a provider that has not seen the prefix: what it billed, and whether the batch counted the same. */
async function measure(ours, model, warmFirst) {
  const simulator = await startSimulator({
    scenario: { latency: LATENCY, caches: { readableAfterMs: READABLE_AFTER_MS } },
  });
  const services = { 'emails-worked': { cache: { warmFirst } } };
  writeFileSync(ours.file('tempered.config.json'), JSON.stringify({ environments: { default: { services } } }));
  const args = ['run', TASK, 'emails.jsonl', '--new', '--model', model, '--execution', 'inline'];
  const env = simulatorEnv(simulator.url);
  const { result } = await ours.cli([...args, '--concurrency', values.concurrency], { env });
  const info = modelInfo(parseModelRef(model), new Date());
  const entries = simulator.ledger();
  const savedNano = entries.reduce((sum, one) => sum + cacheSavingsNano(info, { ...one, thinkingTokens: 0 }), 0);
  const { costNanoUsd, cachedInputTokens } = simulator.totals();
  await simulator.close();
  const reads = entries.map((one) => one.cachedInputTokens);
  return {
    prompts: reads.length,
    misses: reads.filter((read) => read === 0).length,
    read: cachedInputTokens,
    longestRead: Math.max(...reads),
    costUsd: costNanoUsd / 1e9,
    savedUsd: savedNano / 1e9,
    equal: Math.round(result.costUsd * 1e9) === costNanoUsd && Math.round(result.cacheSavingsUsd * 1e9) === savedNano,
    seconds: result.seconds,
  };
}

prepareEmails();
const ours = await new Ours({ baseUrl: 'http://127.0.0.1:9' }).start();
const results = {};
try {
  await writeEmails(ours.file('emails.jsonl'));
  for (const model of MODELS) {
    results[model] = await alternate(['at once', 'warm first'], Number(values.runs), (how) =>
      measure(ours, model, how === 'warm first'),
    );
  }
} finally {
  await ours.end();
}

const of = (model, how, figure) => medianOf(results[model][how], (run) => run[figure]);
/** The whole prefix, as far as the provider's cache counts it; all but the first prompt could read it. */
const prefixOf = (model) =>
  Math.max(
    ...Object.values(results[model])
      .flat()
      .map((run) => run.longestRead),
  );
const shareRead = (model, how) =>
  medianOf(results[model][how], ({ read, prompts }) => read / (prefixOf(model) * (prompts - 1)));
const usd = (value) => `$${value.toFixed(4)}`;
finish({
  name: 'caching',
  title: `${n} e-mails with a prefix of 3,000 tokens at concurrency ${values.concurrency}`,
  ratios: [
    ...MODELS.map((model) =>
      ratio(`${model}: share of the prefix's tokens read, warm first`, shareRead(model, 'warm first'), {
        atLeast: 0.95,
      }),
    ),
    ...MODELS.map((model) => ratio(`${model}: the same, all at once`, shareRead(model, 'at once'))),
    ratio(
      "runs whose cost and saving equal the provider's bill to the nano-dollar",
      share(
        Object.values(results).flatMap((runs) => Object.values(runs).flat()),
        ({ equal }) => equal,
      ),
      { atLeast: 1 },
    ),
  ],
  tables: [
    {
      title: `Medians of ${values.runs} runs; a miss is a prompt that read nothing`,
      headings: ['model', 'how', 'misses', 'cost', 'saved by the cache, net', 'seconds'],
      rows: MODELS.flatMap((model) =>
        ['at once', 'warm first'].map((how) => [
          model,
          how,
          of(model, how, 'misses'),
          usd(of(model, how, 'costUsd')),
          usd(of(model, how, 'savedUsd')),
          of(model, how, 'seconds'),
        ]),
      ),
    },
  ],
  notes: [
    `Answers take ${LATENCY.meanMs} ms on average; what a prompt wrote is found ${READABLE_AFTER_MS} ms after its answer. The simulator bills as the providers do; ${path.basename(TASK)} is the e-mails example with worked examples.`,
  ],
  data: { results },
});

function share(list, test) {
  return list.filter(test).length / list.length;
}
