import type { Command } from 'commander';
import { openDataset } from '../../client/data/index.js';
import type { BatchHandle } from '../../client/handle.js';
import { TemperedError } from '../../task/errors.js';
import { type CommandHost, type PlaceOptions, withPlace } from '../command.js';
import { EXIT } from '../exit.js';
import { plural } from '../format.js';
import { idleNote, steer } from '../steer.js';

/** Adds `add`. */
export function addAdd(program: Command, host: CommandHost): void {
  withPlace(program.command('add'))
    .description('add records to a batch that was started with --open; the same file adds once')
    .argument('<batch>', 'id, a unique beginning of it, or latest')
    .argument('[file]', 'records: .jsonl, .csv, .parquet')
    .option('--close', 'no more will come: the batch finishes when it has done them')
    .action((name: string, file: string | undefined, options: PlaceOptions & { readonly close?: boolean }) =>
      host.run(options.json === true, (io) =>
        steer(io, name, options, async (steering) => {
          const { batch } = steering;
          if (file === undefined && options.close !== true) {
            throw new TemperedError('input', 'Name a file with records, or --close.');
          }
          const added = file === undefined ? 0 : await addFile(batch, file);
          if (options.close === true) await batch.closeInput();
          if (file !== undefined) io.say(`${plural(added, 'record')} sent to ${batch.id}.`);
          if (options.close === true) io.say(`The input of ${batch.id} is closed.`);
          idleNote(steering).forEach((line) => io.say(line));
          io.result({ batchId: batch.id, added, closed: options.close === true });
          return EXIT.ok;
        }),
      ),
    );
}

async function addFile(batch: BatchHandle, file: string): Promise<number> {
  const dataset = await openDataset(file, { onBad: 'fail' });
  const values = async function* () {
    for await (const { value } of dataset.records()) yield value;
  };
  return batch.addItems(values(), { clientKey: dataset.hash });
}
