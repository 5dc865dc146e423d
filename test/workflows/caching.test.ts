import emails from '../../examples/caching/emails.js';
import { question } from '../../examples/emails/task.js';
import type { Tempered } from '../../src/client/tempered.js';
import { cacheSavingsNano } from '../../src/models/cost.js';
import { modelInfo } from '../../src/models/catalog.js';
import { parseModelRef } from '../../src/models/modelRef.js';
import { defineTask } from '../../src/task/defineTask.js';
import type { OptimizationOptions } from '../../src/task/optimization.js';
import { CONTROL_QUEUE } from '../../src/workflows/ids.js';
import { Bench, outcomesOf } from '../support/bench.js';
import { type Recorder, startRecorder } from '../support/recorder.js';

jest.setTimeout(120_000);

const EMAILS = 150;
const CONCURRENCY = 50;

/** E-mails no two of which are alike. */
const data = Array.from({ length: EMAILS }, (_, i) => ({
  id: `m${i}`,
  text: `From: "Person ${i}" <p${i}@example.com>\nSubject: Meeting ${i}\nDate: Thu, 22 Aug 2002 18:26:25 +0700\n\nHello ${i}.`,
}));

let bench: Bench;
let recorder: Recorder;
let tempered: Tempered;
const log: string[] = [];
beforeAll(async () => {
  bench = await Bench.open();
  // What a prompt writes is found a while after its answer, as real providers have it.
  await bench.scenario({ latency: { fixedMs: 250 }, caches: { readableAfterMs: 1_200 } });
  recorder = await startRecorder(bench.sim.url, /Subject: Meeting (\d+)/);
  tempered = await bench.another({ ANTHROPIC_BASE_URL: `${recorder.url}/anthropic` });
  await bench.work({ log: (line) => log.push(line) }, tempered);
});
afterAll(async () => {
  await recorder.close();
  await bench.close();
});

/** Runs the e-mails with a prefix nobody has sent yet; what was billed for them, and what the batch says of it. */
async function run(mark: string, optimization: OptimizationOptions) {
  await bench.clearLedger();
  const { prompt, schema, maxOutputTokens } = question;
  const { model, instructions } = emails.spec;
  const name = `emails-${mark}`;
  const task = defineTask({ name, model, instructions: `${instructions}\n${mark}`, prompt, schema, maxOutputTokens });
  const options = { concurrency: CONCURRENCY, execution: 'inline', optimization } as const;
  const batch = await tempered.startBatch(task, data, options);
  const result = await batch.result();
  const entries = bench.sim.ledger();
  const info = modelInfo(parseModelRef(model), new Date());
  const savedNano = entries.reduce((sum, entry) => sum + cacheSavingsNano(info, { ...entry, thinkingTokens: 0 }), 0);
  const misses = entries.filter(({ cachedInputTokens }) => cachedInputTokens === 0).length;
  const read = entries.reduce((sum, entry) => sum + entry.cachedInputTokens, 0);
  return { batch, result, entries, savedNano, misses, read };
}

let cold: Awaited<ReturnType<typeof run>>;
let warm: typeof cold;
beforeAll(async () => {
  cold = await run('cold', { cache: { warmFirst: false } });
  warm = await run('warm', { cache: { settleSeconds: 1.5 } });
});

test('the first prompt writes the prefix and all others read it; without warm-up the first ones all write it', () => {
  for (const { result } of [cold, warm]) expect(result).toMatchObject({ succeeded: EMAILS, prompts: EMAILS });
  const prefix = warm.entries[0]?.cacheWriteTokens ?? 0;
  expect(prefix).toBeGreaterThanOrEqual(3000);
  expect(warm.misses).toBe(1);
  expect(warm.read / (prefix * (EMAILS - 1))).toBeGreaterThanOrEqual(0.95);
  expect(cold.misses).toBeGreaterThan(CONCURRENCY / 5);
  expect(cold.read / (prefix * (EMAILS - 1))).toBeLessThan(0.95);
});

test('what was saved, net of the premium, is what the bill shows', async () => {
  for (const { batch, savedNano } of [cold, warm]) {
    const { cacheSavingsUsd } = await batch.summary();
    expect(Math.round((cacheSavingsUsd ?? 0) * 1e9)).toBe(savedNano);
  }
  expect(warm.savedNano).toBeGreaterThan(cold.savedNano);
});

test('requests have the exact form the provider wants: the prefix is marked, the record is not', () => {
  const bodies = recorder.seen.map(({ body }): unknown => JSON.parse(body));
  expect(bodies).toHaveLength(2 * EMAILS);
  for (const body of bodies) {
    const system = [{ type: 'text', text: expect.any(String), cache_control: { type: 'ephemeral' } }];
    const messages = [{ role: 'user', content: expect.stringContaining('Subject: Meeting') }];
    expect(body).toMatchObject({ system, messages });
    expect(JSON.stringify(body).split('"cache_control"')).toHaveLength(2);
  }
});

test('the decision and its arithmetic are in the query, the details and the status', async () => {
  const handle = bench.client.workflow.getHandle(warm.batch.id);
  const config = await handle.query<{ settings: object }>('config');
  const decision = { cache: true, reason: 'pays', reads: EMAILS - 1, life: '5m' };
  expect(config.settings).toMatchObject({ cache: { model: emails.spec.model, countedBy: 'provider', decision } });
  const details = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
  expect(details.currentDetails).toMatch(/Prompt cache: cached: 3,\d+ tokens × 149 reads save .* \(counted by/);
  expect((await warm.batch.progress()).cache).toMatchObject({ countedBy: 'provider', decision });
});

describe('a provider that refuses breakpoints', () => {
  let refusing: Recorder;
  let door: Tempered;
  const message = "Unrecognized request argument supplied: 'prompt_cache_options'";
  beforeAll(async () => {
    const body = JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code: null } });
    refusing = await startRecorder(bench.sim.url, /Meeting (\d+)/, (sent) =>
      sent.includes('prompt_cache') ? body : null,
    );
    door = await bench.another({ OPENAI_BASE_URL: `${refusing.url}/openai/v1` });
    await bench.work({ pools: ['openai'] }, door);
  });
  afterAll(() => refusing.close());

  const ask = async (fallback: NonNullable<OptimizationOptions['fallback']>) => {
    const { prompt, schema, maxOutputTokens } = question;
    const { instructions = '' } = emails.spec;
    const model = 'openai/gpt-5.6-luna';
    const task = defineTask({ name: 'refused', model, instructions, prompt, schema, maxOutputTokens, maxPrompts: 1 });
    const options = { batchId: `refused-${JSON.stringify(fallback).length}`, concurrency: 1 };
    const cache = { settleSeconds: 0 };
    const batch = await door.startBatch(task, data.slice(0, 3), { ...options, optimization: { cache, fallback } });
    await batch.result();
    return outcomesOf(batch);
  };

  test('gets the plain request, and is asked once; the log says so', async () => {
    const from = refusing.seen.length;
    const outcomes = await ask({});
    expect(outcomes.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    const marked = refusing.seen.slice(from).map(({ body }) => body.includes('prompt_cache'));
    expect(marked).toEqual([true, false, false, false]);
    const said = log.join('\n');
    expect(said).toContain('Cache optimization requested but not supported by provider');
    expect(said).toContain('Cache optimization failed, falling back to standard API');
  });

  test('fails the prompt where the settings want that, whatever the process learned from another batch', async () => {
    const outcomes = await ask({ raiseOnFallback: true });
    expect(outcomes).toHaveLength(3);
    for (const { error } of outcomes) {
      expect(error).toMatchObject({ category: 'invalid_request' });
      expect(error?.message).toMatch(/^Optimization failed: .*prompt_cache_options/);
    }
  });
});

test('a batch that another SDK starts has its settings too', async () => {
  const { model, instructions } = emails.spec;
  const task = { name: 'foreign', model, instructions: `${instructions ?? ''} foreign`, prompt: '{{text}}' };
  const optimization = { cache: { settle_seconds: 0, warm_first: false } };
  const workflowId = 'foreign-1';
  const args = [{ task, open: true, execution: 'inline', optimization }];
  const signal = 'addItems';
  const signalArgs = [{ clientKey: 'a', items: data.slice(0, 4) }];
  const handle = await bench.client.workflow.signalWithStart('batch', {
    workflowId,
    taskQueue: CONTROL_QUEUE,
    args,
    signal,
    signalArgs,
  });
  await handle.signal('closeInput');
  await handle.result();
  const row = await bench.store.getBatch(workflowId);
  expect(row?.options.optimization?.cache).toMatchObject({ enabled: true, warmFirst: false, settleSeconds: 0 });
});
