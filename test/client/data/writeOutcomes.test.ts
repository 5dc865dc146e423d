import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { assertWritable, openDataset, writeOutcomes } from '../../../src/client/data/index.js';

import { TemperedError } from '../../../src/task/errors.js';
import type { Json } from '../../../src/task/json.js';
import type { Outcome } from '../../../src/task/outcome.js';
import { ZERO_USAGE } from '../../../src/task/usage.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tempered-out'[x]-"));
});
afterEach(() => rm(folder, { recursive: true }));

function outcome(index: number, output: Json, rest: Partial<Outcome> = {}): Outcome {
  const usage = { ...ZERO_USAGE, inputTokens: 10, outputTokens: 5 };
  const ids = { workflowId: `b/${index}`, runId: null };
  return { index, id: `r${index}`, status: 'succeeded', output, prompts: [], usage, costUsd: 0.25, ...ids, ...rest };
}

const error = { category: 'refusal', message: 'It said "no",\nthen nothing.', retryable: false } as const;
const OUTCOMES: readonly Outcome[] = [
  outcome(0, { label: 'a, "b"\nc', score: 1, sure: true, tags: ['x'], mixed: 1, ratio: 1 }),
  outcome(1, { label: 'é', score: 2, sure: false, tags: [], mixed: 'two', ratio: 0.5 }),
  outcome(2, null, { status: 'failed', error, costUsd: null }),
];

async function read(file: string): Promise<Json[]> {
  const values: Json[] = [];
  for await (const { value } of (await openDataset(file, { onBad: 'fail' })).records()) values.push(value);
  return values;
}

const common = { prompts: 0, input_tokens: 10, output_tokens: 5 };
const fine = { ...common, status: 'succeeded', error_category: null, error_message: null, cost_usd: 0.25 };
const first = JSON.stringify(OUTCOMES[0]?.output);
const second = JSON.stringify(OUTCOMES[1]?.output);

describe('writeOutcomes', () => {
  it('writes JSON Lines that hold each outcome as it is', async () => {
    const file = path.join(folder, 'out.jsonl');
    expect(await writeOutcomes(file, [OUTCOMES.slice(0, 2), OUTCOMES.slice(2)])).toBe(3);
    expect(await read(file)).toEqual(OUTCOMES);
    expect(await readdir(folder)).toEqual(['out.jsonl']);
  });

  it('writes Parquet with typed columns for the fields of the answers', async () => {
    const file = path.join(folder, 'out.parquet');
    expect(await writeOutcomes(file, [OUTCOMES.slice(0, 2), OUTCOMES.slice(2)])).toBe(3);
    const none = { label: null, score: null, sure: null, mixed: null, ratio: null };
    const fields = (values: object) =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [`output.${name}`, value]));
    const one = { label: 'a, "b"\nc', score: 1, sure: true, mixed: '1', ratio: 1 };
    const two = { label: 'é', score: 2, sure: false, mixed: 'two', ratio: 0.5 };
    expect(await read(file)).toEqual([
      { index: 0, id: 'r0', ...fine, output: first, ...fields(one) },
      { index: 1, id: 'r1', ...fine, output: second, ...fields(two) },
      {
        ...{ index: 2, id: 'r2', ...common, status: 'failed', output: null, cost_usd: null },
        ...{ error_category: 'refusal', error_message: error.message, ...fields(none) },
      },
    ]);
    expect(await readdir(folder)).toEqual(['out.parquet']);
  });

  it('writes CSV in the order of the columns', async () => {
    const file = path.join(folder, 'out.csv');
    await writeOutcomes(file, [OUTCOMES.slice(0, 2), OUTCOMES.slice(2)]);
    expect((await readFile(file, 'utf8')).split('\n')[0]).toBe(
      'index,id,status,output,output.label,output.score,output.sure,output.mixed,output.ratio,' +
        'error_category,error_message,prompts,cost_usd,input_tokens,output_tokens',
    );
    const [, , failed] = await read(file);
    expect(failed).toMatchObject({ index: '2', 'output.label': '', error_message: error.message });
    expect((await read(file))[0]).toMatchObject({ 'output.label': 'a, "b"\nc', output: first, cost_usd: '0.25' });
  });

  it('writes text answers as they are, and a table without any outcome', async () => {
    const file = path.join(folder, 'text.csv');
    await writeOutcomes(file, [[outcome(0, 'plain text')]]);
    expect(await read(file)).toMatchObject([{ output: 'plain text' }]);
    for (const name of ['none.csv', 'none.parquet']) {
      expect(await writeOutcomes(path.join(folder, name), [])).toBe(0);
      expect(await read(path.join(folder, name))).toEqual([]);
    }
  });

  it('leaves the old file and nothing else when it fails half-way', async () => {
    async function* broken() {
      yield [outcome(0, 'x')];
      throw new Error('the store is gone');
    }
    for (const name of ['out.jsonl', 'out.csv', 'out.parquet']) {
      const file = path.join(folder, name);
      await writeFile(file, 'old');
      await expect(writeOutcomes(file, broken())).rejects.toThrow('the store is gone');
      expect(await readFile(file, 'utf8')).toBe('old');
    }
    expect(await readdir(folder)).toEqual(['out.csv', 'out.jsonl', 'out.parquet']);
  });

  it('says what a full disk, a missing folder and a read-only one mean', async () => {
    async function* full() {
      yield [outcome(0, 'x')];
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    }
    await expect(writeOutcomes(path.join(folder, 'out.jsonl'), full())).rejects.toThrow('is full');
    await expect(assertWritable(path.join(folder, 'no', 'out.jsonl'))).rejects.toThrow('There is no folder');
    const readOnly: unknown = await writeOutcomes('/sys/out.csv', [OUTCOMES]).catch((reason: unknown) => reason);
    expect(readOnly).toBeInstanceOf(TemperedError);
    await expect(assertWritable(path.join(folder, 'out.txt'))).rejects.toThrow("can't be written");
    await assertWritable(path.join(folder, 'out.csv'));
    expect(await readdir(folder)).toEqual([]);
  });
});
