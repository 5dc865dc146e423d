import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { type CallResult, callModel } from '../../client/callModel.js';
import { count } from '../../task/digits.js';
import { TemperedError } from '../../task/errors.js';
import type { JsonObject } from '../../task/json.js';
import { type CommandHost, type CommonOptions, withJson } from '../command.js';
import { EXIT } from '../exit.js';
import { money } from '../format.js';
import type { Io } from '../io.js';
import { wholeNumber } from '../parse.js';

interface CallCommandOptions extends CommonOptions {
  readonly model: string;
  readonly prompt: string;
  readonly system?: string;
  readonly schema?: string;
  readonly temperature?: number;
  readonly maxOutputTokens?: number;
}

/** Adds `call`. */
export function addCall(program: Command, host: CommandHost): void {
  withJson(program.command('call'))
    .description('ask a model once: exactly one request, no retries, no Temporal')
    .requiredOption('--model <provider/model>', 'model to ask')
    .requiredOption('--prompt <text>', 'what to ask')
    .option('--system <text>', 'system prompt')
    .option('--schema <file>', 'JSON Schema of the answer')
    .option('--temperature <t>', 'sampling temperature, 0 to 2; left out for models that take none', temperature)
    .option('--max-output-tokens <n>', 'most tokens to generate (default: 1024)', wholeNumber(1))
    .action((options: CallCommandOptions) =>
      host.run(options.json === true, async (io) => {
        const { schema: file, model, prompt, ...rest } = options;
        const schema = file === undefined ? {} : { schema: await readSchema(file) };
        const result = await callModel({ model, prompt, ...optional(rest), ...schema });
        tell(io, result);
        io.result(result);
        return result.ok ? EXIT.ok : EXIT.failures;
      }),
    );
}

/** The options that were given. */
function optional({ system, temperature: degree, maxOutputTokens }: Omit<CallCommandOptions, 'model' | 'prompt'>) {
  return {
    ...(system === undefined ? {} : { system }),
    ...(degree === undefined ? {} : { temperature: degree }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
  };
}

function tell(io: Io, result: CallResult): void {
  if (result.ok) {
    io.say(typeof result.output === 'string' ? result.output : JSON.stringify(result.output, null, 2));
    const usage = result.usage === null ? 'usage unknown' : tokens(result.usage);
    io.warn(
      `${result.model ?? result.requestedModel}: ${usage}, ${money(result.costUsd)}, ${Math.round(result.latencyMs)} ms`,
    );
    return;
  }
  const { error, text, usage } = result;
  io.warn(`${error.category}: ${error.message}`);
  if (text !== undefined) io.say(text);
  if (usage !== undefined) io.warn(tokens(usage));
}

function tokens({
  inputTokens,
  outputTokens,
}: {
  readonly inputTokens: number;
  readonly outputTokens: number;
}): string {
  return `${count(inputTokens)} tokens in, ${count(outputTokens)} out`;
}

function temperature(text: string): number {
  const value = Number(text);
  if (text !== '' && value >= 0 && value <= 2) return value;
  throw new InvalidArgumentError('It wants a number from 0 to 2.');
}

async function readSchema(file: string): Promise<JsonObject> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new TemperedError('input', 'The schema file cannot be read.', { place: { file }, cause });
  }
  try {
    return z.record(z.string(), z.json()).parse(JSON.parse(text));
  } catch (cause) {
    throw new TemperedError('input', 'The file is no JSON Schema: it wants a JSON object.', { place: { file }, cause });
  }
}
