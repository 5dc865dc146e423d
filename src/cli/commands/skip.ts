import type { Command } from 'commander';
import { type CommandHost, type PlaceOptions, withPlace } from '../command.js';
import { EXIT } from '../exit.js';
import { wholeNumber } from '../parse.js';
import { steer } from '../steer.js';

/** Adds `skip`. */
export function addSkip(program: Command, host: CommandHost): void {
  withPlace(program.command('skip'))
    .description('end a record whose workflow runs, at once: no more prompts for it')
    .argument('<batch>', 'id, a unique beginning of it, or latest')
    .argument('<index>', 'its place in the input, from 0', wholeNumber(0))
    .action((name: string, index: number, options: PlaceOptions) =>
      host.run(options.json === true, (io) =>
        steer(io, name, options, async ({ batch }) => {
          await batch.skip(index);
          io.say(`Record ${index} of ${batch.id} is skipped; what it cost so far stays counted.`);
          io.result({ batchId: batch.id, item: index });
          return EXIT.ok;
        }),
      ),
    );
}
