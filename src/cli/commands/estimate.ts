import { createInterface } from 'node:readline/promises';
import { type Command, Option } from 'commander';
import type { Estimate } from '../../client/estimate/types.js';
import { loadTask } from '../../task/loadTask.js';
import { type CommandHost, type PlaceOptions, shellWord, withPlace } from '../command.js';
import { estimateText } from '../estimateText.js';
import { EXIT, type ExitCode } from '../exit.js';
import { plural } from '../format.js';
import { Interrupt } from '../interrupt.js';
import type { Io } from '../io.js';
import { dollars, wholeNumber } from '../parse.js';
import { withTempered, workerLog } from '../place.js';

/** Options of `estimate`. */
interface Options extends PlaceOptions {
  readonly model?: readonly string[];
  readonly sample?: number;
  readonly yes?: boolean;
  readonly budget?: number;
  readonly concurrency?: number;
  readonly limit?: number;
  readonly idField?: string;
  readonly onBadInput?: 'fail' | 'skip';
  readonly execution?: 'item' | 'inline';
  readonly offline?: boolean;
}

/** Adds `estimate`. */
export function addEstimate(program: Command, host: CommandHost): void {
  withPlace(program.command('estimate'))
    .description('tokens, money and time of a run before it is started; sends no prompt, unless --sample says so')
    .argument('<task>', 'task file: .ts, .js, .json, .yaml')
    .argument('<data>', 'data set: .jsonl, .csv, .parquet')
    .option('--model <provider/model>', "use this model instead of the task's; repeat it to compare", collected)
    .option('--sample <n>', 'really run n records, drawn at random, and project from them: costs money', wholeNumber(2))
    .option('--yes', 'run the sample without asking')
    .option('--budget <usd>', 'money to compare with; a sample never spends more', dollars)
    .option('--concurrency <n>', 'prompts in flight the run would have (default: 50)', wholeNumber(1, 10_000))
    .addOption(new Option('--execution <mode>', 'how records would run (default: item)').choices(['item', 'inline']))
    .option('--limit <n>', 'only the first records', wholeNumber(1))
    .option('--id-field <name>', "field with each record's id (default: id)")
    .addOption(
      new Option('--on-bad-input <what>', 'a record that is no good (default: fail)').choices(['fail', 'skip']),
    )
    .option('--offline', 'let no provider count tokens (free of charge), estimate them on this machine')
    .action((task: string, data: string, options: Options) =>
      host.run(options.json === true, (io) => estimate(io, task, data, options)),
    );
}

function collected(model: string, before: readonly string[] = []): readonly string[] {
  return [...before, model];
}

async function estimate(io: Io, taskPath: string, data: string, options: Options): Promise<ExitCode> {
  const { model: models, sample, budget: budgetUsd, offline } = options;
  const { concurrency, execution, limit, idField, onBadInput } = options;
  const task = await loadTask(taskPath);
  if (sample !== undefined && !(await agreed(io, sample, models ?? [task.spec.model], options.yes === true))) {
    return EXIT.stopped;
  }
  const interrupt = new Interrupt(io, 'Leaving: prompts in flight finish.');
  try {
    const made = await withTempered(io, options, (tempered) =>
      tempered.estimate(task, data, {
        ...{ models, sample, budgetUsd, concurrency, execution, limit, idField, onBadInput },
        askProvider: offline !== true,
        signal: interrupt.signal,
        log: workerLog(io),
      }),
    );
    report(io, made, `tempered run ${shellWord(taskPath)} ${shellWord(data)}`);
    return EXIT.ok;
  } finally {
    interrupt.close();
  }
}

/** A person at a terminal is asked before money is spent. */
async function agreed(io: Io, sample: number, models: readonly string[], yes: boolean): Promise<boolean> {
  io.say(`This runs ${plural(sample, 'record')} with ${models.join(' and ')}, and costs what they cost.`);
  if (yes || !io.interactive) return true;
  const lines = createInterface({ input: process.stdin, output: io.people });
  try {
    return /^y(es)?$/i.test((await lines.question('Go on? [y/N] ')).trim());
  } finally {
    lines.close();
  }
}

function report(io: Io, made: Estimate, command: string): void {
  for (const line of estimateText(made, command)) io.say(line);
  io.result(made);
}
