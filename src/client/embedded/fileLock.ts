import Database from 'libsql';
import { errorCode } from '../data/fileErrors.js';

/**
 * Locks a SQLite file for this process alone. The operating system drops the lock when the process ends, however it
 * ends, so there is no stale one. Returns what releases it; undefined when another process has the file open.
 */
export function lockDatabase(file: string): (() => void) | undefined {
  const database = new Database(file, { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (errorCode(error)?.startsWith('SQLITE_BUSY') === true) return undefined;
    throw error;
  }
  return () => database.close();
}
