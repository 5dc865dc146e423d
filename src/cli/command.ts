import type { Command } from 'commander';
import type { ExitCode } from './exit.js';
import type { Io } from './io.js';

/** Options that every command takes. */
export interface CommonOptions {
  /** One JSON object as the last line of stdout. */
  readonly json?: boolean;
}

/** Options of commands that reach the store and the server. */
export interface PlaceOptions extends CommonOptions {
  /** Temporal server. */
  readonly address?: string;
  /** Store. */
  readonly store?: string;
}

/** Where a command leaves its exit code for the end of the process. */
export interface CommandHost {
  /** Takes a command's work; its exit code is the process's. */
  run(json: boolean, work: (io: Io) => Promise<ExitCode>): Promise<void>;
}

/** Adds `--json`. */
export function withJson(command: Command): Command {
  return command.option('--json', 'one JSON object as the last line of stdout; text goes to stderr');
}

/** Adds `--json`, `--store` and `--address`. */
export function withPlace(command: Command): Command {
  return withJson(command)
    .option('--store <url>', 'sqlite:path or postgres://… (default: TEMPERED_STORE, else sqlite:.tempered/store.db)')
    .option('--address <host:port>', 'Temporal server (default: TEMPORAL_ADDRESS or profile, else the embedded one)');
}

/** Quotes a word for a shell when it needs it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;
}
