import { checkBudget, checkConcurrency, checkDeadline, checkModels, checkStoreReach } from '../../src/client/checks.js';
import { withModel } from '../../src/client/withModel.js';
import { createProviderSet } from '../../src/providers/providerSet.js';
import { defineTask } from '../../src/task/defineTask.js';
import { containing } from '../support/match.js';

const task = (model: string) => defineTask({ name: 'checks', model, prompt: '{{text}}' });
const providers = (env: Record<string, string>) => createProviderSet({ env, endpoints: {} });
const KEYED = { ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' };

test('a known model with its key set passes, local endpoints need neither', async () => {
  await checkModels(task('anthropic/claude-sonnet-4-6').spec, providers(KEYED));
  await checkModels(task('ollama/whatever:7b').spec, providers({}));
});

test('a missing key names its variable', async () => {
  await expect(checkModels(task('anthropic/claude-sonnet-4-6').spec, providers({}))).rejects.toMatchObject({
    category: 'authentication',
    explanation: containing('ANTHROPIC_API_KEY'),
  });
});

test('an unknown provider is refused with the near name', async () => {
  await expect(checkModels(task('antropic/claude-sonnet-4-6').spec, providers(KEYED))).rejects.toMatchObject({
    category: 'input',
    explanation: containing('anthropic'),
  });
});

test("a stage's model is checked too", async () => {
  const stages = [{ kind: 'full' as const }, { kind: 'full' as const, model: 'openai/gpt-5-mini' }];
  const { spec } = defineTask({ name: 'checks', model: 'anthropic/claude-sonnet-4-6', prompt: '{{text}}', stages });
  await expect(checkModels(spec, providers(KEYED))).rejects.toThrow(/OPENAI_API_KEY|openai/);
});

test('a budget needs a known price and a sensible number', () => {
  const known = providers({});
  expect(() => checkBudget(task('compatible/some-model').spec, 1, known)).toThrow(
    /price of compatible\/some-model is not known/,
  );
  expect(() => checkBudget(task('anthropic/claude-sonnet-4-6').spec, -1, known)).toThrow(/0 or more/);
  checkBudget(task('anthropic/claude-sonnet-4-6').spec, 1, known);
  checkBudget(task('compatible/some-model').spec, undefined, known);
  const models = { 'compatible/some-model': { prices: [{ input: 1, output: 2 }] } };
  checkBudget(task('compatible/some-model').spec, 1, createProviderSet({ env: {}, models }));
});

test('concurrency and deadline are checked', () => {
  expect(() => checkConcurrency(0)).toThrow(/1 to 10000/);
  expect(() => checkConcurrency(2.5)).toThrow(/1 to 10000/);
  checkConcurrency(undefined);
  expect(() => checkDeadline('tomorrow')).toThrow(/is not a time/);
  expect(() => checkDeadline('2020-01-01T00:00:00Z')).toThrow(/has passed/);
  expect(checkDeadline(new Date('2999-01-01T00:00:00Z'))).toBe('2999-01-01T00:00:00.000Z');
});

test('a store on this machine does not go with a shared cluster', () => {
  const target = (kind: 'embedded' | 'cluster', address: string) => ({ kind, address });
  expect(() => checkStoreReach('sqlite:.tempered/store.db', target('cluster', 'temporal.corp:7233'))).toThrow(
    /shared, but the store sqlite:\.tempered\/store\.db is a file on this machine/,
  );
  checkStoreReach('sqlite:x', target('cluster', '127.0.0.1:7233'));
  checkStoreReach('sqlite:x', target('cluster', 'localhost:7233'));
  checkStoreReach('postgres://db/x', target('cluster', 'temporal.corp:7233'));
});

test('another model makes another task', () => {
  const one = task('anthropic/claude-sonnet-4-6');
  const other = withModel(one, 'openai/gpt-5-mini');
  expect(other.spec.model).toBe('openai/gpt-5-mini');
  expect(other.hash).not.toBe(one.hash);
  expect(withModel(one, 'openai/gpt-5-mini').hash).toBe(other.hash);
  expect(withModel(one, 'anthropic/claude-sonnet-4-6')).toBe(one);
  expect(() => withModel(one, 'gpt')).toThrow(/provider\/model/);
});
