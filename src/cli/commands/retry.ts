import { type Command, Option } from 'commander';
import type { Concurrency } from '../../client/work.js';
import { assertWritable } from '../../client/data/index.js';
import { loadTask } from '../../task/loadTask.js';
import type { MaxFailures } from '../../task/maxFailures.js';
import { type CommandHost, type PlaceOptions, shellWord, withPlace } from '../command.js';
import type { ExitCode } from '../exit.js';
import { Interrupt } from '../interrupt.js';
import type { Io } from '../io.js';
import { concurrency as concurrencyOption, deadline, dollars, maxFailures } from '../parse.js';
import { withTempered } from '../place.js';
import { Session } from '../session.js';

interface RetryCommandOptions extends PlaceOptions {
  readonly where?: string;
  readonly task?: string;
  readonly concurrency?: Concurrency;
  readonly budget?: number;
  readonly onBudget?: 'pause' | 'stop';
  readonly maxFailures?: MaxFailures;
  readonly deadline?: Date;
  readonly out?: string;
  readonly detach?: boolean;
  readonly withInput?: boolean;
}

/** Adds `retry`. */
export function addRetry(program: Command, host: CommandHost): void {
  withPlace(program.command('retry'))
    .description('ask again for records of a batch that has ended, as the linked batch BATCH-rN; old outcomes stay')
    .argument('<batch>', 'id, a unique beginning of it, or latest')
    .option('--where <expr>', 'which records, as a condition on outcome lines (default: those without a whole answer)')
    .option('--task <task>', "ask with this task file; needed too when the batch's own has functions")
    .option('--concurrency <n>', 'prompts in flight, or auto (default: as before)', concurrencyOption)
    .option('--budget <usd>', 'most it may cost (default: as before, anew)', dollars)
    .addOption(
      new Option('--on-budget <what>', 'at the end of the budget (default: as before)').choices(['pause', 'stop']),
    )
    .option('--max-failures <n>', 'pause after more failures than this: 20, or 5% (default: as before)', maxFailures)
    .option('--deadline <dur>', 'no prompt starts after this: 30m, 2h, or an ISO time', deadline)
    .option('--out <file>', "its results: .jsonl, .csv or .parquet (`results BATCH` shows the whole batch's)")
    .option('--detach', 'start it and return; needs a running `dev` or `worker`')
    .option('--with-input', 'add each record to its result')
    .action((name: string, options: RetryCommandOptions) =>
      host.run(options.json === true, (io) => retry(io, name, options)),
    );
}

async function retry(io: Io, name: string, options: RetryCommandOptions): Promise<ExitCode> {
  if (options.out !== undefined) await assertWritable(options.out);
  const interrupt = new Interrupt(io, 'Leaving: nothing was sent to a model yet.');
  const start = { ...startOptions(options), signal: interrupt.signal };
  try {
    return await withTempered(io, options, async (tempered) => {
      const of = await tempered.findBatch(name);
      const task = options.task === undefined ? undefined : await loadTask(options.task);
      const { batch, submission } = await tempered.retry(of.id, { ...start, where: options.where, task });
      const session = new Session(io, tempered, {
        command: commandOf(of.id, options),
        interrupt,
        work: { tasks: task === undefined ? [] : [task] },
        start,
        detach: options.detach === true,
        out: options.out,
        withInput: options.withInput === true,
      });
      return session.run(batch, submission, (await batch.progress()).money.spentUsd);
    });
  } finally {
    interrupt.close();
  }
}

function startOptions({ concurrency, budget, onBudget, maxFailures: limit, deadline: until }: RetryCommandOptions) {
  return { concurrency, budgetUsd: budget, onBudget, maxFailures: limit, deadline: until };
}

/** The same retry is found by the same words. */
function commandOf(batchId: string, { where, task }: RetryCommandOptions): string {
  const words = ['tempered', 'retry', batchId];
  if (where !== undefined) words.push('--where', where);
  if (task !== undefined) words.push('--task', task);
  return words.map(shellWord).join(' ');
}
