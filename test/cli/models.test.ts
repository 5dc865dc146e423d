import { simulatorEnv } from '../../src/simulator/index.js';
import { simulate, stopAll } from '../simulator/wire.js';
import { CliFolder, jsonOf } from '../support/cli.js';
import { containing } from '../support/match.js';

/** Nothing listens there. */
const NOBODY = 'http://127.0.0.1:9/v1';

let folder: CliFolder;
let env: Record<string, string>;

beforeAll(async () => {
  const { url } = await simulate();
  env = { ...simulatorEnv(url), OLLAMA_BASE_URL: NOBODY };
  folder = await CliFolder.make({ LMSTUDIO_BASE_URL: NOBODY, OLLAMA_BASE_URL: NOBODY });
  const models = { 'compatible/mine': { contextTokens: 4096, prices: [{ input: 0.1, output: 0.3 }] } };
  await folder.write('tempered.config.json', { models });
});
afterAll(async () => {
  await folder.remove();
  await stopAll();
});

test('models list tells what is known, what endpoints list, and who could not be asked', async () => {
  const end = await folder.run(['models', 'list'], env);
  expect(end).toMatchObject({ code: 0, stderr: '' });
  expect(end.stdout).toMatch(/^model +state +context +answer +\$\/M in/);
  expect(end.stdout).toMatch(/anthropic\/claude-haiku-5-5 +listed +1,000,000 .*\+/);
  expect(end.stdout).toMatch(/lmstudio\/qwen3-8b +loaded +32,768 +unknown +0 +0/);
  expect(end.stdout).toMatch(/lmstudio\/gemma-3-4b-it +not loaded/);
  expect(end.stdout).toMatch(/compatible\/mine +\S.*4,096 +unknown +0.1 +0.3/);
  expect(end.stdout).toMatch(/ollama could not be asked: .*127\.0\.0\.1:9/);
});

test('models list of one endpoint, for programs, without asking it', async () => {
  const asked = jsonOf(await folder.run(['models', 'list', 'lmstudio', '--json'], env));
  expect(asked).toEqual({
    rows: [
      expect.objectContaining({ model: 'lmstudio/gemma-3-4b-it', listed: true, loaded: false }),
      expect.objectContaining({ model: 'lmstudio/qwen3-8b', listed: true, loaded: true }),
    ],
    silent: [],
  });
  const known = await folder.run(['models', 'list', 'anthropic', '--offline', '--json']);
  expect(jsonOf(known)).toMatchObject({ silent: [] });
  expect(known.stdout).toMatch(/"listed":null,"loaded":null/);
  const without = await folder.run(['models', 'list', 'anthropic']);
  expect(without).toMatchObject({ code: 0, stdout: containing('ANTHROPIC_API_KEY is not set') });
});

test('models show tells prices by prompt size, and what is not known', async () => {
  const { stdout } = await folder.run(['models', 'show', 'anthropic/claude-haiku-5-5', '--offline']);
  expect(stdout).toMatch(/prompts, up to 100,000 +0\.1 /);
  expect(stdout).toMatch(/prompts, longer +0\.5 /);
  expect(stdout).toMatch(/Batch API, up to 100,000 +0\.05 /);
  expect(stdout).toMatch(/temperature +none that is known/);
  const local = jsonOf(await folder.run(['models', 'show', 'lmstudio/qwen3-8b', '--json'], env));
  expect(local).toMatchObject({ model: 'lmstudio/qwen3-8b', loaded: true, info: { contextTokens: 32_768 } });
  // An alias is the model it names.
  const alias = jsonOf(await folder.run(['models', 'show', 'anthropic/claude-haiku-4-5-20251001', '--json'], env));
  expect(alias).toMatchObject({ model: 'anthropic/claude-haiku-4-5-20251001', listed: true });
});

test.each([
  [['list', 'antropic'], 1, /There is no provider "antropic"[\s\S]*Did you mean anthropic/],
  [['list', 'lmstudio'], 4, /127\.0\.0\.1:9/],
  [['show', 'anthropic/claude-haiku-5-6'], 1, /Nothing is known of .* Did you mean anthropic\/claude-haiku-5-5/],
])('models %j is refused in words', async (args, code, words) => {
  const end = await folder.run(['models', ...args]);
  expect(end).toMatchObject({ code, stdout: '' });
  expect(end.stderr).toMatch(words);
});
