import path from 'node:path';
import { TemperedError } from '../../task/errors.js';

/** The operating system's code of an error (`ENOENT`, …), if it has one. */
export function errorCode(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** What a failure to write below a folder means for a person; errors that are none of the disk's are kept. */
export function explainWrite(file: string, error: unknown): unknown {
  const folder = path.dirname(path.resolve(file));
  const explained = (message: string, remedy: string) =>
    new TemperedError('input', message, { place: { file }, remedy, cause: error });
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return explained(`The disk of ${folder} is full.`, 'Free some space, or write somewhere else.');
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return explained(`Nothing can be written in ${folder}.`, 'Make the folder writable, or write somewhere else.');
    case 'ENOENT':
      return explained(`There is no folder ${folder}.`, 'Make it first, or write somewhere else.');
    case 'ENOTDIR':
    case 'EEXIST':
      return explained(`${folder} is not a folder.`, 'Write somewhere else.');
    case 'EISDIR':
      return explained('This is a folder.', 'Name a file.');
    default:
      return error;
  }
}
