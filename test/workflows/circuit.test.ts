import { z } from 'zod';
import { CLOSED } from '../../src/limits/circuit.js';
import { defineTask } from '../../src/task/defineTask.js';
import { Bench, outcomesOf, records, until } from '../support/bench.js';

jest.setTimeout(60_000);

const schema = z.object({ mood: z.enum(['happy', 'sad']), words: z.int() });
const prompt = 'Greeting: {{text}}';
const task = defineTask({ name: 'sturdy', model: 'anthropic/claude-sonnet-4-6', prompt, schema });
const withFallback = defineTask({
  name: 'fallback',
  model: 'gemini/gemini-2.5-flash',
  fallbackModel: 'anthropic/claude-haiku-4-5',
  prompt,
  schema,
});

let bench: Bench;
let worker: Awaited<ReturnType<Bench['work']>>;
beforeAll(async () => {
  bench = await Bench.open();
  worker = await bench.work({ pools: ['anthropic', 'gemini'] });
});
afterAll(() => bench.close());
beforeEach(() => bench.clearLedger());

const circuitOf = async (name: string) => (await bench.tempered.circuits()).find(({ endpoint }) => endpoint === name);
/** The time an open circuit waits is over. */
const timePasses = (endpoint: string) =>
  bench.store.changeCircuit(endpoint, (circuit, now) => ({ ...circuit, openUntil: now - 1 }));

test('an endpoint that fails is left alone, and nothing is lost', async () => {
  await bench.scenario({ latency: { fixedMs: 30 } });
  const batch = await bench.tempered.startBatch(task, records(60), { concurrency: 8 });
  await until(async () => (await batch.progress()).counters.succeeded >= 3);
  await bench.scenario({ rates: { serverError: 1 }, latency: { fixedMs: 30 } });
  const circuit = await until(async () => {
    const found = await circuitOf('anthropic');
    return found !== undefined && found.openUntil > 0 && found;
  });
  expect(circuit.failures).toBeGreaterThanOrEqual(5);
  await until(() => Promise.resolve(worker.limiter(batch.id) === 'endpoint'));
  await until(async () => (await batch.progress()).counters.inFlight === 0);
  const { prompts, failed } = (await batch.progress()).counters;
  expect(failed).toBe(0);
  expect(await batch.progress()).toMatchObject({ status: 'running', paused: null });

  // The first one that is let through fails too: the circuit opens again, and one prompt was spent on it.
  await timePasses('anthropic');
  await until(async () => (await circuitOf('anthropic'))?.failedProbes === 1);
  expect((await batch.progress()).counters.prompts).toBe(prompts + 1);
  await bench.scenario({});
  await timePasses('anthropic');
  expect(await batch.result()).toMatchObject({ status: 'finished', succeeded: 60 });
  expect(await circuitOf('anthropic')).toBeUndefined();
});

test('a task with a fallback goes on there, and its outcomes tell; when the endpoint is back, it is asked again', async () => {
  await bench.scenario({});
  await bench.store.changeCircuit('gemini', (_, now) => ({
    ...CLOSED,
    failures: 5,
    openUntil: now + 60_000,
    reason: 'down',
  }));
  const one = await bench.tempered.startBatch(withFallback, records(6, 2_000), { execution: 'inline' });
  expect(await one.result()).toMatchObject({ status: 'finished', succeeded: 6 });
  for (const { prompts } of await outcomesOf(one)) {
    expect(prompts).toMatchObject([
      { model: 'anthropic/claude-haiku-4-5', variation: { model: 'anthropic/claude-haiku-4-5' }, result: 'valid' },
    ]);
  }
  await timePasses('gemini');
  const two = await bench.tempered.startBatch(withFallback, records(6, 3_000));
  expect(await two.result()).toMatchObject({ status: 'finished', succeeded: 6 });
  expect((await outcomesOf(two)).map(({ prompts }) => prompts[0]?.model)).toContain('gemini/gemini-2.5-flash');
  expect(await circuitOf('gemini')).toBeUndefined();
});
