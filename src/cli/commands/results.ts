import type { Command } from 'commander';
import { writeOutcomes } from '../../client/data/index.js';
import type { BatchHandle } from '../../client/handle.js';
import type { OutcomeStatus } from '../../task/outcome.js';
import { TemperedError } from '../../task/errors.js';
import { type CommandHost, type PlaceOptions, withPlace } from '../command.js';
import { EXIT, type ExitCode } from '../exit.js';
import { plural } from '../format.js';
import { Interrupt } from '../interrupt.js';
import type { Io } from '../io.js';
import { withTempered } from '../place.js';

interface ResultsOptions extends PlaceOptions {
  readonly failed?: boolean;
  readonly follow?: boolean;
  readonly out?: string;
  readonly withInput?: boolean;
  readonly own?: boolean;
}

/** What `--failed` shows. */
const UNFINISHED: readonly OutcomeStatus[] = ['partial', 'failed', 'notRun'];

/** Adds `results`. */
export function addResults(program: Command, host: CommandHost): void {
  withPlace(program.command('results'))
    .description('outcomes of a batch as JSON lines, in input order; those of its retries where they are newer')
    .argument('<batch>', 'id, a unique beginning of it, or latest')
    .option('--failed', 'only records without a whole valid answer')
    .option('--follow', 'as they finish, until the batch has ended')
    .option('--out <file>', 'to a file (.jsonl, .csv, .parquet) instead of stdout')
    .option('--with-input', 'add each record')
    .option('--own', "the batch's own outcomes, not the newer ones of its retries")
    .action((name: string, options: ResultsOptions) =>
      host.run(options.json === true, (io) =>
        withTempered(io, options, async (tempered) => results(io, await tempered.findBatch(name), options)),
      ),
    );
}

async function results(io: Io, batch: BatchHandle, options: ResultsOptions): Promise<ExitCode> {
  if (options.follow === true && (options.out !== undefined || options.withInput === true)) {
    throw new TemperedError('input', '--follow writes plain outcomes to stdout: leave --out and --with-input out.');
  }
  const interrupt = new Interrupt(io, 'Ending.');
  const filter = {
    withInput: options.withInput === true,
    ...(options.failed === true ? { statuses: UNFINISHED } : {}),
  };
  let written = 0;
  try {
    const latest = options.own !== true && (await batch.retries()).length > 0;
    if (options.out !== undefined) {
      const pages = latest ? batch.latestOutcomePages(filter) : batch.outcomePages(filter);
      written = await writeOutcomes(options.out, pages);
    } else {
      const all = latest ? batch.latestOutcomes(filter) : batch.outcomes(filter);
      for await (const outcome of options.follow === true ? batch.follow(interrupt.signal) : all) {
        if (options.failed === true && !UNFINISHED.includes(outcome.status)) continue;
        written += 1;
        await io.data(JSON.stringify(outcome));
      }
    }
  } finally {
    interrupt.close();
  }
  if (options.out !== undefined) io.say(`${plural(written, 'outcome')} written to ${options.out}`);
  io.result({ batchId: batch.id, outcomes: written, out: options.out ?? null });
  return EXIT.ok;
}
