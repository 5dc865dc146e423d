import type { Command } from 'commander';
import { DEFAULT_FOLDER } from '../../client/openContext.js';
import { ensureServer, obtainProgram, serverStatus, stopServer } from '../../client/embedded/index.js';
import { type CommandHost, type CommonOptions, withJson } from '../command.js';
import { EXIT } from '../exit.js';

/** Adds `server`. */
export function addServer(program: Command, host: CommandHost): void {
  withJson(program.command('server'))
    .description('start the embedded Temporal server of this folder in the background, or tell where it is')
    .option('--ensure', 'only obtain the program, so that later starts need no network')
    .action((options: CommonOptions & { readonly ensure?: boolean }) =>
      host.run(options.json === true, async (io) => {
        const onProgress = (line: string) => io.warn(line);
        if (options.ensure === true) {
          const program = await obtainProgram({ env: process.env, onProgress });
          io.say(`Temporal's program is ${program}`);
          io.result({ program });
          return EXIT.ok;
        }
        const before = await serverStatus(DEFAULT_FOLDER);
        const { address, uiUrl, pid } = await ensureServer({ folder: DEFAULT_FOLDER, onProgress });
        const started = before?.pid !== pid;
        io.say(`Temporal server ${started ? 'started' : 'runs already'} on ${address}, web UI ${uiUrl}`);
        io.say('It stops after 30 idle minutes, or by: tempered down');
        io.result({ address, ui: uiUrl, pid, started });
        return EXIT.ok;
      }),
    );
}

/** Adds `down`. */
export function addDown(program: Command, host: CommandHost): void {
  withJson(program.command('down'))
    .description('stop the embedded Temporal server of this folder; its state is kept')
    .action((options: CommonOptions) =>
      host.run(options.json === true, async (io) => {
        const stopped = await stopServer(DEFAULT_FOLDER);
        io.say(stopped ? 'The Temporal server is stopped; its state is kept.' : 'No Temporal server runs here.');
        io.result({ stopped });
        return EXIT.ok;
      }),
    );
}
