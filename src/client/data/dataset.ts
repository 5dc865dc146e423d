import { createHash } from 'node:crypto';
import { TemperedError } from '../../task/errors.js';
import type { Json } from '../../task/json.js';
import { readCsv } from './csv.js';
import { type DataFormat, dataFormat } from './format.js';
import { readJsonFile } from './jsonArray.js';
import { readJsonLines } from './jsonLines.js';
import type { RecordPage } from './record.js';
import { openSource, utf8Chunks } from './source.js';

/** One record of a data set. */
export interface DatasetRecord {
  /** The record: any JSON value from JSON files, an object of cells from tables. */
  readonly value: Json;
  /** 1-based line on which it starts; in Parquet its row. */
  readonly line: number;
}

/** A place of the file that was left out by `onBad: 'skip'`. */
export interface SkippedLine {
  /** 1-based line; in Parquet its row. */
  readonly line: number;
  /** What was wrong. */
  readonly message: string;
}

/** A data file that can be read any number of times in bounded memory. */
export interface Dataset {
  /** Path as the user wrote it. */
  readonly source: string;
  /** SHA-256 over the file's bytes, its format and the limit: the same data has the same hash under any name. */
  readonly hash: string;
  /**
   * The records in file order. Throws `input` with file and line for the first bad one (unless they are skipped), and
   * when the file changed since it was opened.
   */
  records(): AsyncGenerator<DatasetRecord>;
  /** The same in pages, see {@link RecordPage}: a reader of many does not wait for each. */
  pages(): AsyncGenerator<Iterable<DatasetRecord>>;
  /** What the last `records()` or `pages()` left out so far. */
  readonly skipped: readonly SkippedLine[];
}

/** How a data set is read. */
export interface DatasetOptions {
  /** Only the first records. Default: all. */
  readonly limit?: number;
  /** What happens where no record can be read: the first one ends the reading, or they are left out. */
  readonly onBad: 'fail' | 'skip';
}

/**
 * Opens a JSON Lines, JSON, CSV, TSV or Parquet file by its extension. Throws `input` for a file that is missing,
 * empty, a folder, can't be read, or has another extension.
 */
export async function openDataset(file: string, { limit = Infinity, onBad }: DatasetOptions): Promise<Dataset> {
  const format = dataFormat(file);
  const source = await openSource(file);
  const identity = JSON.stringify([source.digest, format, Number.isFinite(limit) ? limit : null]);
  const skipped: SkippedLine[] = [];
  async function* pages(): AsyncGenerator<Iterable<DatasetRecord>> {
    skipped.length = 0;
    let count = 0;
    const usable = function* (page: RecordPage): Iterable<DatasetRecord> {
      for (const record of page) {
        if (count >= limit) return;
        if ('value' in record) {
          count += 1;
          yield record;
        } else if (onBad === 'skip') {
          skipped.push({ line: record.line, message: record.problem });
        } else {
          const { line, problem, remedy } = record;
          throw new TemperedError('input', problem, { place: { file, line }, remedy });
        }
      }
    };
    await source.assertUnchanged();
    for await (const page of read(file, format)) {
      yield usable(page);
      if (count >= limit) break;
    }
    await source.assertUnchanged();
  }
  async function* records(): AsyncGenerator<DatasetRecord> {
    for await (const page of pages()) yield* page;
  }
  return { source: file, hash: createHash('sha256').update(identity).digest('hex'), records, pages, skipped };
}

function read(file: string, format: DataFormat): AsyncIterable<RecordPage> {
  switch (format) {
    case 'jsonl':
      return readJsonLines(utf8Chunks(file));
    case 'json':
      return readJsonFile(file);
    case 'csv':
    case 'tsv':
      return readCsv(file, utf8Chunks(file), format === 'tsv');
    case 'parquet':
      return readTable(file);
  }
}

/** DuckDB is loaded by those who need it: it is 20 MB. */
async function* readTable(file: string): AsyncGenerator<RecordPage> {
  const { readParquet } = await import('./parquet.js');
  yield* readParquet(file);
}
