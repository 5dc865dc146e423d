import { createRequire } from 'node:module';
import { z } from 'zod';
import { Command, CommanderError } from 'commander';
import { TemperedError } from '../task/errors.js';
import { commandsFor } from './commands.js';
import type { CommandHost } from './command.js';
import { EXIT, type ExitCode, exitOfError } from './exit.js';
import { Io } from './io.js';
import { leanHeap } from './leanHeap.js';

/** Runs the command line and leaves the process with its exit code. */
async function main(argv: readonly string[]): Promise<void> {
  let code: ExitCode = EXIT.ok;
  const host: CommandHost = {
    async run(json, work) {
      const io = new Io(json);
      try {
        code = await work(io);
      } catch (error) {
        code = report(io, error);
      }
    },
  };
  // A reader that has seen enough (`| head`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? code : EXIT.usage);
  });
  const json = argv.includes('--json');
  try {
    const program = await programOf(argv, host);
    leanHeap(argv);
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    code = usageError(new Io(json), error);
  }
  await new Io(json).flush();
  process.exit(code);
}

async function programOf(argv: readonly string[], host: CommandHost): Promise<Command> {
  const program = new Command('tempered')
    .description('Durable LLM batches on Temporal: one valid, accounted-for answer per record.')
    .version(version(), '--version')
    .exitOverride()
    .showHelpAfterError('(--help lists what there is)')
    .configureHelp({ showGlobalOptions: false });
  for (const add of await commandsFor(argv)) add(program, host);
  return program;
}

function version(): string {
  const read: unknown = createRequire(import.meta.url)('../../package.json');
  return z.object({ version: z.string() }).parse(read).version;
}

/** What a person did wrong is told in words; anything else is our fault and shows where it happened. */
function report(io: Io, error: unknown): ExitCode {
  if (error instanceof TemperedError) {
    const { category, message } = error;
    io.warn(error.explanation);
    io.result({
      error: { category, message, remedy: error.options.remedy ?? null, place: error.options.place ?? null },
    });
    return exitOfError(error);
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  io.warn(`Tempered failed in a way it should not have; please report this:\n${text}`);
  io.result({ error: { category: 'unknown', message: String(error), remedy: null, place: null } });
  return exitOfError(error);
}

function usageError(io: Io, error: unknown): ExitCode {
  if (!(error instanceof CommanderError)) return report(io, error);
  if (error.exitCode === 0) return EXIT.ok;
  const message = error.message.replace(/^error: /, '').replace(/\s+/g, ' ');
  io.result({ error: { category: 'input', message, remedy: 'tempered --help', place: null } });
  return EXIT.usage;
}

await main(process.argv.slice(2));
