import { statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { isNativeError } from 'node:util/types';
import type { Outcome } from '../../task/outcome.js';
import { explainWrite } from './fileErrors.js';
import { type ColumnType, OutcomeTable } from './flatten.js';
import { type OutcomeFormat, outcomeFormat } from './format.js';
import { besides, dropBeside, writeWhole } from './wholeFile.js';

/** Characters gathered before they are written: few enough to be gone before they count as old. */
const BUFFERED = 1 << 18;

/** Longest line DuckDB may meet when a table is made; bytes. */
const MAX_ROW_BYTES = 64 * 1024 * 1024;

/** Outcomes as they are read, some at once. */
type OutcomePages = AsyncIterable<readonly Outcome[]> | Iterable<readonly Outcome[]>;

/** How outcomes are written. */
export interface WriteOptions {
  /** Default: by the file's extension. */
  readonly format?: OutcomeFormat | undefined;
}

/**
 * Writes outcomes to a JSON Lines, CSV or Parquet file, which appears whole, by rename. JSON Lines hold each outcome as
 * it is; tables hold one row for each, see {@link OutcomeTable}. Returns how many there were. Throws `input` for an
 * unknown extension, a full disk or a folder that can't be written.
 */
export async function writeOutcomes(file: string, pages: OutcomePages, options: WriteOptions = {}): Promise<number> {
  const format = options.format ?? outcomeFormat(file);
  return writeWhole(file, (beside) =>
    format === 'jsonl' ? writeLines(beside, pages, (outcome) => outcome) : writeTable(beside, pages, format),
  );
}

/** Checks before a long run that its results can be written. Throws what {@link writeOutcomes} would. */
export async function assertWritable(file: string): Promise<void> {
  outcomeFormat(file);
  const beside = besides(file);
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) {
      throw Object.assign(new Error(`${file} is a folder`), { code: 'EISDIR' });
    }
    await (await open(beside, 'wx')).close();
  } catch (error) {
    throw explainWrite(file, error);
  } finally {
    await dropBeside(beside);
  }
}

async function writeLines(file: string, pages: OutcomePages, line: (outcome: Outcome) => object): Promise<number> {
  const handle: FileHandle = await open(file, 'wx');
  try {
    let count = 0;
    let text = '';
    for await (const page of pages) {
      for (const outcome of page) {
        count += 1;
        text += `${JSON.stringify(line(outcome))}\n`;
        if (text.length < BUFFERED) continue;
        await handle.appendFile(text);
        text = '';
      }
    }
    await handle.appendFile(text);
    return count;
  } finally {
    await handle.close();
  }
}

/** Rows are written aside first: which columns there are is known only after the last one. */
async function writeTable(file: string, pages: OutcomePages, format: 'csv' | 'parquet'): Promise<number> {
  const rows = `${file}.rows`;
  try {
    const table = new OutcomeTable();
    const count = await writeLines(rows, pages, (outcome) => table.row(outcome));
    await copyTable(rows, table.columns, file, format);
    return count;
  } finally {
    await dropBeside(rows);
  }
}

async function copyTable(
  rows: string,
  columns: Readonly<Record<string, ColumnType>>,
  file: string,
  format: 'csv' | 'parquet',
): Promise<void> {
  const types = Object.entries(columns).map(([name, type]) => `${quoted(name)}: '${type}'`);
  const read = `read_json(${quoted(rows.replaceAll(/[*?[]/g, '[$&]'))}, format = 'newline_delimited',
    maximum_object_size = ${MAX_ROW_BYTES}, columns = {${types.join(', ')}})`;
  const layout = format === 'csv' ? 'FORMAT csv, HEADER' : 'FORMAT parquet';
  // Loaded by those who need it: it is 20 MB.
  const { openDuckDb } = await import('./parquet.js');
  const { connection, close } = await openDuckDb();
  try {
    await connection.run(`COPY (SELECT * FROM ${read}) TO ${quoted(file)} (${layout})`);
  } catch (error) {
    throw withCode(error);
  } finally {
    close();
  }
}

/** A text in SQL. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** DuckDB tells of a full disk in words only. */
function withCode(error: unknown): unknown {
  const isFull = isNativeError(error) && /no space left/i.test(error.message);
  return isFull ? Object.assign(new Error(error.message, { cause: error }), { code: 'ENOSPC' }) : error;
}
