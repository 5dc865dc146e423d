import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { type Environments, environmentsSchema } from '../caching/environments.js';
import { didYouMean } from '../task/nearest.js';
import { CIRCUIT_DEFAULTS } from '../limits/circuit.js';
import type { ListenerConfigs } from '../activities/notifier.js';
import type { PoolConfigs } from '../limits/poolBook.js';
import type { CircuitSettings } from '../limits/types.js';
import { type EndpointConfigs, endpointsSchema } from '../providers/providerSet.js';
import { USER_MODEL_MEMBERS, type UserModels, userModelsSchema } from '../models/userModels.js';
import { TemperedError } from '../task/errors.js';
import { errorCode } from './data/fileErrors.js';

const NAMES = ['tempered.config.json', 'tempered.config.yaml', 'tempered.config.yml'] as const;

const perMinute = z.number().positive();

const poolSchema = z.strictObject({
  models: z
    .array(z.string().regex(/^[^/\s]+\/\S+$/, 'a model is written provider/model'))
    .min(1)
    .exactOptional(),
  rpm: perMinute.exactOptional(),
  tpm: perMinute.exactOptional(),
  inputTpm: perMinute.exactOptional(),
  outputTpm: perMinute.exactOptional(),
  inFlight: z.int().min(1).exactOptional(),
  perDayUsd: z.number().positive().exactOptional(),
  dayStart: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day is written HH:MM')
    .exactOptional(),
});

const circuitSchema = z
  .strictObject({
    failures: z.int().min(1).default(CIRCUIT_DEFAULTS.failures),
    openSeconds: z
      .number()
      .positive()
      .default(CIRCUIT_DEFAULTS.openMs / 1000),
  })
  .transform(({ failures, openSeconds }): CircuitSettings => ({ failures, openMs: openSeconds * 1000 }));
const variable = z.string().regex(/^[A-Za-z_]\w*$/, 'write the name of a variable');

const listenerSchema = z
  .strictObject({
    events: z
      .array(z.enum(['finish', 'pause']))
      .min(1)
      .exactOptional(),
    url: z.url({ protocol: /^https?$/ }).exactOptional(),
    urlEnv: variable.exactOptional(),
    secretEnv: variable.exactOptional(),
    command: z.array(z.string().min(1)).min(1).exactOptional(),
  })
  .refine(({ url, urlEnv, command }) => [url, urlEnv, command].filter((one) => one !== undefined).length === 1, {
    error: 'it has one of url, urlEnv and command',
  })
  .refine(({ command, secretEnv }) => (command === undefined) === (secretEnv !== undefined), {
    error: 'a webhook is signed with the secret in the variable secretEnv, a command is not',
  });

const configSchema = z.strictObject({
  providers: endpointsSchema.default({}),
  pools: z.record(z.string().min(1), poolSchema).default({}),
  circuitBreaker: circuitSchema.exactOptional(),
  models: userModelsSchema.default({}),
  notify: z.record(z.string().min(1), listenerSchema).exactOptional(),
  defaultModel: z
    .string()
    .regex(/^[^/\s]+\/\S+$/, 'write provider/model')
    .optional(),
  environments: environmentsSchema.exactOptional(),
});

/** Every member the file can have, for near names. */
const MEMBERS: readonly string[] = [
  ...Object.keys(configSchema.shape),
  ...['kind', 'baseUrl', 'apiKeyEnv'],
  ...Object.keys(poolSchema.shape),
  ...['failures', 'openSeconds'],
  ...Object.keys(listenerSchema.shape),
  ...USER_MODEL_MEMBERS,
];

/** The form of the file, for errors. */
const KNOWN =
  'Known: providers: {NAME: {kind, baseUrl, apiKeyEnv}}, pools: {NAME: {models, rpm, tpm, inputTpm, outputTpm, inFlight, perDayUsd, dayStart}}, circuitBreaker: {failures, openSeconds}, models: {PROVIDER/MODEL: {…}}, notify: {NAME: {events, url, urlEnv, secretEnv, command}}, defaultModel, environments: {NAME: {documents, services, purposes}}.';

/** What `tempered.config.{json,yaml}` sets for every command in its folder. */
export interface NodeConfig {
  /** Endpoints beside the built-in ones, by the name that stands before the slash of a model. */
  readonly providers: EndpointConfigs;
  /** Quotas of provider accounts and model classes. */
  readonly pools: PoolConfigs;
  /** When an endpoint counts as down. */
  readonly circuitBreaker?: CircuitSettings;
  /** What the user knows of models, prices included, by `provider/model`. */
  readonly models: UserModels;
  /** Who is told of pauses and ends of batches, by name. */
  readonly notify?: ListenerConfigs;
  /** The model of handles that name none, `provider/model`. */
  readonly defaultModel?: string | undefined;
  /** How prompts are made cheaper, by environment. */
  readonly environments?: Environments;
}

/**
 * Reads `tempered.config.json`, `.yaml` or `.yml` of a folder; without one, the defaults. Throws `input` with file and
 * line for anything in it that is not known, and for a key: files name the variable that holds it.
 */
export async function loadNodeConfig(folder: string = process.cwd()): Promise<NodeConfig> {
  const found: { file: string; text: string }[] = [];
  for (const name of NAMES) {
    const text = await readIfThere(path.join(folder, name));
    if (text !== undefined) found.push({ file: name, text });
  }
  const [first, second] = found;
  if (first === undefined) return { providers: {}, pools: {}, models: {} };
  if (second !== undefined) {
    throw problem(first.file, undefined, `There is ${second.file} too.`, 'Keep one of the two.');
  }
  return parseNodeConfig(first.file, first.text);
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return undefined;
    throw new TemperedError('input', `The file can't be read: ${code ?? String(error)}.`, {
      place: { file },
      remedy: 'Make it a readable file.',
      cause: error,
    });
  }
}

/** JSON is read as YAML too: its errors and members then have lines. */
async function parseNodeConfig(file: string, text: string): Promise<NodeConfig> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text.replace(/^\uFEFF/, ''));
  const lineAt = (offset: number) => text.slice(0, offset).split('\n').length;
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    const [what = syntax.code] = syntax.message.split('\n');
    throw problem(file, lineAt(syntax.pos[0]), what.replace(/:$/, ''), 'Correct it there.');
  }
  const value: unknown = document.toJS();
  const parsed = configSchema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  // A member that is spelled wrong is often missing under its right name too: the first is what helps.
  const { issues } = parsed.error;
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  const keys = issue?.code === 'unrecognized_keys' ? issue.keys : [];
  const at = [...(issue?.path ?? []), ...keys.slice(0, 1)];
  const node: unknown = document.getIn(at, true);
  const line = hasRange(node) ? lineAt(node.range[0]) : undefined;
  const key = keys.find((name) => /^api_?key$/i.test(name));
  if (key !== undefined) {
    const remedy = 'Put the key into a variable and name it here: "apiKeyEnv": "MY_API_KEY".';
    throw problem(file, line, `A key must not stand in a file: ${at.join('.')}.`, remedy);
  }
  const [unknownKey] = keys;
  if (unknownKey !== undefined) {
    const message = `"${at.join('.')}" is not known.${didYouMean(unknownKey, MEMBERS)}`;
    throw problem(file, line, message, KNOWN);
  }
  const message = `${at.join('.') || 'The file'}: ${issue?.message ?? 'is not valid'}`;
  throw problem(file, line, message, KNOWN);
}

function hasRange(node: unknown): node is { range: readonly [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}

function problem(file: string, line: number | undefined, message: string, remedy: string): TemperedError {
  return new TemperedError('input', message, { place: line === undefined ? { file } : { file, line }, remedy });
}
