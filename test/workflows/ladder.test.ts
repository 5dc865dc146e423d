import { z } from 'zod';
import { defineTask } from '../../src/task/defineTask.js';
import { TemperedError } from '../../src/task/errors.js';
import { itemId } from '../../src/workflows/ids.js';
import { retryStateQuery } from '../../src/workflows/messages.js';
import { Bench, outcomesOf, records, until } from '../support/bench.js';
import { containing } from '../support/match.js';

jest.setTimeout(60_000);

const model = 'anthropic/claude-sonnet-4-6';
const prompt = 'Greeting: {{text}}';
const schema = z.object({ mood: z.enum(['happy', 'sad']), words: z.int(), language: z.string() });
const task = defineTask({ name: 'greetings', model, prompt, schema, maxOutputTokens: 200 });
const text = defineTask({ name: 'prose', model, prompt });

/** What ran in workers and loaders, counted. */
const calls = { prepare: 0, cleanup: 0 };
interface Scripted {
  readonly id: string;
  /** What the model says, prompt by prompt; `!` = the call fails. */
  readonly says: readonly string[];
  readonly before?: 'skip' | 'answer' | 'rewrite';
}
const scripted = defineTask({
  name: 'scripted',
  model,
  prompt: (input: Scripted, { prepared }) => `${JSON.stringify(prepared)} ${input.id}`,
  schema: z.object({ value: z.string(), number: z.int() }),
  before(input: Scripted) {
    if (input.before === 'skip') return { skip: 'not wanted' };
    if (input.before === 'answer') return { answer: { value: 'known', number: 1 } };
    if (input.before === 'rewrite') return { input: { ...input, says: ['{"value":"rewritten","number":1}'] } };
    return undefined;
  },
  prepare: () => ({ greeting: `prepared ${(calls.prepare += 1)}` }),
  cleanup: () => {
    calls.cleanup += 1;
  },
  async execute({ messages, input }, { attempt, state, signal }) {
    state.set('asked', JSON.stringify(messages));
    const says = z.object({ says: z.array(z.string()) }).parse(input).says[attempt - 1] ?? '';
    if (says === '!') throw new TemperedError('server_error', 'The line is bad.');
    if (says === 'wait')
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    return { text: says };
  },
  onError(error, { attempt, state }) {
    state.set(`error${attempt}`, error.code ?? error.category);
  },
  classify: (error) => (error.category === 'server_error' ? { code: 'bad_line' } : undefined),
  validate(output) {
    if (output.value === 'doubtful') return { review: 'Is this right?' };
    return output.number % 2 === 0 ? [{ path: ['number'], message: 'must be odd' }] : undefined;
  },
  postProcess({ output }) {
    const { value } = z.object({ value: z.string() }).catch({ value: '' }).parse(output);
    if (value === 'lower') return { output: { value: 'UPPER', number: 1 } };
    return value === 'look' ? { review: 'Please look.' } : undefined;
  },
});

let bench: Bench;
let worker: Awaited<ReturnType<Bench['work']>>;
beforeAll(async () => {
  bench = await Bench.open();
  worker = await bench.work({ tasks: [scripted] });
});
afterAll(() => bench.close());
beforeEach(() => bench.clearLedger());

const retryState = (batchId: string, index: number) =>
  bench.client.workflow.getHandle(itemId(batchId, index)).query(retryStateQuery);
const valid = (value: string) => JSON.stringify({ value, number: 1 });

test('wrong answers are mended stage by stage, and the books equal the provider’s', async () => {
  await bench.scenario({
    seed: 5,
    rates: { wrongFields: 0.4, missingFields: 0.1, invalidJson: 0.1 },
    laterStages: 0.5,
  });
  const batch = await bench.tempered.startBatch(task, records(60));
  const summary = await batch.result();
  const outcomes = await outcomesOf(batch);
  expect(outcomes.map(({ id }) => id)).toEqual(records(60).map(({ id }) => id));
  const totals = bench.sim.totals();
  const prompts = outcomes.flatMap((outcome) => outcome.prompts);
  expect(prompts).toHaveLength(totals.requests);
  expect(summary).toMatchObject({
    status: 'finished',
    prompts: totals.requests,
    usage: { inputTokens: totals.inputTokens, outputTokens: totals.outputTokens, unknownPrompts: 0 },
  });
  expect(summary.costUsd).toBeCloseTo(totals.costUsd, 9);
  expect(outcomes.reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0)).toBeCloseTo(totals.costUsd, 9);
  // A first answer that is valid costs one prompt; some were rescued by asking only for the fields that were wrong.
  const first = outcomes.filter((outcome) => outcome.prompts.length === 1);
  expect(first.length).toBeGreaterThan(10);
  const rescued = outcomes.filter(
    ({ status, prompts: all }) => status === 'succeeded' && all.at(-1)?.kind === 'partial',
  );
  expect(rescued.length).toBeGreaterThan(3);
  expect(rescued[0]?.prompts[0]).toMatchObject({ stage: 1, kind: 'full', result: 'invalid' });
  expect(rescued[0]?.prompts[0]?.issues?.length).toBeGreaterThan(0);
  for (const { status, output } of outcomes) if (status === 'succeeded') schema.parse(output);
});

test('five wrong answers are the end: the message says so, valid fields are kept', async () => {
  await bench.scenario({ rates: { wrongFields: 1 }, laterStages: 1 });
  const batch = await bench.tempered.startBatch(task, records(6, 100));
  const summary = await batch.result();
  expect(summary).toMatchObject({ status: 'finished', succeeded: 0, prompts: bench.sim.totals().requests });
  for (const { status, error, prompts, output } of await outcomesOf(batch)) {
    expect(prompts).toHaveLength(5);
    expect(error?.message).toContain('Exceeded max prompts: 5/5');
    expect(output !== null).toBe(status === 'partial');
  }
});

test('a truncated answer raises the output limit and is asked again in full', async () => {
  await bench.scenario({ rates: { truncation: 1 } });
  const batch = await bench.tempered.startBatch(task, records(1, 200));
  expect(await batch.result()).toMatchObject({ failed: 1, prompts: 5 });
  const [outcome] = await outcomesOf(batch);
  expect(outcome?.prompts.map(({ kind, result }) => `${kind} ${result}`)).toEqual(Array(5).fill('full truncated'));
  expect((await retryState(batch.id, 0)).maxOutputTokens).toBeGreaterThan(200);
  const [least, ...later] = bench.sim.ledger().map(({ outputTokens }) => outputTokens);
  expect(Math.max(...later)).toBeGreaterThan(least ?? 0);
  expect((await bench.client.workflow.getHandle(itemId(batch.id, 0)).describe()).status.name).toBe('FAILED');
});

test('a refusal ends the record after one prompt', async () => {
  await bench.scenario({ rates: { refusal: 1 } });
  const batch = await bench.tempered.startBatch(task, records(3, 300));
  expect(await batch.result()).toMatchObject({ failed: 3, prompts: 3 });
  expect((await outcomesOf(batch))[0]).toMatchObject({ error: { category: 'refusal' } });
});

test('a rate limit is waited for and spends nothing', async () => {
  await bench.scenario({ rates: { rateLimit: 1 }, retryAfterSeconds: 1 });
  const batch = await bench.tempered.startBatch(task, records(4, 400));
  await until(() => Promise.resolve((bench.sim.totals().unbilled['rateLimit'] ?? 0) >= 1));
  await bench.scenario({});
  expect(await batch.result()).toMatchObject({ succeeded: 4, prompts: 4 });
  expect(bench.sim.totals().requests).toBe(4);
});

test('a reset connection spends a prompt whose cost nobody knows', async () => {
  await bench.scenario({ rates: { reset: 1 } });
  const batch = await bench.tempered.startBatch(task, records(1, 500));
  await until(() => Promise.resolve((bench.sim.totals().unbilled['reset'] ?? 0) >= 1));
  await bench.scenario({});
  expect(await batch.result()).toMatchObject({ succeeded: 1 });
  const [outcome] = await outcomesOf(batch);
  expect(outcome?.prompts[0]).toMatchObject({ stage: 1, kind: 'full', result: 'network', usage: null, costUsd: null });
  expect(outcome?.prompts.at(-1)).toMatchObject({ stage: 1, kind: 'full', result: 'valid' });
  expect((await batch.progress()).counters.unknownPrompts).toBe((outcome?.prompts.length ?? 0) - 1);
});

test('without a schema the answer is text', async () => {
  await bench.scenario({});
  const batch = await bench.tempered.startBatch(text, records(2));
  expect(await batch.result()).toMatchObject({ succeeded: 2, prompts: 2 });
  expect((await outcomesOf(batch))[0]?.output).toEqual(expect.any(String));
});

test('functions of a task: each at its place, once; its state is in the workflow', async () => {
  const before = { ...calls };
  const batch = await bench.tempered.startBatch(scripted, [
    { id: 'plain', says: [valid('fine')] },
    { id: 'mended', says: ['!', '{"value":"a","number":2}', '{"number":3}'] },
    { id: 'skip', says: [], before: 'skip' },
    { id: 'answer', says: [], before: 'answer' },
    { id: 'rewrite', says: [], before: 'rewrite' },
    { id: 'post', says: [valid('lower')] },
    { id: 'hopeless', says: ['!', '!', '!', '!', '!'] },
  ] satisfies Scripted[]);
  expect(await batch.result()).toMatchObject({ succeeded: 5, failed: 1, notRun: 1 });
  const [plain, mended, skip, answer, rewrite, post, hopeless] = await outcomesOf(batch);
  expect(plain).toMatchObject({ status: 'succeeded', output: { value: 'fine', number: 1 } });
  expect(mended).toMatchObject({ status: 'succeeded', output: { value: 'a', number: 3 } });
  expect(mended?.prompts.map(({ kind, result }) => `${kind} ${result}`)).toEqual([
    'full server_error',
    'full invalid',
    'partial valid',
  ]);
  expect(skip).toMatchObject({
    status: 'notRun',
    prompts: [],
    error: { message: containing('not wanted') },
  });
  expect(answer).toMatchObject({ status: 'succeeded', output: { value: 'known' }, prompts: [] });
  expect(rewrite).toMatchObject({ status: 'succeeded', output: { value: 'rewritten' } });
  expect(post).toMatchObject({ status: 'succeeded', output: { value: 'UPPER' } });
  expect(hopeless).toMatchObject({ status: 'failed', error: { category: 'server_error', code: 'bad_line' } });
  expect(hopeless?.prompts).toHaveLength(5);
  const { user } = await retryState(batch.id, 1);
  expect(user).toMatchObject({ error1: 'bad_line', error2: 'invalid_output' });
  expect(user['asked']).toContain('prepared ');
  expect(calls).toEqual({ prepare: before.prepare + 1, cleanup: before.cleanup + 1 });
});

test('a record held for review is answered by a person, within the task’s rules', async () => {
  const batch = await bench.tempered.startBatch(scripted, [
    { id: 'doubtful', says: [valid('doubtful')] },
    { id: 'look', says: [valid('look')] },
  ] satisfies Scripted[]);
  expect(await batch.result()).toMatchObject({ failed: 2 });
  const held = await outcomesOf(batch);
  for (const outcome of held) expect(outcome).toMatchObject({ status: 'failed', error: { category: 'review' } });
  const shape = containing('does not fit the schema');
  await expect(batch.answer(0, { value: 1 })).rejects.toMatchObject({ category: 'input', explanation: shape });
  const rule = containing('must be odd');
  await expect(batch.answer(0, { value: 'x', number: 2 })).rejects.toMatchObject({ explanation: rule });
  await batch.answer(0, { value: 'by hand', number: 3 }, 'Ann');
  await batch.answer(1, { value: 'seen', number: 5 });
  expect(await outcomesOf(batch)).toMatchObject([
    { status: 'succeeded', output: { value: 'by hand' } },
    { status: 'succeeded', output: { value: 'seen' } },
  ]);
  expect(await batch.summary()).toMatchObject({ succeeded: 2, failed: 0 });
});

test('cleanup runs once after a cancel too', async () => {
  const before = { ...calls };
  const waiting: Scripted[] = Array.from({ length: 5 }, (_, i) => ({ id: `w${i}`, says: ['wait'] }));
  const first: Scripted = { id: 'cancelled', says: [valid('fine')] };
  const batch = await bench.tempered.startBatch(scripted, [first, ...waiting], { concurrency: 2 });
  await until(async () => (await batch.progress()).counters.inFlight >= 2);
  await batch.cancel();
  expect(await batch.result()).toMatchObject({ status: 'cancelled', items: 6 });
  expect((await outcomesOf(batch)).map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(calls).toEqual({ prepare: before.prepare + 1, cleanup: before.cleanup + 1 });
});

test('prepare does not run again when another worker goes on', async () => {
  const before = { ...calls };
  const waiting: Scripted[] = Array.from({ length: 3 }, (_, i) => ({ id: `p${i}`, says: ['wait', valid('fine')] }));
  const first: Scripted = { id: 'moved', says: [valid('fine')] };
  const batch = await bench.tempered.startBatch(scripted, [first, ...waiting], { concurrency: 3 });
  await until(async () => (await batch.progress()).counters.inFlight >= 3);
  await bench.leave(worker);
  worker = await bench.work({ tasks: [scripted] });
  expect(await batch.result()).toMatchObject({ status: 'finished', items: 4 });
  expect(calls).toEqual({ prepare: before.prepare + 1, cleanup: before.cleanup + 1 });
});
