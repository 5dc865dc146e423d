import { buildAsk, cacheOf, withTokens } from '../../src/activities/ask.js';
import { NO_CONTROL } from '../../src/client/preview.js';
import { createProviderSet } from '../../src/providers/providerSet.js';
import { initialState, planOf } from '../../src/recovery/ladder.js';
import { compileValidator } from '../../src/recovery/validators.js';
import type { Control } from '../../src/store/types.js';
import { defineTask } from '../../src/task/defineTask.js';

const task = defineTask({
  name: 'sorted',
  model: 'anthropic/claude-sonnet-4-6',
  instructions: 'Sort it. '.repeat(1000),
  prompt: () => [{ type: 'text' as const, text: 'Definitions', cache: true }],
});
const { hash, spec, functions } = task;
const plan = planOf(spec);
const endpoints = createProviderSet({ env: {} });

function ask(control: Partial<Control> = {}) {
  return buildAsk({
    task: {
      hash,
      spec,
      plan,
      checkShape: compileValidator({ schema: undefined, zod: undefined }),
      functions,
      module: task,
    },
    record: { index: 0, id: '', line: null, input: {}, rendered: null },
    state: initialState(plan),
    kept: null,
    control: { ...NO_CONTROL, ...control },
    prepared: undefined,
    endpoints,
    now: new Date(),
  });
}

test("a provider's count holds for its own model alone: another one counts otherwise", () => {
  const cache = withTokens(cacheOf(ask(), 'estimate'), 1100);
  expect(ask({ cache }).caching?.decision.prefixTokens).toBe(1100);
  const model = 'anthropic/claude-haiku-4-5';
  expect(ask({ cache, model }).caching?.decision.prefixTokens).toBe(ask({ model }).caching?.decision.prefixTokens);
});

test('blocks that differ from record to record are sent without their marks; the instructions stay cached', () => {
  expect(ask().request).toMatchObject({ messages: [{ content: [{ cache: true }] }], cacheMarks: { life: '1h' } });
  const { request } = ask({ cache: { ...cacheOf(ask(), 'estimate'), marksDiffer: true } });
  expect(request.messages).toEqual([{ role: 'user', content: [{ type: 'text', text: 'Definitions' }] }]);
  expect(request.cacheMarks).toMatchObject({ life: '5m', system: true });
});
