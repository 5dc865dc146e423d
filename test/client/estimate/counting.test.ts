import { buildAsk } from '../../../src/activities/ask.js';
import { countPrompts } from '../../../src/client/estimate/counting.js';
import { NO_CONTROL } from '../../../src/client/preview.js';
import { createProviderSet } from '../../../src/providers/providerSet.js';
import { initialState, planOf } from '../../../src/recovery/ladder.js';
import { compileValidator } from '../../../src/recovery/validators.js';
import { defineTask } from '../../../src/task/defineTask.js';
import type { Message } from '../../../src/task/spec.js';

const providers = createProviderSet({ env: {} });

/** Sizes of a prompt with these turns before the record's. */
async function sizeOf(shots: readonly Message[]) {
  const record: Message = { role: 'user', content: 'The record.' };
  const messages = [...shots, record];
  const { hash, spec, functions } = defineTask({ name: 'shots', model: 'openai/gpt-4.1-mini', messages });
  const plan = planOf(spec);
  const ask = buildAsk({
    task: { hash, spec, plan, checkShape: compileValidator({ schema: undefined }), functions, module: undefined },
    record: { index: 0, id: '', line: null, input: null, recordHash: '', rendered: { messages } },
    state: initialState(plan),
    kept: null,
    control: NO_CONTROL,
    prepared: undefined,
    endpoints: providers,
    now: new Date(),
  });
  const onProgress = () => undefined;
  const { sizes } = await countPrompts([ask], spec.model, { providers, askProvider: false, onProgress });
  return sizes[0] ?? { prefix: 0, whole: 0 };
}

test('few-shot turns belong to the prefix, the record does not', async () => {
  const bare = await sizeOf([]);
  expect(bare.prefix).toBe(0);
  const shot = await sizeOf([
    { role: 'user', content: 'parcel late '.repeat(1000) },
    { role: 'assistant', content: 'delivery' },
  ]);
  expect(shot.prefix).toBeGreaterThan(2000);
  expect(shot.whole - shot.prefix).toBe(bare.whole);
});
