import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { type AnyTask, defineTask, isTask, type TaskOptions } from '../../src/task/defineTask.js';
import { TemperedError } from '../../src/task/errors.js';
import type { Json } from '../../src/task/json.js';
import { loadedRecord, type RecordContext, toLoadedRecord } from '../../src/task/loadRecord.js';
import { renderRecord } from '../../src/task/render.js';

const base = { name: 't', model: 'compatible/m', prompt: '{{text}}' } as const;

function load(options: Partial<TaskOptions<Json, z.ZodType>>, input: Json, context: Partial<RecordContext> = {}) {
  const task: AnyTask = defineTask<Json, z.ZodType>({ ...base, ...options });
  return toLoadedRecord(task, input, { index: 4, ...context });
}

async function refused(loading: Promise<unknown>): Promise<string> {
  const error: unknown = await loading.then(
    () => new Error('it was loaded'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof TemperedError && error.category === 'input') return error.explanation;
  throw error;
}

const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from('pixels')]);

describe('loadedRecord', () => {
  const at = { index: 4, file: 'd.jsonl', line: 5 };
  const parts = (url: string) => () => [{ type: 'image' as const, url }];

  it('waits for nothing where nothing has to be waited for', async () => {
    const plain: AnyTask = defineTask({ ...base });
    const byUrl: AnyTask = defineTask({ ...base, prompt: parts('https://example.com/a.png') });
    const prepared: AnyTask = defineTask({ ...base, prepare: () => 1 });
    for (const task of [plain, byUrl, prepared]) {
      const record = loadedRecord(task, { text: 'Hi' }, at);
      expect(record).not.toBeInstanceOf(Promise);
      expect(record).toEqual(await toLoadedRecord(task, { text: 'Hi' }, at));
    }
    expect(() => loadedRecord(plain, {}, at)).toThrow('{{text}}');
  });

  it('waits for what `before` decides, and for files', async () => {
    const asking: AnyTask = defineTask({ ...base, before: () => ({ skip: 'old' }) });
    const waiting = loadedRecord(asking, { text: 'Hi' }, at);
    expect(waiting).toBeInstanceOf(Promise);
    expect((await waiting).preset).toEqual({ kind: 'skip', reason: 'old' });
    const reading: AnyTask = defineTask({ ...base, prompt: parts('none.png') });
    await expect(loadedRecord(reading, {}, at)).rejects.toThrow('none.png');
  });
});

describe('toLoadedRecord', () => {
  it('renders the prompt and tells id and line', async () => {
    const record = await load({}, { id: 'r-1', text: 'Hi' }, { file: 'd.jsonl', line: 5 });
    expect(record).toEqual({
      id: 'r-1',
      line: 5,
      input: { id: 'r-1', text: 'Hi' },
      rendered: { messages: [{ role: 'user', content: 'Hi' }] },
    });
  });

  it.each<[string, Json, string | undefined, string]>([
    ['a number', { id: 7, text: '' }, undefined, '7'],
    ['none', { text: '' }, undefined, '4'],
    ['null', { id: null, text: '' }, undefined, '4'],
    ['an empty text', { id: '', text: '' }, undefined, '4'],
    ['another field', { key: 'k', text: '' }, 'key', 'k'],
  ])('takes %s for the id', async (_, input, idField, id) => {
    expect(await load({}, input, idField === undefined ? {} : { idField })).toMatchObject({ id });
  });

  it('refuses an id that is none, or a named field that is not there', async () => {
    expect(await refused(load({}, { id: {}, text: '' }))).toContain('neither text nor number');
    const said = await refused(load({}, { text: '' }, { idField: 'key', file: 'd.csv', line: 2 }));
    expect(said).toMatch(/^d\.csv, line 2: Record 4 has no id in field "key"/);
    expect(said).toContain('--id-field');
  });

  it('takes records that are no objects, and empty prompts', async () => {
    expect(await load({ prompt: '{{value}}' }, 'hello')).toMatchObject({
      id: '4',
      rendered: { messages: [{ content: 'hello' }] },
    });
    expect(await load({}, { text: '' })).toMatchObject({ rendered: { messages: [{ content: '' }] } });
  });

  it('fills in messages, texts and references alike', async () => {
    const messages = [
      { role: 'user', content: 'example {{{{' },
      { role: 'assistant', content: 'A' },
      {
        role: 'user',
        content: [
          { type: 'text', text: '{{text}}' },
          { type: 'pdf', url: 'https://x.org/{{text}}.pdf' },
        ],
      },
    ] as const;
    const task = defineTask({ name: 't', model: 'compatible/m', messages });
    const { rendered } = await toLoadedRecord(task, { text: 'B' }, { index: 0 });
    expect(rendered?.messages).toEqual([
      { role: 'user', content: 'example {{' },
      { role: 'assistant', content: 'A' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'B' },
          { type: 'pdf', url: 'https://x.org/B.pdf' },
        ],
      },
    ]);
  });

  it('calls a prompt function that gives a text, parts or turns', async () => {
    const turns = [{ role: 'user', content: 'x' }] as const;
    const parts = [{ type: 'text', text: 'x' }] as const;
    expect(await load({ prompt: () => 'x' }, {})).toMatchObject({ rendered: { messages: turns } });
    expect(await load({ prompt: () => turns }, {})).toMatchObject({ rendered: { messages: turns } });
    expect(await load({ prompt: () => parts }, {})).toMatchObject({
      rendered: { messages: [{ role: 'user', content: parts }] },
    });
  });

  it('says where a prompt function fails', async () => {
    const throws = () => {
      throw new RangeError('no text');
    };
    const said = await refused(load({ prompt: throws }, {}, { file: 'd.jsonl', line: 3 }));
    expect(said).toMatch(/^d\.jsonl, line 3: The task's prompt\(\) threw on this record: no text/);
    expect(await refused(load({ prompt: () => [] }, {}))).toContain('returned something that is no prompt');
  });

  it('waits for prepare(), unless its result is known', async () => {
    const options = { prompt: '{{prepared.x}}{{text}}', prepare: () => ({ x: 1 }) };
    expect(await load(options, { text: 'a' })).toMatchObject({ rendered: null });
    expect(await load(options, { text: 'a' }, { prepared: { x: 1 } })).toMatchObject({
      rendered: { messages: [{ content: '1a' }] },
    });
  });
});

describe('before', () => {
  const schema = z.object({ word: z.string().trim() });

  it('skips, answers, rewrites or lets a record be', async () => {
    expect(await load({ before: () => ({ skip: 'empty' }) }, { text: '' })).toMatchObject({
      rendered: null,
      preset: { kind: 'skip', reason: 'empty' },
    });
    expect(await load({ schema, before: () => ({ answer: { word: ' x ' } }) }, { text: '' })).toMatchObject({
      preset: { kind: 'answer', output: { word: 'x' } },
    });
    expect(await load({ before: () => ({ answer: 'text' }) }, { text: '' })).toMatchObject({
      preset: { output: 'text' },
    });
    const rewritten = await load(
      { before: async () => Promise.resolve({ input: { text: 'new' } }) },
      { id: 'a', text: 'old' },
    );
    expect(rewritten).toMatchObject({ id: 'a', input: { text: 'new' }, rendered: { messages: [{ content: 'new' }] } });
    expect(await load({ before: () => undefined }, { text: 'a' })).toMatchObject({ input: { text: 'a' } });
  });

  it.each<[string, () => unknown, RegExp]>([
    ['an answer that does not fit', () => ({ answer: { word: 1 } }), /does not fit the schema \(word:/],
    ['an input that is not JSON', () => ({ input: { at: new Map() } }), /not JSON: a Map at at/],
    ['something else', () => ({ other: 1 }), /neither input, answer nor skip/],
  ])('is refused %s', async (_, before, message) => {
    const options: object = { ...base, schema, before };
    const task: unknown = Reflect.apply(defineTask, undefined, [options]);
    if (!isTask(task)) throw new Error('it is no task');
    expect(await refused(toLoadedRecord(task, { text: '' }, { index: 0 }))).toMatch(message);
  });

  it('is refused an answer that is no text without a schema, and told where it threw', async () => {
    expect(await refused(load({ before: () => ({ answer: { a: 1 } }) }, { text: '' }))).toContain('no text');
    const throws = () => Promise.reject(new Error('no luck'));
    expect(await refused(load({ before: throws }, {}, { file: 'd.csv', line: 9 }))).toMatch(
      /^d\.csv, line 9: .*no luck/,
    );
  });
});

describe('images and PDFs', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'tempered-files-'));
    await writeFile(path.join(folder, 'a.png'), PNG);
    await writeFile(path.join(folder, 'a.pdf'), '%PDF-1.7');
    await writeFile(path.join(folder, 'secret.png'), 'root:x:0:0');
    await writeFile(path.join(folder, 'big.png'), PNG);
    await truncate(path.join(folder, 'big.png'), 21 * 1024 * 1024);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const task: AnyTask = defineTask({
    name: 't',
    model: 'compatible/m',
    messages: [
      { role: 'user', content: 'look' },
      { role: 'user', content: [{ type: 'image', url: '{{image}}' }] },
    ],
  });
  const one = (image: string) =>
    toLoadedRecord(task, { image }, { index: 0, file: path.join(folder, 'd.jsonl'), line: 1 });
  const urlOf = async (image: string) => JSON.stringify((await one(image)).rendered?.messages[1]?.content);

  it('are read from files beside the data', async () => {
    const data = `data:image/png;base64,${PNG.toString('base64')}`;
    expect(await urlOf('a.png')).toContain(data);
    expect(await urlOf(pathToFileURL(path.join(folder, 'a.png')).href)).toContain(data);
    const pdf = defineTask({
      name: 't',
      model: 'compatible/m',
      prompt: () => [{ type: 'pdf', url: path.join(folder, 'a.pdf') }],
    });
    expect(JSON.stringify(await toLoadedRecord(pdf, {}, { index: 0 }))).toContain('data:application/pdf;base64,');
  });

  it('stay as they are when they are URLs', async () => {
    for (const url of ['https://example.com/a.png', 'data:image/png;base64,AAAA', 'gs://bucket/a.png']) {
      expect(await urlOf(url)).toContain(url);
    }
  });

  it('are refused when they are missing, too big, or something else by content', async () => {
    expect(await refused(one('none.png'))).toMatch(/d\.jsonl, line 1: .*none\.png can't be read/);
    expect(await refused(one('big.png'))).toContain('has 22020096 bytes');
    expect(await refused(one('secret.png'))).toContain('is not a PNG');
    expect(await refused(one('a.pdf'))).toContain('is not a PNG');
  });

  it('are not read from files in workers', () => {
    expect(() => renderRecord(task, { image: 'a.png' }, { prepared: null })).toThrow(/made in a worker/);
    expect(renderRecord(task, { image: 'https://x.org/a' }, { prepared: null }).messages).toHaveLength(2);
  });
});
