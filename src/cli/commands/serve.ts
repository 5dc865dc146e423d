import type { Command } from 'commander';
import { startMonitor } from '../../monitoring/serve.js';
import { type CommandHost, type PlaceOptions, withPlace } from '../command.js';
import { EXIT } from '../exit.js';
import { Interrupt } from '../interrupt.js';
import { wholeNumber } from '../parse.js';
import { withTempered } from '../place.js';

interface Options extends PlaceOptions {
  readonly port?: number;
  readonly host?: string;
}

/** Adds `serve`. */
export function addServe(program: Command, host: CommandHost): void {
  withPlace(program.command('serve'))
    .description('serve the figures of a store as JSON over HTTP, to this machine alone unless told otherwise')
    .option('--port <n>', '0 takes a free one (default: 7180)', wholeNumber(0, 65_535))
    .option('--host <address>', 'listen elsewhere than on 127.0.0.1; needs a bearer token in TEMPERED_SERVE_TOKEN')
    .action((options: Options) =>
      host.run(options.json === true, (io) =>
        withTempered(io, options, async (tempered) => {
          const { port, host: address } = options;
          // From the environment alone: others on the machine can read arguments. Set but empty is not set.
          const { TEMPERED_SERVE_TOKEN: set } = process.env;
          const token = set === '' ? undefined : set;
          const interrupt = new Interrupt(io, 'Stopping.');
          try {
            const monitor = await startMonitor(tempered, { port, host: address, token });
            io.say(`Serving ${monitor.url}/api/monitoring/llm-optimization and ${monitor.url}/health; Ctrl-C ends it.`);
            await interrupt.wait();
            await monitor.close();
            io.result({ url: monitor.url });
            return EXIT.ok;
          } finally {
            interrupt.close();
          }
        }),
      ),
    );
}
