import type { Command } from 'commander';
import { isEnded } from '../../client/settled.js';
import { type CommandHost, type PlaceOptions, withPlace } from '../command.js';
import { EXIT } from '../exit.js';
import { plural } from '../format.js';
import { wholeNumber } from '../parse.js';
import { steer } from '../steer.js';

/** Adds `cancel`. */
export function addCancel(program: Command, host: CommandHost): void {
  withPlace(program.command('cancel'))
    .description('end a batch, or one of its records, now; what is done stays')
    .argument('<batch>', 'id, a unique beginning of it, or latest')
    .option('--item <index>', 'only this record', wholeNumber(0))
    .action((name: string, options: PlaceOptions & { readonly item?: number }) =>
      host.run(options.json === true, (io) =>
        steer(io, name, options, async ({ batch }) => {
          if (options.item !== undefined) {
            await batch.cancelItem(options.item);
            io.say(
              `Record ${options.item} of ${batch.id} ends: as notRun when it was not asked yet, else as failed. One that had ended stays as it is.`,
            );
            io.result({ batchId: batch.id, item: options.item });
            return EXIT.ok;
          }
          const { status } = await batch.progress();
          if (!isEnded(status)) await batch.cancel();
          const summary = await batch.result();
          const { succeeded, notRun } = summary;
          const counts = `${plural(succeeded, 'record')} succeeded, ${notRun} not run`;
          io.say(`${batch.id} is ${summary.status}: ${counts}. Its results: tempered results ${batch.id}`);
          io.result(summary);
          return EXIT.ok;
        }),
      ),
    );
}
