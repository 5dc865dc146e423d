import type { Command } from 'commander';
import type { BatchHandle } from '../../client/handle.js';
import { TemperedError } from '../../task/errors.js';
import type { PoolLimits } from '../../task/spec.js';
import { type CommandHost, type PlaceOptions, withPlace } from '../command.js';
import { EXIT } from '../exit.js';
import { deadline, dollars, orNone, wholeNumber } from '../parse.js';
import { idleNote, steer } from '../steer.js';

interface SetOptions extends PlaceOptions {
  readonly concurrency?: number;
  readonly budget?: number | 'none';
  readonly model?: string;
  readonly deadline?: Date | 'none';
  readonly rpm?: number;
  readonly tpm?: number;
  readonly inFlight?: number;
}

/** Adds `set`. */
export function addSet(program: Command, host: CommandHost): void {
  withPlace(program.command('set'))
    .description('change a running batch')
    .argument('<batch>', 'id, a unique beginning of it, or latest')
    .option('--concurrency <n>', 'prompts in flight', wholeNumber(1, 10_000))
    .option('--budget <usd>', 'most it may cost, or none', orNone(dollars))
    .option('--model <provider/model>', "model for every prompt from now on, or none for the task's own")
    .option('--deadline <dur>', 'no prompt starts after this (30m, 2h, ISO time), or none', orNone(deadline))
    .option('--rpm <n>', 'requests a minute', wholeNumber(1))
    .option('--tpm <n>', 'tokens a minute', wholeNumber(1))
    .option('--in-flight <n>', 'requests at once to the provider account', wholeNumber(1))
    .action((name: string, options: SetOptions) =>
      host.run(options.json === true, (io) =>
        steer(io, name, options, async (steering) => {
          const changed = await change(steering.batch, options);
          for (const [what, value] of Object.entries(changed)) io.say(`${what}: ${JSON.stringify(value)}`);
          idleNote(steering).forEach((line) => io.say(line));
          io.result({ batchId: steering.batch.id, ...changed });
          return EXIT.ok;
        }),
      ),
    );
}

/** Sends what was named; returns the values now in force. */
async function change(batch: BatchHandle, options: SetOptions): Promise<Readonly<Record<string, unknown>>> {
  const changed: Record<string, unknown> = {};
  const limits: PoolLimits = {
    ...(options.rpm === undefined ? {} : { rpm: options.rpm }),
    ...(options.tpm === undefined ? {} : { tpm: options.tpm }),
    ...(options.inFlight === undefined ? {} : { inFlight: options.inFlight }),
  };
  if (options.concurrency !== undefined) changed['concurrency'] = await batch.setConcurrency(options.concurrency);
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

function orNull<T>(value: T | 'none'): T | null {
  return value === 'none' ? null : value;
}
