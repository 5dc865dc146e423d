import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { openRegistry } from '../../src/client/openRegistry.js';
import { createProviderSet } from '../../src/providers/providerSet.js';
import { ModelLists, ModelNotFoundError } from '../../src/registry/modelList.js';
import { ENHANCED_BY_DEFAULT, FLIP_VERSION, isEnhanced } from '../../src/registry/mode.js';
import { Registry } from '../../src/registry/registry.js';
import { simulatorEnv } from '../../src/simulator/index.js';
import { containing } from '../support/match.js';
import { simulate, stopAll } from '../simulator/wire.js';

afterAll(stopAll);

const KEYS = { ANTHROPIC_API_KEY: 'k', OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' };
const parts = (env: Record<string, string>, enhancedByDefault: boolean) => ({
  providers: createProviderSet({ env: KEYS }),
  env,
  defaultModel: 'anthropic/claude-sonnet-4-6',
  enhancedByDefault,
});

describe.each([
  ['before the flip', false],
  ['after the flip', true],
])('%s', (_phase, enhancedByDefault) => {
  it.each([
    [{}, undefined, enhancedByDefault],
    [{ TEMPERED_ENHANCED: 'true' }, undefined, true],
    [{ TEMPERED_ENHANCED: 'TRUE' }, undefined, true],
    [{ MODELFORGE_ENHANCED: 'True' }, undefined, true],
    [{ TEMPERED_ENHANCED: 'false', MODELFORGE_ENHANCED: 'true' }, undefined, false],
    [{ TEMPERED_ENHANCED: '1' }, undefined, enhancedByDefault],
    [{ TEMPERED_ENHANCED: 'yes' }, undefined, enhancedByDefault],
    [{ TEMPERED_ENHANCED: 'true' }, false, false],
    [{ TEMPERED_ENHANCED: 'false' }, true, true],
  ])('%j and enhanced: %s', (env, asked, expected) => {
    const made = new Registry(parts(env, enhancedByDefault));
    expect(made.getLlm(asked === undefined ? {} : { enhanced: asked }).isEnhanced).toBe(expected);
    expect(made.handleCounts.enhancedShare).toBe(expected ? 1 : 0);
  });
});

test('the coming flip is told once per process, and never to who chose', async () => {
  const emit = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  await jest.isolateModulesAsync(async () => {
    const fresh = await import('../../src/registry/mode.js');
    fresh.isEnhanced(true, { env: {}, enhancedByDefault: false });
    fresh.isEnhanced(false, { env: {}, enhancedByDefault: false });
    fresh.isEnhanced(undefined, { env: { TEMPERED_ENHANCED: 'false' }, enhancedByDefault: false });
    fresh.isEnhanced(undefined, { env: {}, enhancedByDefault: true });
    expect(emit).not.toHaveBeenCalled();
    fresh.isEnhanced(undefined, { env: {}, enhancedByDefault: false });
    fresh.isEnhanced(undefined, { env: {}, enhancedByDefault: false });
    expect(emit).toHaveBeenCalledTimes(1);
  });
  const [said, options] = emit.mock.calls[0] ?? [];
  expect(said).toMatch(/From \d+\.\d+\.\d+ on .*enhanced: false .*TEMPERED_ENHANCED=true/);
  expect(options).toMatchObject({ type: 'DeprecationWarning' });
  expect(isEnhanced(undefined, { env: {}, enhancedByDefault: true })).toBe(true);
  emit.mockRestore();
});

test('the flip comes with its version, which docs and notice name', () => {
  const root = path.join(__dirname, '../..');
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')));
  const later = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true }) >= 0;
  expect(ENHANCED_BY_DEFAULT).toBe(later(version, FLIP_VERSION));
  const [, table = ''] = readFileSync(path.join(root, 'docs/models.md'), 'utf8').split('### Release phases');
  const phases = [...table.matchAll(/^\| (\d+\.\d+) +\| an? (plain|enhanced) handle/gm)].map((row) => row.slice(1));
  expect(phases).toEqual([
    ['0.2', 'plain'],
    [FLIP_VERSION.split('.').slice(0, 2).join('.'), 'enhanced'],
  ]);
});

test('a handle needs a model, its provider a key', () => {
  const made = new Registry({ ...parts({}, true), defaultModel: undefined });
  expect(() => made.getLlm()).toThrow(/No model is named/);
  expect(() => new Registry(parts({}, true)).getLlm({ provider: 'openai' })).toThrow(/No model of openai/);
  expect(made.getLlm({ provider: 'openai', model: 'gpt-4.1' })).toMatchObject({ provider: 'openai', model: 'gpt-4.1' });
  expect(() => made.getLlm({ model: 'gemini/gemini-2.5-pro' })).toThrow(/GEMINI_API_KEY/);
  expect(() => made.fromJSON({ provider: 'openai' })).toThrow(/describes no handle: model/);
  expect(made.handleCounts).toEqual({ enhanced: 1, plain: 0, enhancedShare: 1 });
});

describe('asking an endpoint for a model', () => {
  it('accepts every documented name, and names what there is', async () => {
    const { url } = await simulate();
    const made = new Registry({ ...parts({}, true), providers: createProviderSet({ env: simulatorEnv(url) }) });
    expect(await made.validateModel('anthropic/claude-haiku-4-5-20251001')).toBe('anthropic/claude-haiku-4-5-20251001');
    const missing = made.validateModel('lmstudio/qwen3-8');
    await expect(missing).rejects.toBeInstanceOf(ModelNotFoundError);
    await expect(missing).rejects.toMatchObject({
      category: 'model_not_found',
      message: containing('Did you mean qwen3-8b?'),
      available: ['qwen3-8b', 'gemma-3-4b-it'],
      explanation: containing('It has qwen3-8b, gemma-3-4b-it.'),
    });
    expect(await made.validateModel('lmstudio/none', { fallback: true })).toBe('anthropic/claude-sonnet-4-6');
    expect(await made.listModels('openai')).toContain('gpt-4.1');
  });

  it('asks once a minute, however many want to know, and keeps no failure', async () => {
    let asked = 0;
    let fails = true;
    const list = () => {
      asked += 1;
      return fails ? Promise.reject(new Error('down')) : Promise.resolve(['m']);
    };
    const set = createProviderSet({ env: {} });
    const ollama = { ...set.get('ollama'), listModels: list };
    let now = 0;
    const lists = new ModelLists({ ...set, get: () => ollama }, () => now);
    await expect(lists.list('ollama')).rejects.toThrow('down');
    fails = false;
    await Promise.all(Array.from({ length: 20 }, () => lists.check({ provider: 'ollama', model: 'm' })));
    expect(asked).toBe(2);
    now = 59_999;
    await lists.list('ollama');
    expect(asked).toBe(2);
    now = 60_000;
    await lists.list('ollama');
    expect(asked).toBe(3);
  });
});

test('openRegistry reads the config file of its folder', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tempered-registry-'));
  const models = { 'ollama/mine': { contextTokens: 1234 } };
  await writeFile(path.join(folder, 'tempered.config.json'), JSON.stringify({ models, defaultModel: 'ollama/mine' }));
  const registry = await openRegistry({ env: {}, folder });
  expect(registry.getLlm({ enhanced: true }).metadata.contextLength).toBe(1234);
  await rm(folder, { recursive: true });
});
