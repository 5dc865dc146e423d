import type { Command } from 'commander';
import { pauseText } from '../view.js';
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
          const before = (await batch.progress()).paused?.since;
          await batch.resume();
          // What paused it may do so again before anybody looks.
          const snapshot = await shown(batch, ({ paused, status }) =>
            paused === null ? status !== 'paused' : paused.since !== before,
          );
          const { paused, status } = snapshot;
          io.say(paused === null ? `${batch.id} is ${status}.` : `${batch.id} paused again: ${pauseText(snapshot)}`);
          idleNote(steering).forEach((line) => io.say(line));
          io.result({ batchId: batch.id, status: snapshot.status });
          return EXIT.ok;
        }),
      ),
    );
}
