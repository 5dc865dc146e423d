// The provider's limits, kept and used by a fleet: three worker processes and two batches with weights 2 and 1 against a
// simulator that enforces 600 requests and 120,000 tokens a minute; the limits cut by half and doubled in mid-run; a
// pause at concurrency 200.
//
//   npm run bench:limits [-- --window S --stores sqlite,postgres]
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createJiti } from 'jiti';
import { Ours, writeRecords } from './support/ours.mjs';
import { finish, number, ratio } from './support/report.mjs';
import { startSimulator } from './support/simulator.mjs';
import { startStub } from './support/startStub.mjs';

const { values } = parseArgs({
  options: { window: { type: 'string', default: '60' }, stores: { type: 'string', default: 'sqlite,postgres' } },
});
const LIMITS = { rpm: 600, tpm: 120_000 };
const WORKERS = 3;
/** Two models of one account: the ledger tells their batches apart. */
const BATCHES = [
  { id: 'heavy', weight: 2, model: 'anthropic/claude-sonnet-4-6' },
  { id: 'light', weight: 1, model: 'anthropic/claude-haiku-4-5' },
];
/** A change must be followed after this; then the rate is measured for `SEEN_S`. Seconds. */
const FOLLOWED_S = 5;
const SEEN_S = 15;
const PAUSED_AT = 200;
const windowS = Number(values.window);

const sum = (all) => all.reduce((total, one) => total + one, 0);
const scaled = (factor) => ({ rpm: LIMITS.rpm * factor, tpm: LIMITS.tpm * factor });
const tokensOf = (entry) => entry.inputTokens + entry.outputTokens;
/** Longer tickets, so that tokens are short as well as requests. */
const TASK = { model: BATCHES[0].model, prompt: `#{{id}} {{text}} ${'It happened again. '.repeat(16)}` };

/** Part of the tighter limit that was used, by what the simulator let through between two times. */
function useOf(entries, from, to, limits) {
  const inside = entries.filter(({ at }) => at >= from && at < to);
  const minutes = (to - from) / 60_000;
  const requests = inside.length / minutes / limits.rpm;
  const tokens = sum(inside.map(tokensOf)) / minutes / limits.tpm;
  return { used: Math.max(requests, tokens), requests, tokens, inside };
}

/** Runs both batches on three workers, and what `measure` does meanwhile. */
async function fleet(sim, { env = {}, pools }, measure) {
  await sim.scenario({ limits: LIMITS, latency: { meanMs: 800, p95Ms: 1500 } });
  await sim.clear();
  const ours = new Ours({ baseUrl: sim.url }, { env: { ...sim.env, ...env }, task: TASK });
  if (pools !== undefined) writeFileSync(ours.file('tempered.config.json'), JSON.stringify({ pools }));
  await writeRecords(ours.file('records.jsonl'), 5_000);
  await ours.start();
  const workers = [];
  try {
    for (let i = 0; i < WORKERS; i += 1) workers.push(await ours.worker(['--pools', 'anthropic']));
    for (const { id, weight, model } of BATCHES) {
      const how = ['--weight', String(weight), '--model', model, '--batch-id', id, '--concurrency', '60', '--detach'];
      await ours.run(['--execution', 'inline', ...how]);
    }
    return await measure(ours);
  } finally {
    for (const { id } of BATCHES) await ours.cli(['cancel', id]);
    for (const worker of workers) worker.child.kill('SIGINT');
    await Promise.all(workers.map(({ exited }) => exited));
    await ours.end();
  }
}

/** Waits until the buckets, full at first, are used up: from then on the rate is the limit's. */
async function untilSteady(sim) {
  while ((await sim.entries()).length < LIMITS.rpm) await sleep(500);
  await sleep(15_000);
}

/** Refusals, use of the limit and shares over the window. */
async function steady(sim) {
  await untilSteady(sim);
  const from = Date.now();
  await sleep(windowS * 1000);
  const to = Date.now();
  const [entries, { requests, unbilled }] = [await sim.entries(), await sim.totals()];
  const { used, requests: requestsUsed, tokens, inside } = useOf(entries, from, to, LIMITS);
  const refused = unbilled.quota ?? 0;
  const weights = sum(BATCHES.map(({ weight }) => weight));
  const shares = BATCHES.map(({ id, weight, model }) => {
    const share = inside.filter((entry) => model.endsWith(entry.model)).length / inside.length;
    return { id, weight, share, off: Math.abs(share / (weight / weights) - 1) };
  });
  return { refused: refused / (requests + refused), used, requestsUsed, tokens, shares };
}

/** The limits cut by half, then doubled: the rate from 5 s after each change, against the new limit. */
async function changes(sim, tell) {
  await untilSteady(sim);
  const seen = {};
  for (const [name, factor] of [
    ['cut by half', 0.5],
    ['doubled', 1],
  ]) {
    await sim.scenario({ limits: scaled(factor), latency: { meanMs: 800, p95Ms: 1500 } });
    await tell(scaled(factor));
    await sleep(FOLLOWED_S * 1000);
    const from = Date.now();
    await sleep(SEEN_S * 1000);
    seen[name] = useOf(await sim.entries(), from, Date.now(), scaled(factor)).used;
  }
  return seen;
}

/** Prompts that start later than a second after `pause` returned, at 200 in flight. */
async function pauseLate(mode, latencyMs) {
  const stub = await startStub();
  await stub.set({ latencyMs });
  const ours = await new Ours(stub).start();
  try {
    await writeRecords(ours.file('records.jsonl'), 20_000);
    const worker = await ours.worker(['--pools', 'compatible']);
    await ours.run(['--execution', mode, '--concurrency', String(PAUSED_AT), '--batch-id', 'paused', '--detach']);
    let inFlight = 0;
    for (const until = Date.now() + 90_000; inFlight < PAUSED_AT && Date.now() < until; await sleep(50)) {
      inFlight = Math.max(inFlight, (await stub.counts()).inFlight);
    }
    await ours.cli(['pause', 'paused']);
    const returned = (await stub.counts()).requests;
    await sleep(1000);
    const after1s = (await stub.counts()).requests;
    await sleep(5000);
    const late = (await stub.counts()).requests - after1s;
    if (returned === 0) throw new Error('Nothing was sent before the pause.');
    await ours.cli(['cancel', 'paused']);
    worker.child.kill('SIGINT');
    await worker.exited;
    return { late, withinS: after1s - returned, inFlight };
  } finally {
    await ours.end();
    stub.stop();
  }
}

const simulator = await startSimulator();
const pools = { anthropic: LIMITS };
const results = { steady: {}, changes: {}, pause: {} };
try {
  for (const store of values.stores.split(',')) {
    console.error(`three workers, two batches: ${store}`);
    const { startPostgres } =
      store === 'postgres' ? await createJiti(import.meta.url).import('../test/support/postgres.ts') : {};
    const postgres = await startPostgres?.();
    const env = postgres === undefined ? {} : { TEMPERED_STORE: postgres.url };
    results.steady[store] = await fleet(simulator, { env, pools }, () => steady(simulator));
    await postgres?.stop();
  }
  console.error('limits changed with `set --pool`');
  results.changes['set --pool'] = await fleet(simulator, { pools }, (ours) =>
    changes(simulator, ({ rpm, tpm }) =>
      ours.cli(['set', '--pool', 'anthropic', '--rpm', String(rpm), '--tpm', String(tpm)]),
    ),
  );
  console.error("limits changed by the provider's headers alone");
  results.changes['headers'] = await fleet(simulator, {}, () => changes(simulator, () => undefined));
  // A workflow per record takes longer to start: with slower answers, 200 of them are in flight at once.
  for (const [mode, latencyMs] of [
    ['inline', 1000],
    ['item', 8000],
  ]) {
    console.error(`pause: ${mode}`);
    results.pause[mode] = await pauseLate(mode, latencyMs);
  }
} finally {
  simulator.stop();
}

finish({
  name: 'limits',
  title: `${LIMITS.rpm} requests and ${LIMITS.tpm.toLocaleString('en')} tokens a minute, ${WORKERS} worker processes, two batches`,
  ratios: [
    ...Object.entries(results.steady).flatMap(([store, { refused, used, shares }]) => [
      ratio(`${store}: 429s / requests`, refused, { atMost: 0.01 }),
      ratio(`${store}: throughput / limit`, used, { atLeast: 0.9 }),
      ...shares.map(({ id, off }) => ratio(`${store}: share of ${id}, off its weight by`, off, { atMost: 0.1 })),
    ]),
    ...Object.entries(results.changes).flatMap(([how, seen]) =>
      Object.entries(seen).flatMap(([name, used]) => [
        ratio(
          `${name} (${how}): rate after ${FOLLOWED_S} s / new limit`,
          used,
          name === 'doubled' ? { atLeast: 0.9 } : { atMost: 1.1 },
        ),
      ]),
    ),
    ...Object.entries(results.pause).map(([mode, { late }]) =>
      ratio(`${mode}: prompts later than 1 s after \`pause\` returned`, late, { atMost: 0 }),
    ),
  ],
  tables: [
    {
      title: `Steady state over ${windowS} s`,
      headings: ['store', 'requests / limit', 'tokens / limit', '429s / requests', 'share of weight 2', 'of weight 1'],
      rows: Object.entries(results.steady).map(([store, { requestsUsed, tokens, refused, shares }]) => [
        store,
        requestsUsed,
        tokens,
        refused,
        ...shares.map(({ share }) => share),
      ]),
    },
    {
      title: `A pause at concurrency ${PAUSED_AT}`,
      headings: ['mode', 'most in flight', 'prompts in the first second after it', 'later'],
      rows: Object.entries(results.pause).map(([mode, { inFlight, withinS, late }]) => [mode, inFlight, withinS, late]),
    },
  ],
  notes: [
    `The provider's buckets are full at first; the window begins when they are used up. The change was measured for ${number(SEEN_S)} s.`,
  ],
  data: { results },
});
