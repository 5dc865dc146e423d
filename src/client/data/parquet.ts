import { isNativeError } from 'node:util/types';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { TemperedError } from '../../task/errors.js';
import { duckToJson } from './duckValue.js';
import type { RecordPage } from './record.js';

/**
 * Settings of our in-memory DuckDB: rows in file order, one thread (its work is far less than a prompt's), and nothing
 * fetched from the network.
 */
const SETTINGS = { threads: '1', autoinstall_known_extensions: 'false', preserve_insertion_order: 'true' };

/** A DuckDB of our own, and how to leave it. */
export async function openDuckDb(): Promise<{ connection: DuckDBConnection; close: () => void }> {
  const instance = await DuckDBInstance.create(':memory:', SETTINGS);
  const connection = await instance.connect();
  const close = () => {
    connection.closeSync();
    instance.closeSync();
  };
  return { connection, close };
}

/** Records of a Parquet file, read in chunks; `line` is the row's number from 1. */
export async function* readParquet(file: string): AsyncGenerator<RecordPage> {
  const { connection, close } = await openDuckDb();
  try {
    const result = await connection.stream('SELECT * FROM read_parquet($1)', [withoutGlob(file)]);
    const names = result.deduplicatedColumnNames();
    const columns = result.columnTypes().map((type, index) => ({ type, name: names[index] ?? `column${index}` }));
    let line = 0;
    for await (const rows of result.yieldRows()) {
      yield rows.map((row) => {
        line += 1;
        const cells = columns.map(({ name, type }, index) => [name, duckToJson(row[index] ?? null, type)] as const);
        return { line, value: Object.fromEntries(cells) };
      });
    }
  } catch (cause) {
    throw explained(file, cause);
  } finally {
    close();
  }
}

/** DuckDB takes `*`, `?` and `[` in a path for patterns; a data file's name means itself. */
function withoutGlob(file: string): string {
  return file.replaceAll(/[*?[]/g, '[$&]');
}

function explained(file: string, cause: unknown): unknown {
  if (!isNativeError(cause)) return cause;
  const [first = ''] = cause.message.split('\n');
  const message = `This is not a Parquet file that can be read: ${first.replace(/^.*?Error: /, '')}`;
  return new TemperedError('input', message, { place: { file }, remedy: 'Write the file again.', cause });
}
