import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const ROOT = path.join(__dirname, '../..');
const textOf = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');

const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(textOf('package.json')));
const benchmarks = Object.keys(scripts)
  .filter((name) => name.startsWith('bench:') && name !== 'bench:publish')
  .map((name) => name.slice('bench:'.length));

it.each(benchmarks)('has a script, figures and a picture of %s', (name) => {
  expect(scripts[`bench:${name}`]).toBe(`node bench/${name}.mjs`);
  expect(textOf(`bench/${name}.mjs`)).toContain(`name: '${name}'`);
  expect(textOf('docs/benchmarks.md')).toContain(`<!-- figures: ${name} -->`);
  expect(textOf('bench/publish.mjs')).toContain(`'${name}'`);
});

it('publishes only pictures that are there', () => {
  const shown = [...textOf('docs/benchmarks.md').matchAll(/\]\((benchmarks\/[^)]+)\)/g)].map((match) => match[1] ?? '');
  expect(shown.filter((file) => !existsSync(path.join(ROOT, 'docs', file)))).toEqual([]);
});

describe('the stub server', () => {
  let stub: ChildProcess;
  let url: string;
  beforeAll(async () => {
    stub = spawn(process.execPath, [path.join(ROOT, 'bench/support/stub.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const port = stub.stdout === null ? '' : String(await once(stub.stdout, 'data'));
    url = `http://127.0.0.1:${port.trim()}`;
  });
  afterAll(() => stub.kill());

  const post = (where: string, body: object) => fetch(`${url}${where}`, { method: 'POST', body: JSON.stringify(body) });
  const ask = (index: number) =>
    post('/v1/chat/completions', { messages: [{ role: 'user', content: `#${index} hi` }] });
  const counts = async (): Promise<unknown> => (await fetch(`${url}/counts`)).json();

  it('counts records, and those that ask twice', async () => {
    await post('/control', {});
    for (const index of [1, 2, 1]) expect((await ask(index)).status).toBe(200);
    expect(await counts()).toMatchObject({ requests: 3, records: 2, repeated: 1, limited: 0 });
  });

  it('refuses the request it was told to, once, with the wait', async () => {
    await post('/control', { limitAt: 2, retryAfterS: 7 });
    const replies = [await ask(1), await ask(2), await ask(2)];
    expect(replies.map(({ status }) => status)).toEqual([200, 429, 200]);
    expect(replies[1]?.headers.get('retry-after')).toBe('7');
    expect(await counts()).toMatchObject({ requests: 3, records: 2, repeated: 0, limited: 1 });
  });
});
