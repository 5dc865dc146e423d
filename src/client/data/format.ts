import path from 'node:path';
import { didYouMean } from '../../task/nearest.js';
import { TemperedError } from '../../task/errors.js';

/** How a data set's file is laid out. `json`: one JSON array of records, or JSON Lines after all. */
export type DataFormat = 'jsonl' | 'json' | 'csv' | 'tsv' | 'parquet';

/** How outcomes can be written. */
export type OutcomeFormat = 'jsonl' | 'csv' | 'parquet';

const READABLE = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.json': 'json',
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.parquet': 'parquet',
} as const satisfies Record<string, DataFormat>;

const WRITABLE = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.csv': 'csv',
  '.parquet': 'parquet',
} as const satisfies Record<string, OutcomeFormat>;

const COMPRESSED: readonly string[] = ['.gz', '.zip', '.zst', '.bz2', '.xz'];

/** The format of a data file by its extension. Throws `input` for one that can't be read. */
export function dataFormat(file: string): DataFormat {
  const extension = path.extname(file).toLowerCase();
  const found = Object.entries(READABLE).find(([known]) => known === extension);
  if (found !== undefined) return found[1];
  if (COMPRESSED.includes(extension)) {
    throw new TemperedError('input', 'Compressed files are not read.', {
      place: { file },
      remedy: 'Unpack it first.',
    });
  }
  throw unknownExtension(file, extension, Object.keys(READABLE), 'read');
}

/** The format of a results file by its extension. Throws `input` for one that can't be written. */
export function outcomeFormat(file: string): OutcomeFormat {
  const extension = path.extname(file).toLowerCase();
  const found = Object.entries(WRITABLE).find(([known]) => known === extension);
  if (found !== undefined) return found[1];
  throw unknownExtension(file, extension, Object.keys(WRITABLE), 'written');
}

function unknownExtension(file: string, extension: string, known: readonly string[], verb: string): TemperedError {
  const what =
    extension === '' ? 'The file has no extension, so its format is not known.' : `"${extension}" can't be ${verb}.`;
  return new TemperedError('input', `${what}${didYouMean(extension, known)}`, {
    place: { file },
    remedy: `Use one of ${known.join(', ')}.`,
  });
}
