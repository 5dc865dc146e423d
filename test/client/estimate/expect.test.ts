import { z } from 'zod';
import { expectationOf, expectedRecord, warmUpNano } from '../../../src/client/estimate/expect.js';
import { costNano } from '../../../src/models/cost.js';
import { createProviderSet } from '../../../src/providers/providerSet.js';
import { defineTask } from '../../../src/task/defineTask.js';
import type { OptimizationOptions } from '../../../src/task/optimization.js';
import type { Message } from '../../../src/task/spec.js';
import { ZERO_USAGE } from '../../../src/task/usage.js';
import { firstAsk } from '../../support/firstAsk.js';

const schema = z.object({ mood: z.string() });
const task = { name: 'moods', model: 'anthropic/claude-sonnet-4-6', prompt: '{{text}}', schema };

test('retries are assumed only where the ladder has any', async () => {
  const three = await expectationOf(defineTask(task).spec, null, '');
  expect(three).toMatchObject({ extraPrompts: 0.05, partialShare: 1 });
  const one = await expectationOf(defineTask({ ...task, maxPrompts: 1 }).spec, null, '');
  expect(one).toMatchObject({ extraPrompts: 0, retriesOff: 0, retryBasis: 'none: maxPrompts is 1' });
});

describe('what writing the cache costs', () => {
  const size = { prefix: 5000, whole: 5200 };
  const marked: readonly Message[] = [
    { role: 'user', content: [{ type: 'text', text: 'A definition. '.repeat(2000), cache: true }] },
    { role: 'assistant', content: 'Noted.' },
    { role: 'user', content: 'The record.' },
  ];
  const plain: readonly Message[] = [{ role: 'user', content: 'The record.' }];

  function ask(messages: readonly Message[], optimization: OptimizationOptions = {}) {
    const instructions = 'Weigh what is written. '.repeat(1000);
    const model = 'anthropic/claude-sonnet-4-6';
    const defined = defineTask({ name: 'defined', model, instructions, messages, optimization });
    return firstAsk(defined, messages, createProviderSet({ env: {} }), new Date('2026-11-27'));
  }

  const usage = { ...ZERO_USAGE, inputTokens: size.whole };
  const read = { ...usage, cachedInputTokens: size.prefix };

  test.each([
    ['for five minutes', plain, {}, 0],
    ['for an hour, as the task wants all of it', plain, { cache: { defaultTtlSeconds: 600 } }, size.prefix],
    ['for an hour, as blocks a task marks live', marked, {}, size.prefix],
  ] as const)('%s', (_, messages, optimization, cacheWrite1hTokens) => {
    const one = ask(messages, optimization);
    const billed = { ...usage, cacheWriteTokens: size.prefix, cacheWrite1hTokens };
    const premium = (costNano(one.info, billed) ?? 0) - (costNano(one.info, read) ?? 0);
    expect(premium).toBeGreaterThan(0);
    expect(warmUpNano(one, size)).toBe(premium);
  });

  test('a later prompt that finds no cache writes it for as long', async () => {
    const expected = await expectationOf(defineTask(task).spec, null, '');
    const { prompts } = expectedRecord({ bytes: 1, ask: ask(marked), size }, expected, 1);
    expect(prompts[1]?.usage).toMatchObject({ cacheWriteTokens: size.prefix, cacheWrite1hTokens: size.prefix });
  });
});
