import { type Command, Option } from 'commander';
import { amount, concurrency, dollars, maxFailures, wholeNumber } from './parse.js';

/** Adds what a batch is started with, by `run` and by schedules alike. */
export function withBatchOptions(command: Command): Command {
  return command
    .option('--model <provider/model>', "use this model instead of the task's")
    .option(
      '--concurrency <n>',
      'prompts in flight, or auto: as many as the endpoint takes well (default: 50)',
      concurrency,
    )
    .option('--weight <n>', 'part of a quota that several batches want (default: 1; up to 100 records: 100)', amount)
    .addOption(new Option('--execution <mode>', 'how records run (default: item)').choices(['item', 'inline']))
    .option('--limit <n>', 'only the first records', wholeNumber(1))
    .option('--budget <usd>', 'most it may cost', dollars)
    .addOption(new Option('--on-budget <what>', 'at the end of the budget (default: pause)').choices(['pause', 'stop']))
    .option('--max-failures <n>', "pause after more failures than this: 20, or 5% (default: the task's)", maxFailures);
}
