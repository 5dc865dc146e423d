import { once } from 'node:events';
import { createServer } from 'node:net';
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
let metrics: string;
let worker: Awaited<ReturnType<Bench['work']>>;
beforeAll(async () => {
  bench = await Bench.open();
  metrics = `127.0.0.1:${await freePort()}`;
  worker = await bench.work({ pools: ['anthropic', 'gemini'], metrics });
});
afterAll(() => bench.close());
beforeEach(() => bench.clearLedger());

const circuitOf = async (name: string) => (await bench.tempered.circuits()).find(({ endpoint }) => endpoint === name);
/** The value of the first metric whose line begins so. */
async function metered(beginning: string): Promise<number> {
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(beginning));
  return Number(line?.split(' ').at(-1));
}
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
  // The circuit hears of it before the journal does.
  await until(async () => (await batch.progress()).counters.prompts === prompts + 1);
  await bench.scenario({});
  await timePasses('anthropic');
  expect(await metered('tempered_circuit{endpoint="anthropic"}')).toBeGreaterThan(0);
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

test('metrics tell of prompts, tokens and money', async () => {
  const model = 'model="anthropic/claude-sonnet-4-6"';
  const { counters, money } = await bench.tempered.findBatch('sturdy').then((batch) => batch.progress());
  expect(await metered(`tempered_prompts{${model},result="valid"`)).toBe(60);
  expect(await metered(`tempered_prompts{${model},result="server_error"`)).toBe(counters.prompts - 60);
  expect(await metered(`tempered_tokens{kind="input",${model}`)).toBe(counters.usage.inputTokens);
  expect(await metered(`tempered_cost_nanousd{${model}`)).toBeCloseTo((money.spentUsd ?? 0) * 1e9);
});

/** A port nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('a rate limit proves that an endpoint is back: nobody waits for the one that found out', async () => {
  await bench.store.changeCircuit('anthropic', (_, now) => ({
    ...CLOSED,
    failures: 5,
    openUntil: now - 1,
    reason: 'down',
  }));
  await bench.scenario({ rates: { rateLimit: 1 }, retryAfterSeconds: 1 });
  const batch = await bench.tempered.startBatch(task, records(4, 5_000), { concurrency: 4 });
  await until(async () => (await circuitOf('anthropic')) === undefined);
  await bench.scenario({});
  expect(await batch.result()).toMatchObject({ status: 'finished', succeeded: 4 });
});
