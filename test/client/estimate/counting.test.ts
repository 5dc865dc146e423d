import { countPrompts } from '../../../src/client/estimate/counting.js';
import { createProviderSet } from '../../../src/providers/providerSet.js';
import { defineTask } from '../../../src/task/defineTask.js';
import type { Message } from '../../../src/task/spec.js';
import { firstAsk } from '../../support/firstAsk.js';

const providers = createProviderSet({ env: {} });

/** Sizes of a prompt with these turns before the record's. */
async function sizeOf(shots: readonly Message[]) {
  const record: Message = { role: 'user', content: 'The record.' };
  const messages = [...shots, record];
  const task = defineTask({ name: 'shots', model: 'openai/gpt-4.1-mini', messages });
  const ask = firstAsk(task, messages, providers);
  const onProgress = () => undefined;
  const { sizes } = await countPrompts([ask], ask.model, { providers, askProvider: false, onProgress });
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
