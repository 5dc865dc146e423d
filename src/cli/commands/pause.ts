import type { Command } from 'commander';
import { isEnded } from '../../client/settled.js';
import { type CommandHost, type PlaceOptions, withPlace } from '../command.js';
import { EXIT } from '../exit.js';
import { plural } from '../format.js';
import { shown, steer } from '../steer.js';

/** Adds `pause`. */
export function addPause(program: Command, host: CommandHost): void {
  withPlace(program.command('pause'))
    .description('start no more prompts of a batch; those in flight finish')
    .argument('<batch>', 'id, a unique beginning of it, or latest')
    .option('--reason <text>', 'why, for whoever looks at it')
    .action((name: string, options: PlaceOptions & { readonly reason?: string }) =>
      host.run(options.json === true, (io) =>
        steer(io, name, options, async ({ batch }) => {
          await batch.pause(options.reason);
          const snapshot = await shown(batch, ({ paused, status }) => paused !== null || isEnded(status));
          io.say(`${batch.id} is ${snapshot.status}; ${plural(snapshot.counters.inFlight, 'prompt')} in flight.`);
          io.say(`Resume it with: tempered resume ${batch.id}`);
          io.result({ batchId: batch.id, status: snapshot.status });
          return EXIT.ok;
        }),
      ),
    );
}
