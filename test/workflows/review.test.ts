import { z } from 'zod';
import { defineTask } from '../../src/task/defineTask.js';
import { Bench, outcomesOf } from '../support/bench.js';
import { aText, containing } from '../support/match.js';

jest.setTimeout(120_000);

const options = {
  name: 'rated',
  model: 'gemini/gemini-2.5-flash',
  prompt: 'Greeting: {{text}}',
  schema: z.object({ mood: z.enum(['happy', 'sad']) }),
  review: { safety: 'MEDIUM' },
} as const;

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
  await bench.work({ pools: ['gemini'] });
});
afterAll(() => bench.close());

test('answers the model rated unsafe wait for a person, and are replaced by what the person says', async () => {
  const texts = ['a happy day', 'a dangerous day', 'a sad day'];
  const data = texts.map((text) => ({ text }));
  const batch = await bench.tempered.startBatch(defineTask(options), data);
  expect(await batch.result()).toMatchObject({ succeeded: 2, failed: 1, prompts: 3 });
  const held = [];
  for await (const outcome of batch.outcomes({ category: 'review' })) held.push(outcome);
  expect(held).toMatchObject([
    { index: 1, status: 'failed', error: { category: 'review', message: containing('DANGEROUS_CONTENT MEDIUM') } },
  ]);
  expect(held[0]?.output).toMatchObject({ mood: aText() });
  await batch.answer(1, { mood: 'sad' }, 'Ada');
  expect((await outcomesOf(batch))[1]).toMatchObject({ status: 'succeeded', output: { mood: 'sad' } });
});
