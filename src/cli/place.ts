import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { DEFAULT_FOLDER } from '../client/openContext.js';
import { openTempered, type Tempered } from '../client/tempered.js';
import type { PlaceOptions } from './command.js';
import type { Io } from './io.js';

/** Opens store and server of a command, closes them whatever happens. */
export async function withTempered<T>(
  io: Io,
  { address, store }: PlaceOptions,
  work: (tempered: Tempered) => Promise<T>,
): Promise<T> {
  const tempered = await openTempered({ address, store, onProgress: (line) => io.warn(line) });
  try {
    return await work(tempered);
  } finally {
    await tempered.close();
  }
}

/**
 * Writes the Temporal SDK's warnings to a file, so that they don't tear the panel. Where it can't be written (a full
 * disk), the batch goes on without it, and a person is told once, with the first warning.
 */
export function workerLog(io: Io): (line: string) => void {
  const file = path.join(DEFAULT_FOLDER, 'worker.log');
  let told = false;
  return (line) => {
    try {
      mkdirSync(DEFAULT_FOLDER, { recursive: true });
      appendFileSync(file, `${line}\n`);
    } catch (error) {
      if (!told)
        io.warn(`${file} can't be written: ${error instanceof Error ? error.message : String(error)}\n${line}`);
      told = true;
    }
  };
}
