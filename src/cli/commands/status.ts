import type { Command } from 'commander';
import type { CacheStatistics } from '../../client/cacheStatistics.js';
import type { BatchHandle } from '../../client/handle.js';
import type { BatchSnapshot } from '../../client/snapshot.js';
import { summaryOf } from '../../client/summary.js';
import type { ServerState } from '../../client/context.js';
import type { EndpointCircuit, PoolState, Tempered } from '../../client/tempered.js';
import { batchCacheText } from '../../task/cachePlan.js';
import { count } from '../../task/digits.js';
import { type CommandHost, type PlaceOptions, withPlace } from '../command.js';
import { EXIT, type ExitCode } from '../exit.js';
import { money, percent } from '../format.js';
import type { Io } from '../io.js';
import { withTempered } from '../place.js';
import { Rates } from '../rates.js';
import { summaryText } from '../summaryText.js';
import { paintFor } from '../terminal.js';
import { panelLines, pauseText } from '../view.js';

/** Adds `status`. */
export function addStatus(program: Command, host: CommandHost): void {
  withPlace(program.command('status'))
    .description('list the batches of a store, or tell how one is; works while the server is down')
    .argument('[batch]', 'id, a unique beginning of it, or latest')
    .action((name: string | undefined, options: PlaceOptions) =>
      host.run(options.json === true, (io) =>
        withTempered(io, options, async (tempered) => {
          const server = await tempered.serverState();
          if (name === undefined) return list(io, tempered, server);
          return one(io, await tempered.findBatch(name), { server, circuits: await tempered.circuits() });
        }),
      ),
    );
}

async function list(io: Io, tempered: Tempered, server: ServerState): Promise<ExitCode> {
  const batches = await tempered.batches();
  if (batches.length === 0) io.say('No batch yet. Start one with: tempered run TASK DATA');
  for (const snapshot of batches) io.say(row(snapshot));
  const pools = await tempered.pools();
  for (const pool of pools) io.say(poolText(pool));
  const circuits = await tempered.circuits();
  for (const circuit of circuits) io.say(circuitText(circuit));
  io.say(serverText(server));
  io.result({ batches: batches.map((snapshot) => summaryOf(snapshot, null, null)), pools, circuits, server });
  return EXIT.ok;
}

function row({ batchId, status, done, counters, money: { spentUsd } }: BatchSnapshot): string {
  const progress = `${count(done)}/${count(counters.items)}`.padStart(15);
  const failed = `${count(counters.failed)} failed`.padStart(12);
  return `${batchId.padEnd(44)}  ${status.padEnd(9)} ${progress} ${failed}  ${money(spentUsd).padStart(10)}`;
}

/** A pool's line: what it was set to or told, and what holds it back. */
function poolText({ pool, set, told, rateRpm, cooldownUntil }: PoolState): string {
  const { perDayUsd, ...limits } = { ...told, ...set };
  const parts = Object.entries(limits).map(([name, value]) => `${name} ${count(value)}`);
  if (perDayUsd !== undefined) parts.push(`${money(perDayUsd)} a day`);
  if (rateRpm !== null) parts.push(`lowered to ${count(Math.round(rateRpm))} rpm after an overload`);
  if (cooldownUntil > 0) parts.push(`asked to wait until ${new Date(cooldownUntil).toISOString()}`);
  return `pool ${pool}: ${parts.length === 0 ? 'no limits known' : parts.join(', ')}`;
}

/** An endpoint's line: how often it failed, and when it is asked again. */
function circuitText({ endpoint, failures, openUntil, reason }: EndpointCircuit): string {
  const again =
    openUntil === 0
      ? 'still asked'
      : openUntil > Date.now()
        ? `left alone until ${new Date(openUntil).toISOString()}`
        : 'the next prompt finds out whether it is back';
  return `endpoint ${endpoint}: ${count(failures)} failures in a row, ${again}; last: ${reason ?? 'unknown'}`;
}

/** What is around a batch. */
interface Around {
  readonly server: ServerState;
  readonly circuits: readonly EndpointCircuit[];
}

async function one(io: Io, batch: BatchHandle, { server, circuits }: Around): Promise<ExitCode> {
  const snapshot = await batch.progress();
  const { paused, reason, model, concurrency, autoConcurrency, counters, money: sums } = snapshot;
  const summary = await batch.summary();
  const failures = await batch.failures();
  if (snapshot.finishedAt === null) {
    const state = { snapshot, speed: new Rates().measure(snapshot), limiter: limiterOf(snapshot, server) };
    for (const line of panelLines(state, io.width, paintFor(io.people, process.env))) io.say(line);
  }
  for (const line of await summaryText(batch, summary, { earlierUsd: null, reused: 0 })) io.say(line);
  const cache = await batch.cacheStatistics();
  io.say(`  cache     ${cacheText(cache)}`);
  const cacheByModel = await batch.cacheStatisticsByModel();
  const models = Object.entries(cacheByModel);
  if (models.length > 1) for (const [name, made] of models) io.say(`            ${name}: ${cacheText(made)}`);
  if (snapshot.cache !== null) io.say(`            ${batchCacheText(snapshot.cache)}`);
  const retries = await batch.retries();
  if (snapshot.retryOf !== null) io.say(`  retry of  ${snapshot.retryOf}`);
  for (const one of retries) io.say(`  retry     ${retryText(one)}`);
  if (retries.length > 0) io.say(`  together  tempered results ${batch.id}`);
  for (const circuit of circuits) io.say(`  ${circuitText(circuit)}`);
  io.say(`  ${serverText(server)}`);
  const { inFlight, stages } = counters;
  const { budgetUsd } = sums;
  const setting = { model, concurrency, autoConcurrency, budgetUsd };
  const more = { reason: paused?.message ?? reason, ...setting, inFlight, stages };
  const { retryOf } = snapshot;
  io.result({
    ...summary,
    ...more,
    cache,
    cacheByModel,
    cachePlan: snapshot.cache,
    failures,
    retryOf,
    retries: retries.map(relation),
    circuits,
    server,
  });
  return EXIT.ok;
}

function cacheText(made: CacheStatistics): string {
  const { hitRate, cachedTokens, writtenTokens, cachedBlocks, totalBlocks, savedUsd } = made;
  if (hitRate === null) return 'nothing sent yet';
  const tokens = `${count(cachedTokens)} tokens read (${percent(hitRate)} of all), ${count(writtenTokens)} written`;
  return `${tokens}; ${count(cachedBlocks)} of ${count(totalBlocks)} blocks marked; ${money(savedUsd)} saved`;
}

function retryText({ batchId, status, counters }: BatchSnapshot): string {
  return `${batchId} ${status}: ${count(counters.succeeded)} of ${count(counters.items)} succeeded`;
}

function relation({ batchId, status, counters: { items, succeeded } }: BatchSnapshot) {
  return { batchId, status, items, succeeded };
}

function limiterOf(snapshot: BatchSnapshot, server: ServerState): string | null {
  if (snapshot.paused !== null) return `pause: ${pauseText(snapshot)}`;
  return server.up ? null : 'the Temporal server is down';
}

function serverText(server: ServerState): string {
  const ui = server.ui === null ? '' : `, web UI ${server.ui}`;
  return server.up ? `server    ${server.address}${ui}` : 'server    down; figures are from the store';
}
