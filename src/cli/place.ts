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

/** Writes the Temporal SDK's warnings to a file, so that they don't tear the panel. */
export function workerLog(): (line: string) => void {
  const file = path.join(DEFAULT_FOLDER, 'worker.log');
  return (line) => {
    mkdirSync(DEFAULT_FOLDER, { recursive: true });
    appendFileSync(file, `${line}\n`);
  };
}
