import type { Command } from 'commander';
import type { BatchHandle } from '../../client/handle.js';
import type { PoolPatch } from '../../client/tempered.js';
import type { Concurrency } from '../../client/work.js';
import { TemperedError } from '../../task/errors.js';
import { LIMIT_NAMES } from '../../task/limits.js';
import { type CommandHost, type PlaceOptions, withPlace } from '../command.js';
import { EXIT, type ExitCode } from '../exit.js';
import type { Io } from '../io.js';
import { concurrency as concurrencyOption, amount, deadline, dollars, orNone, wholeNumber } from '../parse.js';
import { withTempered } from '../place.js';
import { idleNote, steer } from '../steer.js';

interface SetOptions extends PlaceOptions {
  readonly concurrency?: Concurrency;
  readonly weight?: number;
  readonly budget?: number | 'none';
  readonly model?: string;
  readonly deadline?: Date | 'none';
  readonly pool?: string;
  readonly rpm?: number | 'none';
  readonly tpm?: number | 'none';
  readonly inputTpm?: number | 'none';
  readonly outputTpm?: number | 'none';
  readonly inFlight?: number | 'none';
  readonly perDay?: number | 'none';
}

/** Adds `set`. */
export function addSet(program: Command, host: CommandHost): void {
  withPlace(program.command('set'))
    .description('change a running batch, or the quotas of a pool')
    .argument('[batch]', 'id, a unique beginning of it, or latest')
    .option('--concurrency <n>', 'prompts in flight, or auto', concurrencyOption)
    .option('--weight <n>', 'part of a quota that several batches want', amount)
    .option('--budget <usd>', 'most it may cost, or none', orNone(dollars))
    .option('--model <provider/model>', "model for every prompt from now on, or none for the task's own")
    .option('--deadline <dur>', 'no prompt starts after this (30m, 2h, ISO time), or none', orNone(deadline))
    .option('--pool <name>', 'change the quotas of a pool, for every batch and worker that uses it')
    .option(
      '--rpm <n>',
      "requests a minute, of the batch's pool or of the one named; none = as configured or told",
      orNone(wholeNumber(1)),
    )
    .option('--tpm <n>', 'tokens a minute', orNone(wholeNumber(1)))
    .option('--input-tpm <n>', 'input tokens a minute', orNone(wholeNumber(1)))
    .option('--output-tpm <n>', 'output tokens a minute', orNone(wholeNumber(1)))
    .option('--in-flight <n>', 'requests at once to the provider account', orNone(wholeNumber(1)))
    .option('--per-day <usd>', 'most the prompts of a pool may cost in a day', orNone(dollars))
    .action((name: string | undefined, options: SetOptions) =>
      host.run(options.json === true, (io) => {
        if (options.pool !== undefined) return setPool(io, name, options.pool, options);
        return steer(io, name ?? needed(), options, async (steering) => {
          const changed = await change(steering.batch, options);
          for (const [what, value] of Object.entries(changed)) io.say(`${what}: ${JSON.stringify(value)}`);
          idleNote(steering).forEach((line) => io.say(line));
          io.result({ batchId: steering.batch.id, ...changed });
          return EXIT.ok;
        });
      }),
    );
}

/** Sends what was named; returns the values now in force. */
async function change(batch: BatchHandle, options: SetOptions): Promise<Readonly<Record<string, unknown>>> {
  const changed: Record<string, unknown> = {};
  const limits = patchOf(options);
  if (options.concurrency !== undefined) changed['concurrency'] = await batch.setConcurrency(options.concurrency);
  if (options.weight !== undefined) changed['weight'] = await batch.setWeight(options.weight);
  if (options.model !== undefined) changed['model'] = await batch.setModel(orNull(options.model));
  if (options.deadline !== undefined) {
    changed['deadline'] = await batch.setDeadline(orNull(options.deadline)?.toISOString() ?? null);
  }
  if (Object.keys(limits).length > 0) changed['limits'] = await batch.setLimits(limits);
  if (options.budget !== undefined) changed['budget'] = await batch.setBudget(orNull(options.budget));
  if (Object.keys(changed).length > 0) return changed;
  throw new TemperedError('input', 'Nothing to set was named.', {
    remedy: 'For example: tempered set latest --concurrency 20 --budget 5',
  });
}

function needed(): never {
  throw new TemperedError('input', 'Neither a batch nor a pool was named.', {
    remedy: 'For example: tempered set latest --concurrency 20, or: tempered set --pool anthropic --rpm 600',
  });
}

/** Changes a pool's quotas in the store, where every worker looks. */
async function setPool(io: Io, batch: string | undefined, pool: string, options: SetOptions): Promise<ExitCode> {
  const { concurrency, weight, budget, model, deadline: until } = options;
  const ofBatch = [batch, concurrency, weight, budget, model, until].some((value) => value !== undefined);
  const patch = patchOf(options);
  if (ofBatch || Object.keys(patch).length === 0) {
    throw new TemperedError('input', ofBatch ? 'A pool has quotas only.' : 'Nothing to set was named.', {
      remedy: `For example: tempered set --pool ${pool} --rpm 600 --per-day 20`,
    });
  }
  return withTempered(io, options, async (tempered) => {
    const set = await tempered.setPool(pool, patch);
    io.say(`pool ${pool}: ${JSON.stringify(set)}`);
    io.result({ pool, set });
    return EXIT.ok;
  });
}

function patchOf({ perDay, ...limits }: SetOptions): PoolPatch {
  const named = LIMIT_NAMES.flatMap((name) => {
    const value = limits[name];
    return value === undefined ? [] : [[name, orNull(value)] as const];
  });
  return { ...Object.fromEntries(named), ...(perDay === undefined ? {} : { perDayUsd: orNull(perDay) }) };
}

function orNull<T>(value: T | 'none'): T | null {
  return value === 'none' ? null : value;
}
