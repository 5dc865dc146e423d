import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { TemperedError } from '../task/errors.js';
import { type Dataset, openDataset } from './data/index.js';
import { jsonRecord } from './jsonRecord.js';

/** Records for a batch: a file's path (JSONL, CSV, Parquet), a list, or anything that can be iterated. */
export type BatchData<Input = unknown> = string | Iterable<Input> | AsyncIterable<Input>;

/** A data set that is open, and how to leave nothing behind. */
export interface OpenedData {
  /** The records. */
  readonly dataset: Dataset;
  /** What the data is called in messages: the file as the user wrote it, or `data`. */
  readonly label: string;
  /** Removes what was written aside. */
  close(): Promise<void>;
}

/** What opening a data set may be told. */
export interface OpenDataOptions {
  /** Only the first records. */
  readonly limit?: number | undefined;
  /** What happens to a line that is no record. */
  readonly onBad: 'fail' | 'skip';
}

/**
 * Opens data of any kind. Records that don't come from a file are written aside first: the batch's id is the hash of
 * its content, and memory stays bounded however many there are.
 */
export async function openData(data: BatchData, options: OpenDataOptions): Promise<OpenedData> {
  const { limit, onBad } = options;
  const wanted = limit === undefined ? { onBad } : { onBad, limit };
  if (typeof data === 'string') {
    return { dataset: await openDataset(data, wanted), label: data, close: () => Promise.resolve() };
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'tempered-data-'));
  const close = () => rm(folder, { recursive: true, force: true });
  try {
    const file = path.join(folder, 'data.jsonl');
    await spool(data, file, limit);
    return { dataset: await openDataset(file, { onBad }), label: 'data', close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function spool(data: Iterable<unknown> | AsyncIterable<unknown>, file: string, limit = Infinity): Promise<void> {
  const out = createWriteStream(file);
  let count = 0;
  try {
    for await (const record of data) {
      if (count >= limit) break;
      count += 1;
      if (!out.write(`${JSON.stringify(jsonRecord(record, count))}\n`)) await once(out, 'drain');
    }
  } finally {
    out.end();
    await finished(out);
  }
  if (count === 0) throw new TemperedError('input', 'The data holds no records.');
}
