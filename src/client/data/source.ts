import { createHash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { TextDecoder } from 'node:util';
import { TemperedError } from '../../task/errors.js';
import { errorCode } from './fileErrors.js';

/** Bytes read at once: what is read shall be gone before it counts as old, for old bytes are kept until memory is short. */
const CHUNK_BYTES = 1 << 17;

const UTF8_BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const UTF16_LE_BOM = Buffer.from([0xff, 0xfe]);
const UTF16_BE_BOM = Buffer.from([0xfe, 0xff]);

/** A data file as it was when it was opened. */
export interface Source {
  /** Path as the user wrote it. */
  readonly file: string;
  /** SHA-256 of its bytes. */
  readonly digest: string;
  /** Tells whether the file is still the one that was hashed. Throws `input` when it is not. */
  assertUnchanged(): Promise<void>;
}

/** Hashes a file. Throws `input` for one that is missing, empty, no file or can't be read. */
export async function openSource(file: string): Promise<Source> {
  const before = await statFile(file);
  if (before.size === 0) throw problem(file, 'The file is empty.', 'Give a file with one record a line.');
  const hash = createHash('sha256');
  for await (const chunk of fileChunks(file)) hash.update(chunk);
  const assertUnchanged = async () => {
    const now = await statFile(file);
    if (now.size === before.size && now.mtimeMs === before.mtimeMs && now.ino === before.ino) return;
    throw problem(file, 'The file changed while it was read.', 'Run again when nothing writes to it any more.');
  };
  await assertUnchanged();
  return { file, digest: hash.digest('hex'), assertUnchanged };
}

/** The file's bytes as UTF-8 text without a byte order mark. UTF-16 is recognised by its mark and decoded. */
export async function* utf8Chunks(file: string): AsyncGenerator<Buffer> {
  let decoder: TextDecoder | undefined;
  let first = true;
  for await (const chunk of fileChunks(file)) {
    let bytes = chunk;
    if (first) {
      decoder = utf16Decoder(bytes);
      if (startsWith(bytes, UTF8_BOM)) bytes = bytes.subarray(UTF8_BOM.length);
      first = false;
    }
    yield decoder === undefined ? bytes : decoded(file, decoder, bytes);
  }
  if (decoder !== undefined) yield decoded(file, decoder, undefined);
}

function utf16Decoder(bytes: Buffer): TextDecoder | undefined {
  if (startsWith(bytes, UTF16_LE_BOM)) return new TextDecoder('utf-16le', { fatal: true });
  if (startsWith(bytes, UTF16_BE_BOM)) return new TextDecoder('utf-16be', { fatal: true });
  return undefined;
}

function startsWith(bytes: Buffer, mark: Buffer): boolean {
  return bytes.subarray(0, mark.length).equals(mark);
}

function decoded(file: string, decoder: TextDecoder, bytes: Buffer | undefined): Buffer {
  try {
    return Buffer.from(decoder.decode(bytes, { stream: bytes !== undefined }));
  } catch (cause) {
    const remedy = 'Save the file again, as UTF-8.';
    throw new TemperedError('input', 'The file starts like UTF-16 text, but is not.', {
      place: { file },
      remedy,
      cause,
    });
  }
}

async function* fileChunks(file: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
      if (Buffer.isBuffer(chunk)) yield chunk;
    }
  } catch (error) {
    throw readProblem(file, error);
  }
}

async function statFile(file: string): Promise<Stats> {
  try {
    const stats = await stat(file);
    if (stats.isFile()) return stats;
    if (stats.isDirectory()) {
      throw problem(file, 'This is a folder, not a file.', 'Name a data file in it: JSONL, CSV or Parquet.');
    }
    throw problem(file, 'This is no regular file: it is read twice.', 'Save the data to a file first.');
  } catch (error) {
    throw readProblem(file, error);
  }
}

function readProblem(file: string, cause: unknown): unknown {
  switch (errorCode(cause)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return problem(file, 'There is no such file.', `Check the path; it is taken from ${process.cwd()}.`, cause);
    case 'EACCES':
    case 'EPERM':
      return problem(file, 'You may not read this file.', 'Give yourself the right to: chmod u+r.', cause);
    case undefined:
      return cause;
    default:
      return problem(file, `The file can't be read: ${errorCode(cause) ?? ''}.`, 'Copy it to another disk.', cause);
  }
}

function problem(file: string, message: string, remedy: string, cause?: unknown): TemperedError {
  return new TemperedError('input', message, { place: { file }, remedy, cause });
}
