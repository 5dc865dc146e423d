import type { Command } from 'commander';
import type { Tempered } from '../../client/tempered.js';
import { TemperedError } from '../../task/errors.js';
import { loadTask } from '../../task/loadTask.js';
import { type CommandHost, type PlaceOptions, withJson, withPlace } from '../command.js';
import { EXIT, type ExitCode } from '../exit.js';
import { Interrupt } from '../interrupt.js';
import type { Io } from '../io.js';
import { names } from '../parse.js';
import { withTempered } from '../place.js';

interface WorkerOptions extends PlaceOptions {
  readonly pools?: readonly string[];
  readonly buildId?: string;
}

/** Adds `worker`. */
export function addWorker(program: Command, host: CommandHost): void {
  withPlace(program.command('worker'))
    .description('work on batches until Ctrl-C')
    .argument('[task...]', 'task files whose functions it can call; tasks without functions need none')
    .option(
      '--pools <names>',
      'provider accounts to serve, such as anthropic,gemini (default: those with a key)',
      names,
    )
    .option('--build-id <id>', "build id for Temporal's worker deployment versioning")
    .action((tasks: readonly string[], options: WorkerOptions) =>
      host.run(options.json === true, (io) =>
        withTempered(io, options, (tempered) => work(io, tempered, tasks, options)),
      ),
    );
}

/** Adds `dev`. */
export function addDev(program: Command, host: CommandHost): void {
  withJson(program.command('dev'))
    .description('embedded server and a worker until Ctrl-C; the server stays up')
    .argument('[task...]', 'task files whose functions it can call')
    .option('--store <url>', 'sqlite:path or postgres://…')
    .option('--pools <names>', 'provider accounts to serve (default: those with a key)', names)
    .action((tasks: readonly string[], options: WorkerOptions) =>
      host.run(options.json === true, (io) => {
        const { TEMPORAL_ADDRESS: address } = process.env;
        if (address !== undefined) {
          throw new TemperedError('input', `dev uses the embedded server, but TEMPORAL_ADDRESS is ${address}.`, {
            remedy: 'Use `tempered worker` with a cluster, or unset TEMPORAL_ADDRESS.',
          });
        }
        return withTempered(io, options, (tempered) => work(io, tempered, tasks, options));
      }),
    );
}

async function work(
  io: Io,
  tempered: Tempered,
  files: readonly string[],
  { pools, buildId }: WorkerOptions,
): Promise<ExitCode> {
  const tasks = await Promise.all(files.map((file) => loadTask(file)));
  const interrupt = new Interrupt(io, 'Stopping: prompts in flight finish.');
  try {
    const server = await tempered.serverAddress();
    const worker = await tempered.startWorker({ tasks, pools, buildId });
    const served = pools ?? tempered.availablePools;
    io.say(`Worker on ${server.address}${server.ui === null ? '' : `, web UI ${server.ui}`}`);
    io.say(`  provider accounts: ${served.length === 0 ? 'none' : served.join(', ')}`);
    if (tasks.length > 0) io.say(`  tasks: ${tasks.map(({ spec }) => spec.name).join(', ')}`);
    io.say('Ctrl-C stops it.');
    try {
      await Promise.race([interrupt.wait(), worker.run]);
    } finally {
      await worker.shutdown();
    }
    io.result({ address: server.address, ui: server.ui, pools: served });
    return EXIT.ok;
  } finally {
    interrupt.close();
  }
}
