import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import * as zod from 'zod';
import { type AnyTask, isTask } from './defineTask.js';
import { type Place, TemperedError, thrownText } from './errors.js';
import { parseJson } from './json.js';
import { jsonErrorAt } from './jsonError.js';
import { parseTaskFile } from './taskFile.js';

const MODULES = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];
const YAML = ['.yaml', '.yml'];

/**
 * The task in a file: a TypeScript or JavaScript module with a task as its default export, or JSON or YAML. Throws
 * `TemperedError` (`input`) with file, line where it is known, and remedy.
 */
export async function loadTask(file: string): Promise<AnyTask> {
  const extension = path.extname(file).toLowerCase();
  const place: Place = { file };
  if (![...MODULES, ...YAML, '.json'].includes(extension)) {
    throw new TemperedError(
      'input',
      `A task is not written in ${extension === '' ? 'such a' : `a ${extension}`} file.`,
      {
        remedy: 'Use .ts, .js, .mjs, .mts, .json, .yaml or .yml.',
        place,
      },
    );
  }
  const text = await readText(file, place);
  if (MODULES.includes(extension)) return loadModule(file, place);
  return parseTaskFile(extension === '.json' ? jsonOf(text, place) : await yamlOf(text, place), place);
}

async function readText(file: string, place: Place): Promise<string> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (cause) {
    const missing = isObject(cause) && cause['code'] === 'ENOENT';
    const said = missing ? 'There is no such file.' : `The file can't be read: ${thrownText(cause)}`;
    const remedy = missing ? 'Check the path, or make a first task with `tempered init`.' : 'Check the path.';
    throw new TemperedError('input', said, { cause, remedy, place });
  }
  if (text.trim() !== '') return text;
  throw new TemperedError('input', 'The file is empty.', { remedy: 'Make a first task with `tempered init`.', place });
}

function jsonOf(text: string, place: Place): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    const before = text.slice(0, jsonErrorAt(text));
    throw syntaxError(thrownText(cause), before.split('\n').length, place, cause);
  }
}

async function yamlOf(text: string, place: Place): Promise<unknown> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) {
    throw syntaxError(error.message.split('\n')[0] ?? error.code, error.linePos?.[0].line, place, error);
  }
  const value: unknown = document.toJS();
  return value;
}

function syntaxError(text: string, line: number | undefined, { file }: Place, cause: unknown): TemperedError {
  const place: Place = line === undefined ? { file } : { file, line };
  return new TemperedError('input', `The file has a syntax error: ${text.replace(/\.$/, '')}.`, {
    cause,
    remedy: 'Correct it there.',
    place,
  });
}

async function loadModule(file: string, place: Place): Promise<AnyTask> {
  const { createJiti } = await import('jiti');
  // A task's `tempered` is this very package, wherever the task file lies.
  const entry: unknown = await import('tempered');
  const virtualModules = { tempered: entry, ...(hasZod(file) ? {} : { zod }) };
  const jiti = createJiti(import.meta.url, { virtualModules, fsCache: false });
  let loaded: unknown;
  try {
    loaded = await jiti.import(path.resolve(file), { default: true });
  } catch (cause) {
    throw moduleError(cause, file, place);
  }
  if (isTask(loaded)) return loaded;
  throw new TemperedError('input', 'The module has no task as its default export.', {
    remedy: 'Write `export default defineTask({ … })`.',
    place,
  });
}

/** A task in a folder where nothing is installed gets our zod. */
function hasZod(file: string): boolean {
  try {
    return createRequire(path.resolve(file)).resolve('zod') !== '';
  } catch {
    return false;
  }
}

function moduleError(cause: unknown, file: string, place: Place): TemperedError {
  if (cause instanceof TemperedError) {
    return new TemperedError(cause.category, cause.message, { ...cause.options, place: cause.options.place ?? place });
  }
  const text = thrownText(cause);
  const syntax = /^(?:ParseError|SyntaxError): (.*?)\s*\n\s*(\S+):(\d+):\d+/.exec(text);
  if (syntax !== null) {
    const [, said = '', at = '', line] = syntax;
    const own = path.basename(at) === path.basename(file);
    return syntaxError(said, Number(line), own ? place : { file: at }, cause);
  }
  const line = lineIn(cause, file);
  return new TemperedError('input', `The module could not be loaded: ${text.split('\n')[0] ?? text}`, {
    cause,
    remedy: /cannot find (module|package)/i.test(text)
      ? 'Install what it imports, next to the task.'
      : 'Correct it there.',
    place: line === undefined ? place : { file: place.file, line },
  });
}

/** The line of `file` that an error's stack names first. */
function lineIn(cause: unknown, file: string): number | undefined {
  const stack = isObject(cause) ? String(cause['stack']) : '';
  const found = stack.split('\n').find((frame) => frame.includes(path.basename(file)));
  const line = /:(\d+):\d+\)?$/.exec(found ?? '')?.[1];
  return line === undefined ? undefined : Number(line);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
