import type { Command } from 'commander';
import { type CommandHost, type PlaceOptions, withPlace } from '../command.js';
import { EXIT } from '../exit.js';
import { idleNote, shown, steer } from '../steer.js';

/** Adds `resume`. */
export function addResume(program: Command, host: CommandHost): void {
  withPlace(program.command('resume'))
    .description('let a paused batch go on')
    .argument('<batch>', 'id, a unique beginning of it, or latest')
    .action((name: string, options: PlaceOptions) =>
      host.run(options.json === true, (io) =>
        steer(io, name, options, async (steering) => {
          const { batch } = steering;
          await batch.resume();
          const snapshot = await shown(batch, ({ paused, status }) => paused === null && status !== 'paused');
          io.say(`${batch.id} is ${snapshot.status}.`);
          idleNote(steering).forEach((line) => io.say(line));
          io.result({ batchId: batch.id, status: snapshot.status });
          return EXIT.ok;
        }),
      ),
    );
}
