import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { TemperedError, thrownText } from '../../src/task/errors.js';
import { jsonErrorAt } from '../../src/task/jsonError.js';
import { loadTask } from '../../src/task/loadTask.js';
import { parseTaskFile } from '../../src/task/taskFile.js';

const spec = {
  name: 'tickets',
  model: 'anthropic/claude-sonnet-4-6',
  instructions: 'Sort.',
  prompt: 'Ticket: {{text}}',
  schema: { type: 'object', properties: { category: { enum: ['bug', 'billing'] } }, required: ['category'] },
  maxOutputTokens: 500,
  params: {},
  maxPrompts: 5,
  stages: [{ kind: 'full', temperature: 0 }],
  cache: { enabled: true },
  limits: { rpm: 1000, tpm: 200000, inFlight: 50 },
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'tempered-task-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const target = path.join(folder, name);
  await writeFile(target, text);
  return target;
}

async function refused(target: string): Promise<string> {
  const error: unknown = await loadTask(target).then(
    () => new Error('it was loaded'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof TemperedError && error.category === 'input') return error.explanation;
  throw error;
}

describe('a task file', () => {
  it('is JSON or YAML with the same meaning', async () => {
    const json = await loadTask(await file('a.json', `\uFEFF${JSON.stringify(spec)}`));
    const yaml = await loadTask(await file('a.yaml', YAML));
    expect(json.spec).toMatchObject({ ...spec, promptTimeoutMs: 120_000, functions: [] });
    expect(yaml.spec).toEqual(json.spec);
    expect(yaml.hash).toBe(json.hash);
  });

  it.each<[string, object | string, RegExp]>([
    ['an unknown setting', { ...spec, promt: 'x' }, /"promt" Did you mean prompt/],
    ['an invalid schema', { ...spec, schema: { type: 'strin' } }, /not valid JSON Schema/],
    ['a schema that is none', { ...spec, schema: 'x' }, /not a JSON Schema object/],
    ['no object', 'x', /not an object/],
    ['a function', { ...spec, validate: 'x' }, /unknown setting "validate"/],
    ['a template that is not closed', { ...spec, prompt: '{{x' }, /not closed/],
  ])('is refused for %s, by its name', (_, value, message) => {
    let thrown: unknown;
    try {
      parseTaskFile(value, { file: 'my-task.json' });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ category: 'input', options: { place: { file: 'my-task.json' } } });
    expect(thrownText(thrown)).toMatch(message);
  });
});

const YAML = `name: tickets
model: anthropic/claude-sonnet-4-6
instructions: Sort.
prompt: 'Ticket: {{text}}'
schema:
  type: object
  properties: { category: { enum: [bug, billing] } }
  required: [category]
maxOutputTokens: 500
stages: [{ kind: full, temperature: 0 }]
cache: { enabled: true }
limits: { rpm: 1000, tpm: 200000, inFlight: 50 }
`;

describe('loadTask', () => {
  it('takes a TypeScript module that imports tempered by name, wherever it lies', async () => {
    await file('words.ts', 'export enum Word { Bug = "bug" }\n');
    const module = `import { defineTask } from 'tempered';
      import { Word } from './words.js';
      interface Ticket { readonly text: string }
      export default defineTask({ name: 'ts', model: 'compatible/m', prompt: (t: Ticket) => t.text + Word.Bug,
        validate: (answer: string) => (answer === Word.Bug ? [] : [{ path: [], message: 'no' }]) });`;
    const task = await loadTask(await file('task.ts', module));
    expect(task.spec).toMatchObject({ name: 'ts', functions: ['validate'], rendersInCode: true });
    expect(task.load.prompt?.({ text: 'a ' }, { prepared: null })).toBe('a bug');
    expect((await loadTask(path.join(folder, 'task.ts'))).hash).toBe(task.hash);
  });

  it('gives zod to a task in a folder where nothing is installed', async () => {
    const module = `import { defineTask } from 'tempered'; import { z } from 'zod';
      export default defineTask({ name: 'z', model: 'a/b', prompt: 'x', schema: z.object({ a: z.string() }) });`;
    const task = await loadTask(await file('zod.ts', module));
    expect(task.spec.schema).toMatchObject({ required: ['a'] });
    expect(task.schema?.safeParse({ a: 1 }).success).toBe(false);
  });

  it.each(['task.mjs', 'task.mts', 'task.js'])('takes %s', async (name) => {
    const text =
      "import { defineTask } from 'tempered'; export default defineTask({ name: 'm', model: 'a/b', prompt: 'x' });";
    expect((await loadTask(await file(name, text))).spec.name).toBe('m');
  });

  it.each<[string, string, string | undefined, RegExp]>([
    ['a missing file', 'none.ts', undefined, /none\.ts: There is no such file\.\n.*tempered init/],
    ['a folder', '.ts', undefined, /written in such a file/],
    ['another kind of file', 'task.py', 'x', /written in a \.py file/],
    ['an empty file', 'empty.json', ' \n', /The file is empty/],
    ['JSON that breaks off', 'cut.json', '{\n"name": "x",\n', /cut\.json, line 3: The file has a syntax error/],
    ['JSON with an error', 'bad.json', '{\n"name": x\n}', /bad\.json, line 2: The file has a syntax error/],
    [
      'YAML with an error',
      'bad.yaml',
      'name: x\nprompt: [a\nmodel: y',
      /bad\.yaml, line \d+: The file has a syntax error/,
    ],
    [
      'TypeScript with an error',
      'bad.ts',
      'const a = 1;\nexport default {{;\n',
      /bad\.ts, line 2: The file has a syntax error/,
    ],
    ['a module without a task', 'other.ts', 'export default { name: "x" };', /no task as its default export/],
    ['a module without a default export', 'named.ts', 'export const a = 1;', /no task as its default export/],
    [
      'a module that throws',
      'throws.ts',
      '\nthrow new Error("own bug");',
      /throws\.ts(, line \d+)?: The module could not be loaded: (Error: )?own bug/,
    ],
    [
      'a module that lacks a package',
      'lacks.ts',
      "import x from 'not-there-at-all';\nexport default x;",
      /Install what it imports/,
    ],
    [
      'a task that is not right',
      'wrong.ts',
      "import { defineTask } from 'tempered'; export default defineTask({ name: 'x', model: 'y', prompt: 'z' });",
      /wrong\.ts: The task is not right: model/,
    ],
  ])('refuses %s', async (_, name, text, message) => {
    const target = text === undefined ? path.join(folder, name) : await file(name, text);
    expect(await refused(target)).toMatch(message);
  });
});

describe('jsonErrorAt', () => {
  it.each<[string, string]>([
    ['{"a": ', '!x}'],
    ['{"a": 1', '! "b": 2}'],
    ['{"a": 1,', '!}'],
    ['[1,', '!]'],
    ['{', '!a: 1}'],
    ['{"a"', '! 1}'],
    ['[1]', '!]'],
    ['{"a": [1', '!}'],
    ['{"a": 1', '!'],
    ['', '!'],
    ['[{"a": -1.5e3, "b": [true, null, "\\u0041"]}, {}, []]', '!'],
  ])('points behind %s', (good, bad) => {
    const rest = bad.slice(1);
    const spaces = rest.length - rest.trimStart().length;
    expect(jsonErrorAt(good + rest)).toBe(good.length + (rest.trim() === '' ? rest.length : spaces));
  });
});
