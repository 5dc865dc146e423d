import { TemperedError } from '../task/errors.js';

/** What is done to fix a store that can't be opened or written, by kind of trouble. */
const ELSEWHERE = 'Name another store with --store or TEMPERED_STORE.';

/** The `code` of a driver's or the system's error. */
export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

/** The text of anything thrown. */
function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A missing batch: a wrong id, or one whose loading failed. */
export function noSuchBatch(batchId: string): TemperedError {
  return new TemperedError('input', `There is no batch "${batchId}" in this store.`, {
    remedy: '`tempered status` lists the batches; --store or TEMPERED_STORE names another store.',
  });
}

/** A file that can't be opened or made. */
export function cannotOpen(error: unknown, file: string): TemperedError {
  return new TemperedError('permission', `${file} can't be opened or made: ${errorText(error)}.`, {
    remedy: `Check that file and folder are writable, and that the path isn't a folder. ${ELSEWHERE}`,
    cause: error,
  });
}

/** SQLite's and the file system's errors as a person understands them; others come back as they are. */
export function explainSqlite(error: unknown, file: string): unknown {
  if (error instanceof TemperedError) return error;
  const code = errorCode(error);
  const cause = { cause: error };
  if (code === 'SQLITE_FULL' || code === 'ENOSPC') {
    return new TemperedError('server_error', `The disk is full: ${file} can't grow.`, {
      remedy: 'Free some space and run the same command again: nothing that was stored is lost.',
      ...cause,
    });
  }
  if (code.startsWith('SQLITE_READONLY') || code === 'EACCES' || code === 'EROFS' || code === 'EPERM') {
    return new TemperedError('permission', `${file} or its folder is read-only.`, {
      remedy: `Make both writable for this user. ${ELSEWHERE}`,
      ...cause,
    });
  }
  if (code === 'SQLITE_NOTADB') {
    return new TemperedError('input', `${file} is not a Tempered store: it isn't a SQLite database.`, {
      remedy: ELSEWHERE,
      ...cause,
    });
  }
  if (code.startsWith('SQLITE_CORRUPT')) {
    return new TemperedError('server_error', `${file} is damaged: ${errorText(error)}.`, {
      remedy: `Restore a copy, or save what is readable with \`sqlite3 FILE .recover\`. ${ELSEWHERE}`,
      ...cause,
    });
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new TemperedError('overloaded', `${file} was locked by another program for too long.`, {
      remedy: 'Close programs that hold it open for writing (a database browser, a backup), then try again.',
      ...cause,
    });
  }
  if (code.startsWith('SQLITE_CANTOPEN') || code === 'ENOTDIR' || code === 'EEXIST' || code === 'EISDIR') {
    return cannotOpen(error, file);
  }
  if (code.startsWith('SQLITE_IOERR')) {
    return new TemperedError('server_error', `Reading or writing ${file} failed: ${errorText(error)}.`, {
      remedy: 'Check the disk and its free space, then run the same command again.',
      ...cause,
    });
  }
  return error;
}

const LOST_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ENOENT',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
]);

function isLost(code: string, text: string): boolean {
  return LOST_CODES.has(code) || code.startsWith('08') || /connection terminated|timeout exceeded when/i.test(text);
}

/** PostgreSQL's and the network's errors as a person understands them; others come back as they are. */
export function explainPostgres(error: unknown, url: string): unknown {
  if (error instanceof TemperedError) return error;
  const code = errorCode(error);
  const text = errorText(error);
  const cause = { cause: error };
  if (code.startsWith('28')) {
    return new TemperedError('authentication', `PostgreSQL at ${url} refuses the user or password.`, {
      remedy: 'Check user and password in TEMPERED_STORE (special characters must be percent-encoded) or PGPASSWORD.',
      ...cause,
    });
  }
  if (code === '3D000') {
    return new TemperedError('input', `PostgreSQL has no such database: ${url}.`, {
      remedy: 'Make it with `createdb`, or name another in TEMPERED_STORE.',
      ...cause,
    });
  }
  if (code === '42501' || code === '25006') {
    return new TemperedError('permission', `The PostgreSQL user may not write to ${url}: ${text}.`, {
      remedy: 'Grant it CREATE and USAGE on the schema, and connect to the primary, not a replica.',
      ...cause,
    });
  }
  if (code.startsWith('53')) {
    const category = code === '53300' ? 'overloaded' : 'server_error';
    return new TemperedError(category, `PostgreSQL at ${url} is out of resources: ${text}.`, {
      remedy: 'Free disk, memory or connections there; running batches continue by themselves.',
      ...cause,
    });
  }
  if (code === '40001' || code === '40P01') {
    return new TemperedError('overloaded', `PostgreSQL at ${url} gave up a transaction: ${text}.`, {
      remedy: 'Try again.',
      ...cause,
    });
  }
  if (isLost(code, text)) {
    return new TemperedError('network', `PostgreSQL at ${url} can't be reached: ${text || code}.`, {
      remedy: 'Check that it runs and that address and port in TEMPERED_STORE are right.',
      ...cause,
    });
  }
  return error;
}
