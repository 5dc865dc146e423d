import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { defineTask } from '../../src/task/defineTask.js';
import { Bench } from '../support/bench.js';

jest.setTimeout(120_000);

let inFlight = 0;
let most = 0;
let calls = 0;
let tries = 0;

const CONCURRENCY = 6;
const counting = defineTask({
  name: 'counting',
  model: 'anthropic/claude-sonnet-4-6',
  prompt: '{{text}}',
  schema: z.object({ done: z.boolean() }),
  execute: async () => {
    calls += 1;
    inFlight += 1;
    most = Math.max(most, inFlight);
    // The first prompt goes alone; the next ones wait for company, so that a busy machine has time to send it.
    while (calls > 1 && most < CONCURRENCY) await sleep(10);
    await sleep(100);
    inFlight -= 1;
    return { text: '{"done":true}' };
  },
});

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
  for (let workers = 0; workers < 2; workers += 1) await bench.work({ tasks: [counting] });
});
afterAll(() => bench.close());

test.each(['item', 'inline'] as const)(
  'a batch has as many prompts in flight as it may, however many workers serve it, in %s mode',
  async (execution) => {
    most = 0;
    calls = 0;
    // Other records for each try: the same ones would be the same batch, which has ended.
    tries += 1;
    const records = Array.from({ length: 60 }, (_, i) => ({ text: `${execution} ${i} of try ${tries}` }));
    const batch = await bench.tempered.startBatch(counting, records, { execution, concurrency: CONCURRENCY });
    expect(await batch.result()).toMatchObject({ succeeded: 60, prompts: 60 });
    expect(most).toBe(CONCURRENCY);
  },
);
