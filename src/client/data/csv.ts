import { isUtf8 } from 'node:buffer';
import { TemperedError } from '../../task/errors.js';
import type { JsonObject } from '../../task/json.js';
import { type BadRecord, notUtf8, type ReadRecord, RecordBytes, type RecordPage, tooLong } from './record.js';

const QUOTE = 0x22;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Delimiters a `.csv` file may use; the one its header holds most often is taken. */
const DELIMITERS = [',', ';', '\t', '|'] as const;

/** Where a cell ends in its row. */
interface CellEnd {
  readonly end: number;
  readonly quoted: boolean;
}

/** A row as cut from the file. */
type Row = { readonly line: number; readonly cells: readonly string[] } | BadRecord;

/**
 * Records of a CSV or TSV file (RFC 4180): the header names the fields, every value is text as it stands in the file,
 * an empty cell is empty text. Blank lines are no records. Rows keep the line they start on, also after cells with
 * line breaks.
 */
export async function* readCsv(file: string, chunks: AsyncIterable<Buffer>, tabs: boolean): AsyncGenerator<RecordPage> {
  let header: readonly string[] | undefined;
  const records = function* (rows: Iterable<Row>): RecordPage {
    for (const row of rows) {
      if ('cells' in row && row.cells.length === 1 && row.cells[0] === '') continue;
      if (header === undefined) header = headerOf(file, row);
      else yield 'cells' in row ? toRecord(header, row.cells, row.line) : row;
    }
  };
  let cutter: RowCutter | undefined;
  for await (const chunk of chunks) {
    cutter ??= new RowCutter((tabs ? '\t' : delimiterOf(chunk)).charCodeAt(0));
    yield records(cutter.cut(chunk));
  }
  if (cutter !== undefined) yield records(cutter.end());
}

function headerOf(file: string, row: Row): readonly string[] {
  const refuse = (message: string, remedy: string) =>
    new TemperedError('input', message, { place: { file, line: row.line }, remedy });
  if (!('cells' in row)) throw refuse(row.problem, row.remedy);
  const names = row.cells.map((cell) => cell.trim());
  const remedy = 'The first row names the columns, each by its own name.';
  const nameless = names.indexOf('');
  if (nameless !== -1) throw refuse(`Column ${nameless + 1} of the header has no name.`, remedy);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw refuse(`Two columns of the header are called "${twice}".`, remedy);
  return names;
}

function toRecord(header: readonly string[], cells: readonly string[], line: number): ReadRecord {
  if (cells.length !== header.length) {
    const problem = `The header has ${header.length} columns, this row ${cells.length}.`;
    return { line, problem, remedy: 'Put cells that hold delimiters or line breaks in quotes.' };
  }
  const value: JsonObject = Object.fromEntries(header.map((name, index) => [name, cells[index] ?? '']));
  return { line, value };
}

function delimiterOf(start: Buffer): string {
  const header = start.toString('latin1').split('\n', 1)[0] ?? '';
  const bare = header.replaceAll(/"[^"]*"/g, '');
  const counts = DELIMITERS.map((delimiter) => bare.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ',';
}

/** Cuts rows and cells out of the bytes as they pass; holds one row at a time. */
class RowCutter {
  private readonly bytes = new RecordBytes();
  private state: 'start' | 'bare' | 'quoted' | 'closed' = 'start';
  private ends: CellEnd[] = [];
  private quoted = false;
  private problem: string | null = null;
  private line = 1;
  private startLine = 1;

  constructor(private readonly delimiter: number) {}

  /** Rows that end in this chunk. */
  *cut(chunk: Buffer): Generator<Row> {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (byte === NEWLINE) this.line += 1;
      if (this.state === 'quoted') {
        if (byte === QUOTE) this.state = 'closed';
      } else if (byte === this.delimiter) {
        this.endCell(this.bytes.length + at - from);
      } else if (byte === NEWLINE) {
        this.bytes.add(chunk.subarray(from, at));
        yield this.endRow();
        from = at + 1;
      } else if (byte === QUOTE && this.state !== 'bare') {
        // A quote opens a cell, or is the second of a pair inside one.
        this.state = 'quoted';
        this.quoted = true;
      } else if (byte !== RETURN || this.state === 'start') {
        if (this.state === 'closed') this.problem ??= 'There is text between a closing quote and the next delimiter.';
        this.state = 'bare';
      }
    }
    this.bytes.add(chunk.subarray(from));
  }

  /** The last row, when the file does not end with a line break. */
  *end(): Generator<Row> {
    if (this.state === 'quoted') this.problem = 'A quote that opens here is never closed.';
    if (this.bytes.length > 0) yield this.endRow();
  }

  private endCell(end: number): void {
    this.ends.push({ end, quoted: this.quoted });
    this.state = 'start';
    this.quoted = false;
  }

  private endRow(): Row {
    this.endCell(this.bytes.length);
    const { ends, problem, startLine: line } = this;
    const bytes = this.bytes.take();
    this.ends = [];
    this.problem = null;
    this.startLine = this.line;
    if (bytes === null) return tooLong(line);
    if (!isUtf8(bytes)) return notUtf8(line);
    if (problem === null) return { line, cells: cellsOf(bytes, ends) };
    return { line, problem, remedy: 'Put the whole cell in quotes, and double every quote in it.' };
  }
}

function cellsOf(bytes: Buffer, ends: readonly CellEnd[]): readonly string[] {
  let start = 0;
  return ends.map(({ end, quoted }, index) => {
    const text = bytes.toString('utf8', start, end);
    start = end + 1;
    const cell = index === ends.length - 1 && text.endsWith('\r') ? text.slice(0, -1) : text;
    return quoted ? cell.slice(1, -1).replaceAll('""', '"') : cell;
  });
}
