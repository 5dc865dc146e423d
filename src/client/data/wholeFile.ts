import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { errorCode, explainWrite } from './fileErrors.js';

/**
 * Makes a file appear whole or not at all: `write` fills a file beside it, which is put on disk and renamed. When
 * anything fails, the file that was there stays as it was. Throws `input` for a full disk or a folder that can't be
 * written.
 */
export async function writeWhole<T>(file: string, write: (beside: string) => Promise<T>): Promise<T> {
  const beside = besides(file);
  try {
    const result = await write(beside);
    await sync(beside);
    await rename(beside, file);
    return result;
  } catch (error) {
    throw explainWrite(file, error);
  } finally {
    await dropBeside(beside);
  }
}

/** A name in the same folder that nobody else uses. */
export function besides(file: string): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.${randomUUID().slice(0, 8)}.tmp`);
}

/** Removes a file beside, if it was made. */
export async function dropBeside(beside: string): Promise<void> {
  try {
    await rm(beside, { force: true });
  } catch (error) {
    // Its folder is none: then nothing was made, and what happened before is what a person must hear.
    if (errorCode(error) !== 'ENOTDIR') throw error;
  }
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
