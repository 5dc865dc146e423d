import { z } from 'zod';
import { expectationOf } from '../../../src/client/estimate/expect.js';
import { defineTask } from '../../../src/task/defineTask.js';

const schema = z.object({ mood: z.string() });
const task = { name: 'moods', model: 'anthropic/claude-sonnet-4-6', prompt: '{{text}}', schema };

test('retries are assumed only where the ladder has any', async () => {
  const three = await expectationOf(defineTask(task).spec, null, '');
  expect(three).toMatchObject({ extraPrompts: 0.05, partialShare: 1 });
  const one = await expectationOf(defineTask({ ...task, maxPrompts: 1 }).spec, null, '');
  expect(one).toMatchObject({ extraPrompts: 0, retriesOff: 0, retryBasis: 'none: maxPrompts is 1' });
});
