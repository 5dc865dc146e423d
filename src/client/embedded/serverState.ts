import { mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { ERROR_CATEGORIES } from '../../task/errors.js';
import { errorCode, explainWrite } from '../data/fileErrors.js';
import { processSchema } from './processes.js';

const stateSchema = z.object({
  status: z.enum(['starting', 'ready', 'stopped', 'failed']),
  keeper: processSchema,
  server: processSchema.nullable(),
  port: z.int(),
  uiPort: z.int(),
  // No server has been ready on the database yet: a start that was cut short may have left it without its tables.
  isNew: z.boolean(),
  error: z
    .object({ category: z.enum(ERROR_CATEGORIES), message: z.string(), remedy: z.string() })
    .nullable()
    .default(null),
});

/** What `server.json` records of a folder's embedded server; written by its keeper alone. */
export type ServerState = z.infer<typeof stateSchema>;

/** Files of a folder's embedded server. */
export interface ServerFiles {
  /** The folder, absolute and without symbolic links. */
  readonly folder: string;
  /** Temporal's state. */
  readonly database: string;
  /** {@link ServerState}. */
  readonly state: string;
  /** Locked by the keeper as long as it lives. */
  readonly lock: string;
  /** Output of server and keeper. */
  readonly log: string;
  /** Its time is when a client last used the server. */
  readonly used: string;
}

/** Makes the folder if need be. Throws `input` when it can't be made or written. */
export async function serverFiles(folder: string): Promise<ServerFiles> {
  try {
    await mkdir(folder, { recursive: true });
    const files = filesOf(await realpath(folder));
    await touch(files);
    return files;
  } catch (error) {
    throw explainWrite(path.join(folder, 'server.json'), error);
  }
}

/** The files of a folder that exists; undefined when it doesn't. */
export async function existingServerFiles(folder: string): Promise<ServerFiles | undefined> {
  try {
    return filesOf(await realpath(folder));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The files of a folder whose real path is known. */
export function filesOf(folder: string): ServerFiles {
  const at = (name: string) => path.join(folder, name);
  return {
    folder,
    database: at('temporal.db'),
    state: at('server.json'),
    lock: at('server.lock'),
    log: at('server.log'),
    used: at('server.used'),
  };
}

/** The recorded state; undefined when there is none or nobody could read it. */
export async function readState(files: ServerFiles): Promise<ServerState | undefined> {
  try {
    const parsed = stateSchema.safeParse(JSON.parse(await readFile(files.state, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Records the state; readers see the old or the new one, whole. */
export async function writeState(files: ServerFiles, state: ServerState): Promise<void> {
  const beside = `${files.state}.tmp`;
  await writeFile(beside, `${JSON.stringify(state, null, 2)}\n`);
  await rename(beside, files.state);
}

/** Notes that a client uses the server now. */
export async function touch(files: ServerFiles): Promise<void> {
  await writeFile(files.used, `${new Date().toISOString()}\n`);
}

/** When a client last used the server; milliseconds since epoch. */
export async function lastUsed(files: ServerFiles): Promise<number> {
  return (await stat(files.used)).mtimeMs;
}
