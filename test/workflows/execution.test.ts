import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { BatchHandle } from '../../src/client/handle.js';
import { defineTask } from '../../src/task/defineTask.js';
import { itemId, shardId } from '../../src/workflows/ids.js';
import type { ShardResult } from '../../src/workflows/types.js';
import { Bench, outcomesOf, records, until } from '../support/bench.js';
import { containing } from '../support/match.js';

jest.setTimeout(120_000);

const model = 'anthropic/claude-sonnet-4-6';
const prompt = 'Greeting: {{text}}';
const schema = z.object({ mood: z.enum(['happy', 'sad']), words: z.int() });
const task = defineTask({ name: 'greetings', model, prompt, schema });

/** What the post-processor saw, so that both modes can be held to the same calls. */
const processed: string[] = [];
const scripted = defineTask({
  name: 'scripted',
  model,
  prompt: (input: { id: string; says: string }) => input.says,
  schema: z.object({ value: z.string() }),
  execute: ({ input }, { attempt }) => {
    const { says } = z.object({ says: z.string() }).parse(input);
    return Promise.resolve({ text: says === 'later' && attempt === 1 ? 'no' : JSON.stringify({ value: says }) });
  },
  postProcess: ({ id, output }) => {
    processed.push(id);
    const { value } = z.object({ value: z.string() }).parse(output);
    if (value === 'broken') throw new Error('no such thing');
    if (value === 'lower') return { output: { value: 'UPPER' } };
    return value === 'look' ? { review: 'Please look.' } : undefined;
  },
});

let bench: Bench;
// So few events that a batch with many messages continues as new.
beforeAll(async () => {
  bench = await Bench.open({ dynamicConfig: ['limit.historyCount.suggestContinueAsNew=60'] });
  await bench.work({ tasks: [scripted], pools: ['anthropic', 'gemini', 'openai'] });
});
afterAll(() => bench.close());

/** What a batch needed: the same outcomes and the same bill are wanted of every mode. */
describe.each(['item', 'inline'] as const)('--execution %s', (execution) => {
  const base = execution === 'item' ? 100_000 : 200_000;
  let next = base;
  /** Starts a batch of records nobody has used before. */
  const start = (count: number, options: Parameters<Bench['tempered']['startBatch']>[2] = {}) => {
    next += 1_000;
    return bench.tempered.startBatch(task, records(count, next), { execution, ...options });
  };
  const progress = (batch: BatchHandle<unknown>) => batch.progress();
  const hasStatus = (batch: BatchHandle<unknown>, status: string) =>
    until(async () => (await progress(batch)).status === status);
  const slow = (ms: number) => bench.scenario({ latency: { fixedMs: ms } });
  const asked = (batch: BatchHandle<unknown>, count: number) =>
    until(async () => (await progress(batch)).counters.prompts >= count);
  const isWorkflow = (id: string | null, batch: BatchHandle<unknown>, index: number) =>
    execution === 'item' ? id === itemId(batch.id, index) : id === null;

  beforeEach(() => bench.clearLedger());

  test('wrong answers and bad lines are mended, and the books equal the provider’s', async () => {
    const rates = { wrongFields: 0.3, invalidJson: 0.1, truncation: 0.05, refusal: 0.05, serverError: 0.05 };
    await bench.scenario({ seed: 3, rates: { ...rates, overloaded: 0.03 }, laterStages: 0.5 });
    const batch = await start(130, { concurrency: 40 });
    const summary = await batch.result();
    const outcomes = await outcomesOf(batch);
    expect(outcomes.map(({ index }) => index)).toEqual(Array.from({ length: 130 }, (_, i) => i));
    const totals = bench.sim.totals();
    const failed = outcomes.flatMap((one) => one.prompts).filter(({ result }) => result === 'server_error').length;
    expect(summary).toMatchObject({
      status: 'finished',
      prompts: totals.requests + failed,
      usage: { inputTokens: totals.inputTokens, outputTokens: totals.outputTokens },
    });
    const billed = outcomes.flatMap((one) => one.prompts).reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0);
    expect(billed).toBeCloseTo(totals.costUsd, 9);
    for (const { index, prompts, workflowId } of outcomes) {
      // One prompt was enough, for better or worse: no workflow was needed.
      if (prompts.length === 1) expect(isWorkflow(workflowId, batch, index)).toBe(true);
      else expect(workflowId).toBe(itemId(batch.id, index));
    }
    expect(outcomes.filter(({ prompts }) => prompts.length > 1).length).toBeGreaterThan(20);
    expect(await batch.config()).toMatchObject({ options: { execution } });
    const { inline } = await bench.client.workflow.getHandle<() => Promise<ShardResult>>(shardId(batch.id, 0)).result();
    const later = outcomes.filter(({ prompts }) => prompts.length > 1).length;
    expect(inline).toEqual(execution === 'item' ? undefined : { answeredAtOnce: 130 - later, becameItems: later });
  });

  test('a rate limit is waited for as told, and costs nothing', async () => {
    await bench.scenario({ seed: 8, rates: { rateLimit: 0.04 }, retryAfterSeconds: 1 });
    const batch = await start(60, { concurrency: 20 });
    expect(await batch.result()).toMatchObject({ status: 'finished', succeeded: 60, prompts: 60 });
    const { requests, unbilled } = bench.sim.totals();
    expect({ requests, limited: Number(unbilled['rateLimit']) > 0 }).toEqual({ requests: 60, limited: true });
  });

  test('it pauses before its budget is exceeded, and a higher one continues it', async () => {
    await slow(300);
    // One prompt may cost $0.016 at most, and costs less than a tenth of it: a few are allowed.
    const batch = await start(12, { concurrency: 3, budgetUsd: 0.018 });
    await hasStatus(batch, 'paused');
    const { paused, money, counters } = await progress(batch);
    expect(paused).toMatchObject({ reason: 'budget', message: containing('tempered set') });
    expect(money.spentUsd).toBeLessThanOrEqual(0.018);
    expect(counters.prompts).toBeLessThan(12);
    await batch.setBudget(1);
    const summary = await batch.result();
    expect(summary).toMatchObject({ status: 'finished', succeeded: 12, prompts: 12 });
    expect(summary.costUsd).toBeCloseTo(bench.sim.totals().costUsd, 9);
  });

  test('a key that goes bad midway pauses; mended, nothing is asked twice', async () => {
    await slow(50);
    const batch = await start(60, { concurrency: 5 });
    await asked(batch, 10);
    await bench.scenario({ keys: ['another-key'] });
    await hasStatus(batch, 'paused');
    await until(async () => (await progress(batch)).counters.inFlight === 0);
    expect(bench.sim.totals().unbilled['key']).toBeLessThanOrEqual(6);
    await bench.scenario({});
    await batch.resume();
    expect(await batch.result()).toMatchObject({ succeeded: 60, prompts: 60 });
    expect(bench.sim.totals().requests).toBe(60);
  });

  test('pause starts no more, resume continues, more concurrency is used at once', async () => {
    await slow(150);
    const batch = await start(60, { concurrency: 1 });
    await asked(batch, 2);
    await batch.pause('lunch');
    await hasStatus(batch, 'paused');
    await sleep(700);
    const before = bench.sim.totals().requests;
    await sleep(400);
    expect(bench.sim.totals().requests).toBe(before);
    await batch.setConcurrency(12);
    await batch.resume();
    await until(async () => (await progress(batch)).counters.inFlight >= 6);
    expect(await batch.result()).toMatchObject({ status: 'finished', succeeded: 60, prompts: 60 });
    expect(bench.sim.totals().requests).toBe(60);
  });

  test('auto concurrency grows while answers come as fast as before; a number ends it', async () => {
    await slow(700);
    const batch = await start(200, { concurrency: 'auto' });
    await asked(batch, 1);
    expect(await progress(batch)).toMatchObject({ concurrency: 20, autoConcurrency: true });
    await until(async () => (await progress(batch)).concurrency >= 40);
    expect(await batch.config()).toMatchObject({ options: { autoConcurrency: true } });
    await until(async () => (await progress(batch)).counters.inFlight > 20);
    expect(await batch.setConcurrency(30)).toBe(30);
    await slow(0);
    expect(await batch.result()).toMatchObject({ succeeded: 200 });
    expect(await progress(batch)).toMatchObject({ concurrency: 30, autoConcurrency: false });
  });

  test('a record cancelled by name ends at once, in flight or waiting', async () => {
    await slow(5_000);
    const batch = await start(8, { concurrency: 4 });
    await until(async () => (await progress(batch)).counters.inFlight === 4);
    // Which of the first are asked first is not said.
    const journals = await Promise.all([1, 2, 3, 4, 5, 6, 7].map((index) => bench.store.journal(batch.id, index)));
    const inFlight = 1 + journals.findIndex((prompts) => prompts.length > 0);
    const waiting = 1 + journals.findLastIndex((prompts) => prompts.length === 0);
    await batch.cancelItem(inFlight);
    await batch.cancelItem(waiting);
    await slow(0);
    expect(await batch.result()).toMatchObject({ status: 'finished', succeeded: 6, failed: 1, notRun: 1 });
    const outcomes = await outcomesOf(batch);
    expect(outcomes[inFlight]).toMatchObject({ error: { category: 'cancelled' }, prompts: [{ result: 'cancelled' }] });
    expect(outcomes[waiting]).toMatchObject({ error: { category: 'cancelled' }, prompts: [] });
  });

  test('cancel ends every record with one outcome, and what was in flight is in the journal', async () => {
    await slow(500);
    const batch = await start(20, { concurrency: 4 });
    await until(async () => {
      const { prompts, inFlight } = (await progress(batch)).counters;
      return prompts >= 2 && inFlight >= 3;
    });
    await batch.cancel();
    const { status, succeeded, failed, notRun } = await batch.result();
    expect({ status, all: succeeded + failed + notRun }).toEqual({ status: 'cancelled', all: 20 });
    expect((await progress(batch)).counters).toMatchObject({ inFlight: 0, reservedNano: 0 });
    const prompted = (await outcomesOf(batch)).filter(({ prompts }) => prompts.length > 0);
    expect(prompted.length).toBeGreaterThanOrEqual(5);
  });

  test('a passed deadline ends it; every record has its outcome', async () => {
    await slow(300);
    const batch = await start(40, { concurrency: 2 });
    await asked(batch, 2);
    await batch.setDeadline(new Date(Date.now() + 700).toISOString());
    const { status, succeeded, notRun } = await batch.result();
    expect({ status, all: succeeded + notRun }).toEqual({ status: 'stopped', all: 40 });
    const ends = (await outcomesOf(batch)).flatMap(({ error }) => error?.category ?? []);
    expect(new Set(ends)).toEqual(new Set(['deadline']));
    expect(bench.sim.totals().requests).toBe(succeeded);
  });

  test('a deadline that cuts off aborts what is in flight; every record has its outcome', async () => {
    await slow(50);
    const batch = await start(30, { concurrency: 3, onDeadline: 'cancel' });
    await asked(batch, 3);
    await slow(60_000);
    await until(async () => (await progress(batch)).counters.inFlight === 3);
    await batch.setDeadline(new Date(Date.now() + 300).toISOString());
    const { status, succeeded, failed, notRun } = await batch.result();
    expect({ status, failed, all: succeeded + failed + notRun }).toEqual({ status: 'stopped', failed: 3, all: 30 });
    const others = (await outcomesOf(batch)).filter((outcome) => outcome.status !== 'succeeded');
    for (const { status: end, error, prompts } of others) {
      expect(error?.category).toBe('deadline');
      expect(prompts.map(({ result }) => result)).toEqual(end === 'failed' ? ['cancelled'] : []);
    }
    expect((await progress(batch)).counters).toMatchObject({ inFlight: 0, reservedNano: 0 });
  });

  test('neither a deadline nor another model waits for the end of a long cooldown', async () => {
    // A pool of its own: it stays closed.
    const closed = execution === 'item' ? 'gemini/gemini-2.5-flash' : 'openai/gpt-4.1-mini';
    const other = defineTask({ name: 'closed', model: closed, prompt, schema });
    await bench.scenario({ rates: { rateLimit: 1 }, retryAfterSeconds: 600 });
    const late = await bench.tempered.startBatch(other, records(6, next), { execution });
    await until(async () => (await bench.store.listPools()).some(({ cooldownUntil }) => cooldownUntil > Date.now()));
    await late.setDeadline(new Date(Date.now() + 300).toISOString());
    expect(await late.result()).toMatchObject({ status: 'stopped', notRun: 6, prompts: 0 });
    await bench.scenario({});
    const moved = await bench.tempered.startBatch(other, records(6, next + 500), { execution });
    await moved.setModel(model);
    expect(await moved.result()).toMatchObject({ status: 'finished', succeeded: 6, prompts: 6 });
  });

  test('a record whose own time is over ends, asked or waiting; the others go on', async () => {
    await slow(50);
    const batch = await start(14, { concurrency: 3, itemTimeout: 700 });
    await asked(batch, 2);
    await slow(60_000);
    await until(async () => (await progress(batch)).counters.failed >= 3);
    await slow(50);
    const { status, succeeded, failed } = await batch.result();
    expect({ status, all: succeeded + failed }).toEqual({ status: 'finished', all: 14 });
    const ended = (await outcomesOf(batch)).filter((outcome) => outcome.status === 'failed');
    expect(ended).toHaveLength(failed);
    for (const { error, prompts } of ended) {
      expect(error).toMatchObject({ category: 'deadline', code: 'item_timeout' });
      expect(prompts.map(({ result }) => result)).toEqual(['cancelled']);
    }

    await bench.scenario({ latency: { fixedMs: 50 } });
    const waiting = await start(8, { concurrency: 2, itemTimeout: 900 });
    await asked(waiting, 2);
    // The pool is closed for longer than a record may wait; then it is opened again.
    await bench.scenario({ rates: { rateLimit: 1 }, retryAfterSeconds: 4 });
    await until(async () => (await progress(waiting)).counters.notRun >= 2);
    await bench.scenario({});
    const result = await waiting.result();
    expect(result.succeeded + result.notRun).toBe(8);
    const left = (await outcomesOf(waiting)).filter((outcome) => outcome.status === 'notRun');
    for (const { error, prompts } of left)
      expect({ code: error?.code, prompts }).toEqual({ code: 'item_timeout', prompts: [] });
  });

  test('records are added while it runs, over a continue-as-new', async () => {
    await bench.scenario({ rates: { wrongFields: 0.2 } });
    const batch = await start(5, { open: true, concurrency: 4 });
    for (let i = 0; i < 20; i += 1) await batch.addItems(records(3, next + 100 + 3 * i));
    await batch.closeInput();
    const { items, succeeded, partial, failed, prompts } = await batch.result();
    expect({ items, ended: succeeded + partial + failed }).toEqual({ items: 65, ended: 65 });
    expect(prompts).toBe(bench.sim.totals().requests);
    const runs: string[] = [];
    for await (const { runId } of bench.client.workflow.list({ query: `WorkflowId = '${batch.id}'` })) runs.push(runId);
    expect(runs.length).toBeGreaterThan(1);
  });

  test('post-processors see every outcome, change it, hold it, and may fail', async () => {
    processed.length = 0;
    const says = ['fine', 'lower', 'look', 'broken', 'later'];
    const data = says.map((word) => ({ id: `${execution}-${word}`, says: word }));
    const batch = await bench.tempered.startBatch(scripted, data, { execution });
    expect(await batch.result()).toMatchObject({ status: 'finished', succeeded: 4, failed: 1 });
    const [fine, lower, look, broken, later] = await outcomesOf(batch);
    expect([fine, lower, broken, later].map((one) => one?.output)).toEqual(
      ['fine', 'UPPER', 'broken', 'later'].map((value) => ({ value })),
    );
    expect(look).toMatchObject({ status: 'failed', error: { category: 'review' } });
    const calls = (word: string) => processed.filter((id) => id === `${execution}-${word}`).length;
    expect(says.map(calls)).toEqual([1, 1, 1, 3, 1]);
  });
});

test('a shard of pages whose history grows long gives back what it has not begun', async () => {
  await bench.clearLedger();
  await bench.scenario({ rates: { wrongFields: 0.03 } });
  const data = records(2_500, 300_000);
  const batch = await bench.tempered.startBatch(task, data, { execution: 'inline', concurrency: 50 });
  const { succeeded, partial, failed, prompts } = await batch.result();
  expect({ ended: succeeded + partial + failed, prompts }).toEqual({
    ended: data.length,
    prompts: bench.sim.totals().requests,
  });
  const shards: string[] = [];
  const query = `WorkflowType = 'shard' AND WorkflowId STARTS_WITH '${batch.id}/'`;
  for await (const { workflowId } of bench.client.workflow.list({ query })) shards.push(workflowId);
  expect(shards.length).toBeGreaterThan(2);
});
