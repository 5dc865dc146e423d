import type { Command } from 'commander';
import type { Tempered } from '../../client/tempered.js';
import { TemperedError } from '../../task/errors.js';
import { loadTask } from '../../task/loadTask.js';
import { type CommandHost, type PlaceOptions, withJson, withPlace } from '../command.js';
import { EXIT, type ExitCode } from '../exit.js';
import { Interrupt } from '../interrupt.js';
import type { Io } from '../io.js';
import { hostPort, names, wholeNumber } from '../parse.js';
import { withTempered } from '../place.js';
import { parentProcess, WorkerProcesses } from '../workerProcesses.js';

interface WorkerOptions extends PlaceOptions {
  readonly pools?: readonly string[];
  readonly buildId?: string;
  readonly processes?: number;
  readonly metrics?: string;
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
    .option('--metrics <address>', 'serve metrics to Prometheus at host:port, such as 127.0.0.1:9464', hostPort)
    .option(
      '--processes <n>',
      'worker processes; one per core uses the whole machine (default: 1)',
      wholeNumber(1, 256),
    )
    .action((tasks: readonly string[], options: WorkerOptions) =>
      host.run(options.json === true, (io) =>
        withTempered(io, options, (tempered) =>
          (options.processes ?? 1) > 1
            ? workInProcesses(io, tempered, tasks, options)
            : work(io, tempered, tasks, options),
        ),
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

/** The same, in processes of their own: this one starts them, and starts again what dies. */
async function workInProcesses(
  io: Io,
  tempered: Tempered,
  files: readonly string[],
  options: WorkerOptions,
): Promise<ExitCode> {
  // What is wrong with a task is told once, not by every process.
  await Promise.all(files.map((file) => loadTask(file)));
  const { processes = 1, metrics } = options;
  if (metrics !== undefined) {
    throw new TemperedError('input', `One address can't serve the metrics of ${processes} processes.`, {
      remedy: 'Start workers one by one, each with its own --metrics and without --processes.',
    });
  }
  const interrupt = new Interrupt(io, 'Stopping: prompts in flight finish.');
  const workers = new WorkerProcesses(io, processes, childArgs(files, options));
  try {
    const server = await tempered.serverAddress();
    io.say(`${processes} worker processes on ${server.address}${server.ui === null ? '' : `, web UI ${server.ui}`}`);
    io.say('Ctrl-C stops them.');
    void interrupt.wait().then(() => workers.stop());
    const code = await workers.run();
    io.result({ address: server.address, ui: server.ui, pools: options.pools ?? tempered.availablePools, processes });
    return code;
  } finally {
    interrupt.close();
  }
}

function childArgs(files: readonly string[], { pools, buildId, address, store }: WorkerOptions): string[] {
  const options = { '--pools': pools?.join(','), '--build-id': buildId, '--address': address, '--store': store };
  const given = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
  return ['worker', ...files, ...given];
}

async function work(
  io: Io,
  tempered: Tempered,
  files: readonly string[],
  { pools, buildId, metrics }: WorkerOptions,
): Promise<ExitCode> {
  const tasks = await Promise.all(files.map((file) => loadTask(file)));
  const interrupt = new Interrupt(io, 'Stopping: prompts in flight finish.');
  try {
    const server = await tempered.serverAddress();
    const worker = await tempered.startWorker({ tasks, pools, buildId, metrics });
    const served = pools ?? tempered.availablePools;
    io.say(`Worker on ${server.address}${server.ui === null ? '' : `, web UI ${server.ui}`}`);
    io.say(`  provider accounts: ${served.length === 0 ? 'none' : served.join(', ')}`);
    if (metrics !== undefined) io.say(`  metrics: http://${metrics}/metrics`);
    if (tasks.length > 0) io.say(`  tasks: ${tasks.map(({ spec }) => spec.name).join(', ')}`);
    io.say('Ctrl-C stops it.');
    const parent = parentProcess();
    parent?.ready();
    try {
      await Promise.race([interrupt.wait(), worker.run, ...(parent === undefined ? [] : [parent.wantsEnd])]);
    } finally {
      await worker.shutdown();
    }
    io.result({ address: server.address, ui: server.ui, pools: served });
    return EXIT.ok;
  } finally {
    interrupt.close();
  }
}
