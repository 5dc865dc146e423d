import { type Command, Option } from 'commander';
import { assertWritable } from '../../client/data/index.js';
import type { Tempered } from '../../client/tempered.js';
import { withModel } from '../../client/withModel.js';
import { type Concurrency, poolsOf } from '../../client/work.js';
import type { AnyTask } from '../../task/defineTask.js';
import { TemperedError } from '../../task/errors.js';
import { loadTask } from '../../task/loadTask.js';
import type { MaxFailures } from '../../task/maxFailures.js';
import { withBatchOptions } from '../batchOptions.js';
import { type CommandHost, type PlaceOptions, shellWord, withPlace } from '../command.js';
import type { ExitCode } from '../exit.js';
import { Interrupt } from '../interrupt.js';
import type { Io } from '../io.js';
import { deadline, duration } from '../parse.js';
import { withTempered } from '../place.js';
import { Session } from '../session.js';
import { startText } from '../startText.js';
import { dryRun } from './dryRun.js';

/** Options of `run`. */
export interface RunOptions extends PlaceOptions {
  /** Results file. */
  readonly out?: string;
  /** `provider/model` instead of the task's. */
  readonly model?: string;
  /** Prompts in flight. */
  readonly concurrency?: Concurrency;
  /** How records run. */
  readonly execution?: 'item' | 'inline';
  /** Part of a quota that several batches want. */
  readonly weight?: number;
  /** Only the first records. */
  readonly limit?: number;
  /** Money limit; USD. */
  readonly budget?: number;
  /** What happens at its end. */
  readonly onBudget?: 'pause' | 'stop';
  /** No prompt starts after it. */
  readonly deadline?: Date;
  /** What becomes of prompts in flight then. */
  readonly onDeadline?: 'drain' | 'cancel';
  /** Time for a record; milliseconds. */
  readonly itemTimeout?: number;
  /** Failures it may have. */
  readonly maxFailures?: MaxFailures;
  /** Own id. */
  readonly batchId?: string;
  /** Run again on the same data. */
  readonly new?: boolean;
  /** Take over earlier answers. */
  readonly reuse?: boolean;
  /** Start it and return. */
  readonly detach?: boolean;
  /** Show requests, send nothing. */
  readonly dryRun?: boolean;
  /** Add each record to its result. */
  readonly withInput?: boolean;
  /** What happens to records that are no good. */
  readonly onBadInput?: 'fail' | 'skip';
  /** Field with each record's id. */
  readonly idField?: string;
  /** Keep the input open. */
  readonly open?: boolean;
}

/** Adds `run`. */
export function addRun(program: Command, host: CommandHost): void {
  const command = withPlace(program.command('run'))
    .description('run a task over a data set; run again, it continues or shows what is there')
    .argument('<task>', 'task file: .ts, .js, .json, .yaml')
    .argument('<data>', 'data set: .jsonl, .csv, .parquet')
    .option('--out <file>', 'results: .jsonl, .csv or .parquet (default: .tempered/results/BATCH.jsonl)');
  withBatchOptions(command)
    .option('--deadline <dur>', 'no prompt starts after this: 30m, 2h, or an ISO time', deadline)
    .addOption(
      new Option(
        '--on-deadline <what>',
        'prompts in flight at the deadline finish or are aborted (default: drain)',
      ).choices(['drain', 'cancel']),
    )
    .option('--item-timeout <dur>', 'time for a record with all its prompts and waits: 90s, 30m', duration)
    .option('--batch-id <id>', 'own id instead of one made of task and data')
    .option('--new', 'run again although the same task ran on the same data')
    .option('--reuse', 'take over answers earlier batches got for the same task and records')
    .option('--detach', 'start it and return; needs a running `dev` or `worker`')
    .option('--dry-run', 'show the first requests and send nothing')
    .option('--with-input', 'add each record to its result')
    .addOption(
      new Option('--on-bad-input <what>', 'a record that is no good (default: fail)').choices(['fail', 'skip']),
    )
    .option('--id-field <name>', "field with each record's id (default: id)")
    .option('--open', 'keep taking records by `add` until `add --close`')
    .action((task: string, data: string, options: RunOptions) =>
      host.run(options.json === true, (io) => run(io, task, data, options)),
    );
}

async function run(io: Io, taskPath: string, data: string, options: RunOptions): Promise<ExitCode> {
  const loaded = await loadTask(taskPath);
  const task = options.model === undefined ? loaded : withModel(loaded, options.model);
  if (options.dryRun === true) return dryRun(io, task, data, options);
  const command = `tempered run ${shellWord(taskPath)} ${shellWord(data)}`;
  const interrupt = new Interrupt(io, 'Leaving: nothing was sent to a model yet.');
  try {
    return await withTempered(io, options, (tempered) =>
      new Run(io, tempered, task, { data, options, command, interrupt }).execute(),
    );
  } catch (error) {
    if (!interrupt.asked || error instanceof TemperedError) throw error;
    throw new TemperedError('cancelled', 'Left before the batch was started; nothing was sent to a model.', {
      remedy: `Start it: ${command}`,
    });
  } finally {
    interrupt.close();
  }
}

interface RunCall {
  readonly data: string;
  readonly options: RunOptions;
  /** The command a person repeats. */
  readonly command: string;
  readonly interrupt: Interrupt;
}

class Run {
  constructor(
    private readonly io: Io,
    private readonly tempered: Tempered,
    private readonly task: AnyTask,
    private readonly call: RunCall,
  ) {}

  async execute(): Promise<ExitCode> {
    const { data, options } = this.call;
    // Found out now, not after the money is spent.
    if (options.out !== undefined) await assertWritable(options.out);
    if (options.detach === true) await this.needWorker();
    const { batch, submission } = await this.tempered.submit(this.task, data, this.startOptions());
    const earlierUsd = (await batch.progress()).money.spentUsd;
    startText(submission, this.task).forEach((line) => this.io.say(line));
    return this.session().run(batch, submission, earlierUsd);
  }

  private session(): Session {
    const { command, interrupt, options } = this.call;
    return new Session(this.io, this.tempered, {
      command,
      interrupt,
      work: { tasks: [this.task], pools: poolsOf(this.task) },
      start: this.startOptions(),
      detach: options.detach === true,
      out: options.out,
      withInput: options.withInput === true,
    });
  }

  private startOptions() {
    const {
      budget: budgetUsd,
      concurrency,
      weight,
      limit,
      onBudget,
      deadline: until,
      onDeadline,
      itemTimeout,
      batchId,
      reuse,
    } = this.call.options;
    const { execution, onBadInput, idField, open, new: again, maxFailures: limitOfFailures } = this.call.options;
    const { signal } = this.call.interrupt;
    const start = {
      concurrency,
      execution,
      weight,
      limit,
      budgetUsd,
      onBudget,
      maxFailures: limitOfFailures,
      deadline: until,
      onDeadline,
      itemTimeout,
      batchId,
      reuse,
      onBadInput,
      idField,
      open,
    };
    return { ...start, new: again, signal };
  }

  private async needWorker(): Promise<void> {
    const missing = await this.tempered.unpolledFor(this.task);
    if (missing.length === 0) return;
    throw new TemperedError('network', `--detach needs a worker, and none polls ${missing.join(' and ')}.`, {
      remedy: 'Start one in another terminal: `tempered dev TASK` (embedded server) or `tempered worker TASK`.',
    });
  }
}
