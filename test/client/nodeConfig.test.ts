import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadNodeConfig } from '../../src/client/nodeConfig.js';
import { TemperedError } from '../../src/task/errors.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tempered-config-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function load(name: string, text: string) {
  await writeFile(path.join(folder, name), text);
  return loadNodeConfig(folder);
}

async function refusal(name: string, text: string): Promise<TemperedError> {
  const error: unknown = await load(name, text).catch((reason: unknown) => reason);
  if (!(error instanceof TemperedError)) throw new Error(String(error));
  expect(error.category).toBe('input');
  expect(error.options.place?.file).toBe(name);
  return error;
}

const ENDPOINT = { kind: 'openai-compatible', baseUrl: 'https://openrouter.ai/api/v1', apiKeyEnv: 'OPENROUTER_KEY' };

test('without a file there are the defaults', async () => {
  expect(await loadNodeConfig(folder)).toEqual({ providers: {}, pools: {}, models: {} });
});

test('a circuit breaker may be set in part', async () => {
  const { circuitBreaker } = await load('tempered.config.yaml', 'circuitBreaker: { failures: 3 }\n');
  expect(circuitBreaker).toEqual({ failures: 3, openMs: 60_000 });
});

test.each([
  ['tempered.config.json', JSON.stringify({ providers: { router: ENDPOINT } }, null, '\t')],
  ['tempered.config.yaml', `providers:\n  router: ${JSON.stringify(ENDPOINT)}\n`],
  [
    'tempered.config.yml',
    '\ufeffproviders:\n  router:\n    kind: openai\n    baseUrl: https://openrouter.ai/api/v1\n    apiKeyEnv: OPENROUTER_KEY\n',
  ],
])('%s names endpoints', async (name, text) => {
  expect(await load(name, text)).toEqual({ providers: { router: ENDPOINT }, pools: {}, models: {} });
});

test('an empty file is no configuration', async () => {
  expect(await load('tempered.config.yaml', '# later\n')).toEqual({ providers: {}, pools: {}, models: {} });
});

test('a key is refused, wherever it stands, and never shown', async () => {
  const error = await refusal(
    'tempered.config.yaml',
    'providers:\n  router:\n    kind: openai\n    baseUrl: https://x.example/v1\n    apiKey: sk-123\n',
  );
  expect(error.explanation).toContain('tempered.config.yaml, line 5: A key must not stand in a file');
  expect(error.explanation).toContain('apiKeyEnv');
  expect(error.explanation).not.toContain('sk-123');
});

test('what is not known is refused with near names and its line', async () => {
  const text =
    '{\n\t"providers": {\n\t\t"r": {\n\t\t\t"kind": "openai",\n\t\t\t"baseURL": "https://x.example/v1"\n\t\t}\n\t}\n}';
  const error = await refusal('tempered.config.json', text);
  expect(error.options.place?.line).toBe(5);
  expect(error.explanation).toContain('baseUrl');
  expect((await refusal('tempered.config.json', '{"provider": {}}')).message).toContain('Did you mean providers?');
});

test('wrong values and broken files name their line', async () => {
  const kind = await refusal(
    'tempered.config.yaml',
    'providers:\n  r:\n    kind: openia\n    baseUrl: https://x.example\n',
  );
  expect(kind.options.place?.line).toBe(3);
  expect(kind.message).toContain('providers.r.kind');
  const broken = await refusal('tempered.config.yaml', 'providers:\n  r: [1\n');
  expect(broken.options.place?.line).toBeGreaterThan(1);
  await refusal('tempered.config.yaml', 'just text');
});

test('models and the default model are read; wrong members name their line', async () => {
  const prices = [{ from: '2026-12-01', input: 1, output: 2 }];
  const text = JSON.stringify({
    models: { 'compatible/qwen': { contextTokens: 32768, prices } },
    defaultModel: 'openai/gpt-4.1',
  });
  expect(await load('tempered.config.json', text)).toEqual({
    providers: {},
    pools: {},
    models: { 'compatible/qwen': { contextTokens: 32768, prices } },
    defaultModel: 'openai/gpt-4.1',
  });
  const wrong = await refusal('tempered.config.json', '{"models": {\n"compatible/qwen": {\n"contextToken": 1}}}');
  expect(wrong.explanation).toContain('Did you mean contextTokens?');
  expect(wrong.options.place?.line).toBe(3);
  await refusal('tempered.config.json', '{"defaultModel": "gpt-4.1"}');
  await refusal('tempered.config.json', '{"models": {"gpt-4.1": {}}}');
});

test('two files are one too many', async () => {
  await writeFile(path.join(folder, 'tempered.config.yaml'), '');
  expect((await refusal('tempered.config.json', '{}')).message).toContain('tempered.config.yaml');
});

test('listeners are webhooks with a secret, or commands', async () => {
  const of = (ops: object) => JSON.stringify({ notify: { ops } });
  const webhook = { events: ['pause'], url: 'https://hooks.example.com/x', secretEnv: 'HOOK_SECRET' };
  expect((await load('tempered.config.json', of(webhook))).notify).toEqual({ ops: webhook });
  const unsigned = await refusal('tempered.config.json', of({ url: 'https://hooks.example.com/secret-path' }));
  expect(unsigned.explanation).toContain('secretEnv');
  expect(unsigned.explanation).not.toContain('secret-path');
  const both = await refusal('tempered.config.json', of({ ...webhook, command: ['x'] }));
  expect(both.explanation).toContain('one of url, urlEnv and command');
  expect((await refusal('tempered.config.json', of({ command: ['x'], every: 1 }))).explanation).toContain(
    '"notify.ops.every"',
  );
});
