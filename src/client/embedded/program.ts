import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { TemperedError } from '../../task/errors.js';
import { explainWrite } from '../data/fileErrors.js';
import { buildProgram, downloadProgram } from './fetching.js';

/** Longest wait for a program to tell its version; milliseconds. */
const VERSION_LIMIT_MS = 20_000;

const NAME = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

/** How the program is obtained. */
export interface ObtainOptions {
  /** Environment: TEMPORAL_CLI_PATH, PATH, XDG_CACHE_HOME. */
  readonly env: NodeJS.ProcessEnv;
  /** Told what takes long. */
  readonly onProgress: (line: string) => void;
}

/**
 * Path of the Temporal CLI, which holds the embedded server: TEMPORAL_CLI_PATH, `temporal` on PATH, our cache, the
 * Temporal SDK's download, or built by Go; the last two into our cache. Throws `input` for a TEMPORAL_CLI_PATH that is
 * no program, `network` with the choices when none of them works.
 */
export async function obtainProgram({ env, onProgress }: ObtainOptions): Promise<string> {
  const given = env['TEMPORAL_CLI_PATH'];
  if (given !== undefined && given !== '') return checkedProgram(given);
  const cached = path.join(cacheFolder(env), NAME);
  const found = (await onPath(NAME, env)) ?? cached;
  if (await isTemporal(found)) return found;
  if (found !== cached && (await isTemporal(cached))) return cached;
  return fetchProgram(cached, { env, onProgress });
}

async function fetchProgram(cached: string, { env, onProgress }: ObtainOptions): Promise<string> {
  onProgress('There is no Temporal server program on this machine yet. It is obtained once, for all folders.');
  const reasons: string[] = [];
  const go = await onPath(process.platform === 'win32' ? 'go.exe' : 'go', env);
  for (const attempt of [
    () => downloadProgram(cached, env, onProgress),
    ...(go === undefined ? [] : [() => buildProgram(go, cached, env, onProgress)]),
  ]) {
    try {
      await attempt();
      if (await isTemporal(cached)) return cached;
      reasons.push(`${cached} does not run on this machine`);
    } catch (error) {
      const explained = explainWrite(cached, error);
      if (explained instanceof TemperedError) throw explained;
      reasons.push(error instanceof Error ? error.message : String(error));
    }
    onProgress(`That did not work: ${reasons.at(-1) ?? ''}`);
  }
  if (go === undefined) reasons.push('there is no Go to build it with');
  throw notObtained(reasons);
}

function notObtained(reasons: readonly string[]): TemperedError {
  const remedy = [
    'Choose one:',
    '- install the Temporal CLI (https://docs.temporal.io/cli), so that `temporal` is on PATH;',
    '- set TEMPORAL_CLI_PATH to a copy of it;',
    '- install Go 1.24 or newer (https://go.dev/dl) and try again: the program is then built;',
    '- set TEMPORAL_ADDRESS to a Temporal server that runs already.',
  ].join('\n  ');
  return new TemperedError('network', `Temporal's program could not be obtained: ${reasons.join('; ')}.`, { remedy });
}

async function checkedProgram(given: string): Promise<string> {
  const program = path.resolve(given);
  if (await isTemporal(program)) return program;
  throw new TemperedError('input', `TEMPORAL_CLI_PATH is ${given}, which is no Temporal CLI that runs here.`, {
    remedy: 'Let it name the program `temporal` (https://docs.temporal.io/cli), or unset it.',
  });
}

/** Where programs we obtained are kept. */
function cacheFolder(env: NodeJS.ProcessEnv): string {
  return path.join(env['XDG_CACHE_HOME'] ?? path.join(env['HOME'] ?? homedir(), '.cache'), 'tempered');
}

async function onPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(path.delimiter)) {
    const file = path.join(folder, name);
    if (folder !== '' && (await isExecutable(file))) return file;
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

async function isTemporal(program: string): Promise<boolean> {
  if (!(await isExecutable(program))) return false;
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: VERSION_LIMIT_MS });
    return /^temporal version/im.test(stdout);
  } catch {
    return false;
  }
}
