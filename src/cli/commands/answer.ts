import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { TemperedError } from '../../task/errors.js';
import type { Json } from '../../task/json.js';
import { type CommandHost, type PlaceOptions, withPlace } from '../command.js';
import { EXIT } from '../exit.js';
import { wholeNumber } from '../parse.js';
import { steer } from '../steer.js';

interface AnswerOptions extends PlaceOptions {
  readonly output?: string;
  readonly file?: string;
  readonly by?: string;
  readonly task?: readonly string[];
}

/** Adds `answer`. */
export function addAnswer(program: Command, host: CommandHost): void {
  withPlace(program.command('answer'))
    .description("a person's answer for a record, in place of its outcome; it must fit the task's schema")
    .argument('<batch>', 'id, a unique beginning of it, or latest')
    .argument('<index>', 'record, from 0', wholeNumber(0))
    .option('--output <json>', 'the answer')
    .option('--file <file>', 'file with the answer')
    .option('--by <name>', 'who answers')
    .option('--task <file...>', 'task files with functions this batch needs')
    .action((name: string, index: number, options: AnswerOptions) =>
      host.run(options.json === true, async (io) => {
        const output = await readOutput(options);
        return steer(
          io,
          name,
          options,
          async ({ batch }) => {
            await batch.answer(index, output, options.by);
            io.say(`Record ${index} of ${batch.id} is answered.`);
            io.result({ batchId: batch.id, index, status: 'succeeded' });
            return EXIT.ok;
          },
          options.task,
        );
      }),
    );
}

async function readOutput({ output, file }: AnswerOptions): Promise<Json> {
  if ((output === undefined) === (file === undefined)) {
    throw new TemperedError('input', 'Give the answer with --output JSON or --file FILE, one of the two.');
  }
  const text = output ?? (await readText(file ?? ''));
  const place = { file: file ?? '--output' };
  try {
    return z.json().parse(JSON.parse(text));
  } catch (cause) {
    const remedy = 'Text answers are JSON too: write them in quotes, such as \'"yes"\'.';
    throw new TemperedError('input', `The answer is not JSON: ${text.slice(0, 80)}`, { place, remedy, cause });
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new TemperedError('input', 'The file cannot be read.', { place: { file }, cause });
  }
}
