import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { TemperedError } from '../../task/errors.js';
import type { Json } from '../../task/json.js';
import { type CommandHost, type PlaceOptions, withPlace } from '../command.js';
import { EXIT, type ExitCode } from '../exit.js';
import { oneLine, plural } from '../format.js';
import type { Io } from '../io.js';
import { wholeNumber } from '../parse.js';
import { withTempered } from '../place.js';
import { steer } from '../steer.js';

/** Characters of an answer that are listed. */
const SHOWN_CHARS = 200;

interface AnswerOptions extends PlaceOptions {
  readonly output?: string;
  readonly file?: string;
  readonly by?: string;
  readonly task?: readonly string[];
}

/** Adds `answer`. */
export function addAnswer(program: Command, host: CommandHost): void {
  withPlace(program.command('answer'))
    .description("list what waits for a person, or answer a record in place of its outcome, fitting the task's schema")
    .argument('<batch>', 'id, a unique beginning of it, or latest')
    .argument('[index]', 'record, from 0; none: list those that wait', wholeNumber(0))
    .option('--output <json>', 'the answer')
    .option('--file <file>', 'file with the answer')
    .option('--by <name>', 'who answers')
    .option('--task <file...>', 'task files with functions this batch needs')
    .action((name: string, index: number | undefined, options: AnswerOptions) =>
      host.run(options.json === true, async (io) => {
        if (index === undefined) return list(io, name, options);
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

async function list(io: Io, name: string, options: AnswerOptions): Promise<ExitCode> {
  if (options.output !== undefined || options.file !== undefined) {
    throw new TemperedError('input', 'Which record is answered? Name its index: tempered answer BATCH INDEX …');
  }
  return withTempered(io, options, async (tempered) => {
    const batch = await tempered.findBatch(name);
    const waiting = [];
    for await (const { index, id, output, error } of batch.outcomes({ category: 'review' })) {
      waiting.push({ index, id, output, reason: error?.message ?? '' });
    }
    for (const { index, id, output, reason } of waiting) {
      const name = id === String(index) ? '' : ` (${id})`;
      io.say(`record ${index}${name}: ${oneLine(reason)}`);
      io.say(`  ${oneLine(JSON.stringify(output)).slice(0, SHOWN_CHARS)}`);
    }
    io.say(
      waiting.length === 0
        ? `Nothing of ${batch.id} waits for a person.`
        : `${plural(waiting.length, 'record')} to answer: tempered answer ${batch.id} ${waiting[0]?.index} --output JSON`,
    );
    io.result({ batchId: batch.id, waiting });
    return EXIT.ok;
  });
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
