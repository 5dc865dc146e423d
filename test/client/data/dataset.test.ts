import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { type DatasetOptions, type DatasetRecord, openDataset } from '../../../src/client/data/dataset.js';
import { TemperedError } from '../../../src/task/errors.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tempered-dataset-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string | Buffer): Promise<string> {
  const whole = path.join(folder, name);
  await writeFile(whole, content);
  return whole;
}

async function all(name: string, options: Partial<DatasetOptions> = {}) {
  const dataset = await openDataset(name, { onBad: 'fail', ...options });
  const records: DatasetRecord[] = [];
  for await (const record of dataset.records()) records.push(record);
  return { dataset, records, values: records.map((record) => record.value), lines: records.map(({ line }) => line) };
}

async function refusal(name: string, options: Partial<DatasetOptions> = {}): Promise<TemperedError> {
  const error: unknown = await all(name, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TemperedError)) throw new Error(`expected a TemperedError, got ${String(error)}`);
  expect(error.category).toBe('input');
  expect(error.options.remedy).toBeTruthy();
  expect(error.options.place?.file).toBe(name);
  return error;
}

/** UTF-16 with its byte order mark. */
function utf16(text: string, order: 'le' | 'be'): Buffer {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return order === 'le' ? bytes : bytes.swap16();
}

describe('any file', () => {
  it('is refused when it is missing, a folder, empty, or of an unknown kind', async () => {
    expect((await refusal(path.join(folder, 'none.jsonl'))).message).toBe('There is no such file.');
    await mkdir(path.join(folder, 'folder.jsonl'));
    expect((await refusal(path.join(folder, 'folder.jsonl'))).message).toContain('folder');
    expect((await refusal(await file('empty.jsonl', ''))).message).toBe('The file is empty.');
    expect((await refusal('data.jsnl')).explanation).toContain('Did you mean .jsonl');
    expect((await refusal('data.jsonl.gz')).message).toContain('Compressed');
    expect((await refusal('data')).message).toContain('no extension');
    expect((await refusal('/dev/null/x.csv')).message).toBe('There is no such file.');
  });

  it('has a hash of its content, format and limit, not of its name', async () => {
    const a = await openDataset(await file('a.jsonl', '{"x":1}\n'), { onBad: 'fail' });
    const b = await openDataset(await file('b.ndjson', '{"x":1}\n'), { onBad: 'skip' });
    const c = await openDataset(await file('c.jsonl', '{"x":2}\n'), { onBad: 'fail' });
    const d = await openDataset(await file('d.csv', '{"x":1}\n'), { onBad: 'fail' });
    const e = await openDataset(await file('e.jsonl', '{"x":1}\n'), { onBad: 'fail', limit: 1 });
    expect(a.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(b.hash).toBe(a.hash);
    expect(new Set([a, b, c, d, e].map(({ hash }) => hash)).size).toBe(4);
  });

  it('stops at the limit, before a bad line behind it', async () => {
    const { values } = await all(await file('limit.jsonl', '1\n2\nbad\n'), { limit: 2 });
    expect(values).toEqual([1, 2]);
  });

  it('is refused when it changed after it was opened', async () => {
    const name = await file('changing.jsonl', '{"x":1}\n');
    const dataset = await openDataset(name, { onBad: 'fail' });
    await utimes(name, 1, 1);
    await expect(dataset.records().next()).rejects.toThrow('changed while it was read');
  });

  it.each(['jsonl', 'csv', 'json'] as const)('comes in pages, the same records: %s', async (format) => {
    const more = 'm'.repeat(500);
    const wanted = Array.from({ length: 5_000 }, (_, i) => ({ x: String(i), more }));
    const texts = {
      jsonl: wanted.map((row) => JSON.stringify(row)).join('\n'),
      csv: ['x,more', ...wanted.map(({ x }) => `${x},${more}`)].join('\n'),
      json: JSON.stringify(wanted),
    };
    const name = await file(`pages.${format}`, texts[format]);
    const dataset = await openDataset(name, { onBad: 'fail' });
    const pages: DatasetRecord[][] = [];
    for await (const page of dataset.pages()) pages.push([...page]);
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.length).toBeLessThan(100);
    expect(pages.flat()).toEqual((await all(name)).records);
    expect(pages.flat().map(({ value }) => value)).toEqual(wanted);
    expect((await all(name, { limit: 4_999 })).records).toHaveLength(4_999);
  });

  it('can be read again', async () => {
    const dataset = await openDataset(await file('again.jsonl', '1\nx\n'), { onBad: 'skip' });
    for (let round = 0; round < 2; round += 1) {
      const records: DatasetRecord[] = [];
      for await (const record of dataset.records()) records.push(record);
      expect(records).toEqual([{ value: 1, line: 1 }]);
      expect(dataset.skipped).toHaveLength(1);
    }
  });
});

describe('JSON Lines', () => {
  it('counts blank lines, but reads no records from them', async () => {
    const { values, lines } = await all(await file('blank.jsonl', '\n{"a":1}\n  \t\n\n{"a":2}\n\n'));
    expect(values).toEqual([{ a: 1 }, { a: 2 }]);
    expect(lines).toEqual([2, 5]);
  });

  it('takes CRLF, a byte order mark, a last line without a break, and any JSON value', async () => {
    const { values, lines } = await all(await file('bom.jsonl', '\ufeff{"a":"é"}\r\n"text"\r\n[1]'));
    expect(values).toEqual([{ a: 'é' }, 'text', [1]]);
    expect(lines).toEqual([1, 2, 3]);
  });

  it.each(['le', 'be'] as const)('decodes UTF-16 %s', async (order) => {
    const { values } = await all(await file(`${order}.jsonl`, utf16('{"a":"é😀"}\r\n{"a":"ж"}', order)));
    expect(values).toEqual([{ a: 'é😀' }, { a: 'ж' }]);
  });

  it('refuses half a UTF-16 file', async () => {
    const whole = utf16('{"a":1}\n', 'le');
    expect((await refusal(await file('half.jsonl', whole.subarray(0, -1)))).message).toContain('UTF-16');
  });

  it('names line, column and surroundings of what is not JSON', async () => {
    const error = await refusal(await file('bad.jsonl', '{"a":1}\n{"a":1,"b":oops}\n'));
    expect(error.options.place?.line).toBe(2);
    expect(error.message).toContain('column 12: {"a":1,"b":oops}');
    expect(error.explanation).toMatch(/^.*bad\.jsonl, line 2: This is not valid JSON/);
  });

  it.each([
    ['{"a":1', 'ends too early at column 7'],
    ['{"a" 1}', 'at column 6'],
    ['{"a":1,}', 'at column 8'],
    ['[1,]', 'at column 4'],
    ['{a:1}', 'at column 2'],
    ['{"a":1} x', 'at column 9'],
    ['"tab\there"', 'at column 5'],
    [String.raw`"bad \x"`, 'at column 6'],
    ["{'a':1}", 'at column 2'],
    ['{"a":01}', 'at column 7'],
    ['[1 2]', 'at column 4'],
    ['{"a":[1}', 'at column 8'],
    ['NaN', 'at column 1'],
    ['"open', 'ends too early at column 6'],
    ['{"a":1}\0', 'NUL bytes (column 8)'],
  ])('finds the error in %s', async (text, message) => {
    expect((await refusal(await file('wrong.jsonl', `${text}\n`))).message).toContain(message);
  });

  it('refuses bytes that are not UTF-8', async () => {
    const error = await refusal(await file('latin.jsonl', Buffer.from('{"a":1}\n{"a":"\xe9"}\n', 'latin1')));
    expect(error.options.place?.line).toBe(2);
    expect(error.explanation).toContain('iconv');
  });

  it('reads a line of 20 MB, refuses one of 50 MB, and goes on behind it when told to', async () => {
    const line = (mb: number) => `{"a":"${'x'.repeat(mb * 1_000_000)}"}`;
    const name = await file('long.jsonl', `${line(20)}\n${line(50)}\n{"a":"y"}\n`);
    const error = await refusal(name);
    expect(error.options.place?.line).toBe(2);
    expect(error.message).toBe('The record is longer than 32 MiB.');
    const { lines, dataset } = await all(name, { onBad: 'skip' });
    expect(lines).toEqual([1, 3]);
    expect(dataset.skipped).toEqual([{ line: 2, message: 'The record is longer than 32 MiB.' }]);
  });

  it('skips bad lines when told to, and says which', async () => {
    const { values, dataset } = await all(await file('skip.jsonl', '1\n{\n3\nx\n'), { onBad: 'skip' });
    expect(values).toEqual([1, 3]);
    expect(dataset.skipped.map(({ line }) => line)).toEqual([2, 4]);
  });

  it('keeps integers that JavaScript can not hold as text', async () => {
    const text =
      '{"id":12345678901234567890,"ok":9007199254740991,"s":"12345678901234567890 \\" 1","f":0.12345678901234567}';
    const { values } = await all(await file('big.jsonl', text));
    expect(values).toEqual([
      {
        id: '12345678901234567890',
        ok: 9007199254740991,
        s: '12345678901234567890 " 1',
        f: Number('0.12345678901234567'),
      },
    ]);
  });

  it('reads records across the borders of chunks', async () => {
    const records = Array.from({ length: 3000 }, (_, index) => ({ index, text: 'é"\\n'.repeat(index % 500) }));
    const { values } = await all(await file('chunks.jsonl', records.map((one) => JSON.stringify(one)).join('\n')));
    expect(values).toEqual(records);
  });
});

describe('a .json file', () => {
  it('may be an array of records over any lines', async () => {
    const text = '\n[\n  {"a": [1, {"b": "],\\"{"}]},\n  "x, y",\n\n  3, null\n]\n';
    const { values, lines } = await all(await file('array.json', text));
    expect(values).toEqual([{ a: [1, { b: '],"{' }] }, 'x, y', 3, null]);
    expect(lines).toEqual([3, 4, 6, 6]);
  });

  it('may be JSON Lines, or an empty array', async () => {
    expect((await all(await file('lines.json', '{"a":1}\n{"a":2}\n'))).values).toEqual([{ a: 1 }, { a: 2 }]);
    expect((await all(await file('none.json', ' [ ]'))).values).toEqual([]);
  });

  it('names the place of an element that is not JSON', async () => {
    const name = await file('bad.json', '[\n {"a":1},\n {"a":\n oops},\n 3]');
    const error = await refusal(name);
    expect(error.options.place?.line).toBe(3);
    expect(error.message).toContain("column 2 of the record's line 2");
    expect((await all(name, { onBad: 'skip' })).values).toEqual([{ a: 1 }, 3]);
  });

  it.each([
    ['[1,2', 'not closed'],
    ['[1,,2]', 'comma too many'],
    ['[1,]', 'comma too many'],
    ['[1] 2', 'after the end'],
    ['["a]', 'not closed'],
  ])('refuses %s', async (text, message) => {
    expect((await refusal(await file('broken.json', text))).message).toContain(message);
  });

  it('reads long arrays across the borders of chunks', async () => {
    const records = Array.from({ length: 3000 }, (_, index) => ({ index, text: '[{"\\'.repeat(index % 500) }));
    expect((await all(await file('chunks.json', JSON.stringify(records)))).values).toEqual(records);
  });
});

describe('CSV', () => {
  it('keeps every cell as the text it is', async () => {
    const text = 'id,text,n\r\n007,"a ""b"", c\nnext",1e5\r\n\r\n8,,5" screen\r\n9,"",x';
    const { values, lines } = await all(await file('a.csv', text));
    expect(values).toEqual([
      { id: '007', text: 'a "b", c\nnext', n: '1e5' },
      { id: '8', text: '', n: '5" screen' },
      { id: '9', text: '', n: 'x' },
    ]);
    expect(lines).toEqual([2, 5, 6]);
  });

  it('knows semicolons, tabs, a byte order mark and UTF-16', async () => {
    expect((await all(await file('semi.csv', '\ufeffa;b\n"1;2";3,5\n'))).values).toEqual([{ a: '1;2', b: '3,5' }]);
    expect((await all(await file('t.tsv', 'a\tb\n1,2\t3\n'))).values).toEqual([{ a: '1,2', b: '3' }]);
    expect((await all(await file('u.csv', utf16('a,b\né,2\n', 'le')))).values).toEqual([{ a: 'é', b: '2' }]);
    expect((await all(await file('one.csv', 'text\nhello; world\n"a,b"\n'))).values).toEqual([
      { text: 'hello; world' },
      { text: 'a,b' },
    ]);
  });

  it('has no records when there is only a header', async () => {
    expect((await all(await file('head.csv', 'id,text\n'))).values).toEqual([]);
  });

  it.each([
    ['a,b\n1\n', 2, 'The header has 2 columns, this row 1.'],
    ['a,b\n1,2\n1,2,3\n', 3, 'The header has 2 columns, this row 3.'],
    ['a,b\n1,"open\n2,3\n', 2, 'A quote that opens here is never closed.'],
    ['a,b\n1,"x"y\n', 2, 'There is text between a closing quote'],
    ['a,a\n1,2\n', 1, 'Two columns of the header are called "a".'],
    ['a,\n1,2\n', 1, 'Column 2 of the header has no name.'],
  ])('refuses %j', async (text, line, message) => {
    const error = await refusal(await file('bad.csv', text));
    expect(error.options.place?.line).toBe(line);
    expect(error.message).toContain(message);
  });

  it('skips bad rows when told to', async () => {
    const text = Buffer.from('a,b\n1,2\n3\n4,\xe9\n5,6\n', 'latin1');
    const { values, dataset } = await all(await file('skip.csv', text), { onBad: 'skip' });
    expect(values).toEqual([
      { a: '1', b: '2' },
      { a: '5', b: '6' },
    ]);
    expect(dataset.skipped.map(({ line }) => line)).toEqual([3, 4]);
  });

  it('reads rows across the borders of chunks', async () => {
    const rows = Array.from({ length: 3000 }, (_, index) => ({ i: String(index), t: 'a"b,\né'.repeat(index % 400) }));
    const text = rows.map(({ i, t }) => `${i},"${t.replaceAll('"', '""')}"`).join('\r\n');
    expect((await all(await file('chunks.csv', `i,t\r\n${text}`))).values).toEqual(rows);
  });
});

describe('Parquet', () => {
  async function parquet(name: string, select: string): Promise<string> {
    const whole = path.join(folder, name);
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    await connection.run(`COPY (${select}) TO '${whole}' (FORMAT parquet)`);
    connection.closeSync();
    instance.closeSync();
    return whole;
  }

  it('becomes JSON with nothing lost', async () => {
    const name = await parquet(
      'types[1].parquet',
      `SELECT 1::bigint a, 9007199254740993::bigint b, 1.10::decimal(10,2) c, -0.5::decimal(4,2) c2,
        12345678901234567890.123456789::decimal(38,9) d, date '2024-01-02' e, timestamp '2024-01-02 03:04:05.123456' f,
        timestamptz '2024-01-02 03:04:05+02' g, [date '2024-01-02', null] h, {'x': 1::bigint, 'y': {'z': [1.5]}} i,
        map {'k': 1} j, map {1: 'k'} k, 'ab'::blob l, '{"q":[1]}'::json m, time '10:00' n, 'NaN'::double o, true p, null q,
        'text' r, timestamp_ns '1969-12-31 23:59:59.000000001' s, 100::decimal(5,0) t, uuid '00000000-0000-0000-0000-000000000001' u`,
    );
    const { records } = await all(name);
    expect(records).toEqual([
      {
        line: 1,
        value: {
          a: 1,
          b: '9007199254740993',
          c: 1.1,
          c2: -0.5,
          d: '12345678901234567890.123456789',
          e: '2024-01-02',
          f: '2024-01-02T03:04:05.123456',
          g: '2024-01-02T01:04:05Z',
          h: ['2024-01-02', null],
          i: { x: 1, y: { z: [1.5] } },
          j: { k: 1 },
          k: [{ key: 1, value: 'k' }],
          l: 'YWI=',
          m: { q: [1] },
          n: '10:00:00',
          o: null,
          p: true,
          q: null,
          r: 'text',
          s: '1969-12-31T23:59:59.000000001',
          t: 100,
          u: '00000000-0000-0000-0000-000000000001',
        },
      },
    ]);
  });

  it('is read in order, in chunks', async () => {
    const name = await parquet('many.parquet', 'SELECT i, repeat(i::varchar, 3) t FROM range(10000) r(i)');
    const { values, lines } = await all(name);
    expect(values).toEqual(Array.from({ length: 10_000 }, (_, i) => ({ i, t: `${i}${i}${i}` })));
    expect(lines.at(-1)).toBe(10_000);
    expect((await all(name, { limit: 3 })).values).toHaveLength(3);
  });

  it('is refused when it is something else', async () => {
    const error = await refusal(await file('not.parquet', 'PAR1 this is no table PAR1'));
    expect(error.message).toContain('not a Parquet file');
  });
});
