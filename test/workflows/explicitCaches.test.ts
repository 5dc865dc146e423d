import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import tagged from '../../examples/caching/tags.js';
import type { Tempered } from '../../src/client/tempered.js';
import type { StartOptions } from '../../src/client/submit.js';
import { defineTask } from '../../src/task/defineTask.js';
import type { OptimizationOptions } from '../../src/task/optimization.js';
import { Bench, outcomesOf, until } from '../support/bench.js';
import { type Recorder, startRecorder } from '../support/recorder.js';

jest.setTimeout(120_000);

const RECORDS = 40;
const data = Array.from({ length: RECORDS }, (_, i) => ({ id: `t${i}`, text: `Ticket ${i}: the page stays white.` }));

const twice = [...data, ...data].map((record, i) => ({ ...record, id: `n${i}` }));

const listSchema = z.object({
  cachedContents: z
    .array(
      z.object({
        name: z.string(),
        model: z.string(),
        displayName: z.string().optional(),
        createTime: z.string(),
        expireTime: z.string(),
      }),
    )
    .default([]),
});

let bench: Bench;
let recorder: Recorder;
let tempered: Tempered;
const log: string[] = [];
/** Whether the answer to a cache's making arrives; it waits for that. */
let arrives: () => Promise<boolean>;
beforeEach(() => {
  arrives = () => Promise.resolve(true);
});
beforeAll(async () => {
  bench = await Bench.open();
  recorder = await startRecorder(bench.sim.url, /Ticket (\d+)/, undefined, ({ method, url = '' }) =>
    method === 'POST' && url.endsWith('/cachedContents') ? arrives() : Promise.resolve(true),
  );
  tempered = await bench.another({ GOOGLE_GEMINI_BASE_URL: `${recorder.url}/gemini` });
  const options = { pools: ['gemini', 'anthropic'], log: (line: string) => log.push(line) };
  // Two workers: whichever prepares, the batch has one cache.
  await bench.work(options, tempered);
  await bench.work(options, tempered);
});
afterAll(async () => {
  await recorder.close();
  await bench.close();
});

const url = () => `${bench.sim.url}/gemini/v1/cachedContents`;
const headers = { 'x-goog-api-key': 'sim-key' };
const alive = async () => listSchema.parse(await (await fetch(url(), { headers })).json()).cachedContents;
const call = (name: string, method: string, body?: object) =>
  fetch(`${url()}/${name.split('/')[1]}`, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const shorten = (name = '', seconds = 0) => call(name, 'PATCH', { ttl: `${seconds}s` });
const deleteAll = async () => {
  for (const { name } of await alive()) await call(name, 'DELETE');
};
const bodies = (from = 0) => recorder.seen.slice(from).map(({ body }): unknown => JSON.parse(body));

type More = Pick<StartOptions, 'budgetUsd' | 'open' | 'deadline' | 'onDeadline'> & { readonly model?: string };

/** Starts the task of the example with other instructions, so that no test finds another's cache by accident. */
function start(mark: string, cache: OptimizationOptions['cache'] = {}, records = data, more: More = {}) {
  const { instructions, prompt = '' } = tagged.spec;
  const { model = tagged.spec.model, ...settings } = more;
  const task = defineTask({ name: `tickets-${mark}`, model, instructions: `${instructions}\n${mark}`, prompt });
  const options = {
    batchId: `${mark}-${Math.random().toString(36).slice(2, 8)}`,
    concurrency: 10,
    execution: 'inline',
    ...settings,
  } as const;
  return tempered.startBatch(task, records, { ...options, optimization: { cache } });
}

test('a batch makes one cache, names it in each prompt, and deletes it at its end', async () => {
  const batch = await tempered.startBatch(tagged, data, { concurrency: 10, execution: 'inline' });
  const summary = await batch.result();
  expect(summary).toMatchObject({ succeeded: RECORDS, prompts: RECORDS });
  expect(await alive()).toEqual([]);
  const names = new Set<unknown>();
  for (const body of bodies()) {
    expect(body).toMatchObject({ contents: [{ role: 'user', parts: [{ text: expect.stringContaining('Ticket') }] }] });
    expect(body).not.toHaveProperty('systemInstruction');
    names.add(z.object({ cachedContent: z.string() }).parse(body).cachedContent);
  }
  expect(names.size).toBe(1);
  // Each prompt, the first included, reads all of it.
  expect(bench.sim.ledger().every(({ cachedInputTokens }) => cachedInputTokens >= 2048)).toBe(true);
  expect(summary.costUsd).toBeCloseTo(bench.sim.totals().costUsd, 9);
  expect(log.join('\n')).toContain('Cache optimization enabled for provider: gemini');
});

test('a kept cache is found by content and tags, letter for letter; more tags than wanted do no harm', async () => {
  const first = await start('kept', { cacheTags: { version: 'v1', purpose: 'triage' }, keepCache: true });
  await first.result();
  const [made] = await alive();
  expect(made?.displayName).toMatch(/^tempered:[0-9a-f]{32}:[0-9a-f]{8} purpose=triage&version=v1$/);
  const used = async (cacheTags: Record<string, string>, mark = 'kept') => {
    const batch = await start(mark, { cacheTags }, data.slice(0, 5));
    await batch.result();
    const control = await bench.store.readControl(batch.id);
    return { found: recorder.seen.at(-1)?.body.includes(made?.name ?? '-'), left: control?.cache?.explicit };
  };
  // Found, and left to whoever made it.
  expect(await used({ version: 'v1' })).toMatchObject({ found: true, left: { owner: 'other' } });
  expect(await used({ version: 'V1' })).toEqual({ found: false, left: undefined });
  expect(await used({ version: 'v1', dataset: 'b' })).toMatchObject({ found: false });
  expect(await used({ version: 'v1' }, 'other-content')).toMatchObject({ found: false });
  expect(await alive()).toEqual([made]);
  expect(await first.deleteCache()).toBe(true);
  expect(await first.deleteCache()).toBe(false);
  expect(await alive()).toEqual([]);
});

test('a cache that vanishes costs nobody an answer, and is made again', async () => {
  // Long enough that prompts are left when the second cache is there.
  await bench.scenario({ latency: { fixedMs: 400 } });
  const from = recorder.seen.length;
  const batch = await start('vanishing', { explicit: true }, twice);
  await recorder.next(from + 15);
  const [first] = await alive();
  await call(first?.name ?? '', 'DELETE');
  expect(await batch.result()).toMatchObject({ succeeded: 2 * RECORDS, prompts: 2 * RECORDS });
  const named = bodies(from).map(
    (body) => z.object({ cachedContent: z.string().optional() }).parse(body).cachedContent,
  );
  // The first one; then whole requests, once each; then the second one.
  expect(new Set(named)).toEqual(new Set([first?.name, undefined, expect.stringMatching(/^cachedContents/)]));
  expect(new Set(named).size).toBe(3);
  expect(log.join('\n')).toContain(`The explicit cache ${first?.name} is gone`);
  expect(await alive()).toEqual([]);
});

test('a cache is renewed before its end', async () => {
  await bench.scenario({ latency: { fixedMs: 200 } });
  const settings = { explicit: true, cacheTtlSeconds: 60, cacheRenewalBufferSeconds: 59, keepCache: true };
  const batch = await start('renewed', settings, twice);
  const [made] = await until(async () => {
    const list = await alive();
    return list.length > 0 && list;
  });
  const later = await until(async () =>
    (await alive()).find(({ expireTime }) => expireTime > (made?.expireTime ?? '')),
  );
  expect(later.name).toBe(made?.name);
  expect(await batch.result()).toMatchObject({ succeeded: 2 * RECORDS });
  expect(await batch.deleteCache()).toBe(true);
});

test('cancelling a batch deletes its cache', async () => {
  await bench.scenario({ latency: { fixedMs: 2000 } });
  const from = recorder.seen.length;
  const batch = await start('cancelled', { explicit: true });
  await recorder.next(from + 1);
  expect(await alive()).toHaveLength(1);
  await expect(batch.deleteCache()).rejects.toThrow(/its prompts use its cache/);
  await batch.cancel();
  expect(await batch.result()).toMatchObject({ status: 'cancelled' });
  expect(await alive()).toEqual([]);
});

test('where names are not kept it says so, and nobody takes the cache for another', async () => {
  await bench.scenario({ caches: { displayNames: false } });
  const settings = { cacheTags: { version: 'v1' }, keepCache: true };
  const first = await start('unnamed', settings, data.slice(0, 5));
  await first.result();
  expect(log.join('\n')).toContain('Cache tags requested but not supported by API');
  const second = await start('unnamed', settings, data.slice(0, 5));
  await second.result();
  expect(await alive()).toHaveLength(2);
  expect((await outcomesOf(second)).every(({ status }) => status === 'succeeded')).toBe(true);
  for (const batch of [first, second]) await batch.deleteCache();
});

test('where a budget or a day limits money none is made unasked: its making and storage are in neither', async () => {
  await bench.scenario({});
  // It pays for 40 records, since it need not live long.
  const brief = { cacheTtlSeconds: 60, cacheRenewalBufferSeconds: 30, keepCache: true };
  const had = async (mark: string, settings: OptimizationOptions['cache'], budgetUsd?: number) => {
    const batch = await start(mark, settings, data, budgetUsd === undefined ? {} : { budgetUsd });
    expect(await batch.result()).toMatchObject({ succeeded: RECORDS });
    const cache = (await bench.store.readControl(batch.id))?.cache;
    await batch.deleteCache();
    return { made: cache?.explicit !== undefined, heldBack: cache?.explicitHeldBack };
  };
  expect(await had('budget', brief, 5)).toEqual({ made: false, heldBack: true });
  expect(await had('asked', { ...brief, explicit: true }, 5)).toEqual({ made: true, heldBack: undefined });
  await bench.store.setPool('gemini', { perDayUsd: 50 });
  expect(await had('day', brief)).toEqual({ made: false, heldBack: true });
  await bench.store.setPool('gemini', { perDayUsd: null });
});

test('a budget that is given later ends the renewal', async () => {
  await bench.scenario({ latency: { fixedMs: 1200 } });
  const batch = await start('later', { cacheTtlSeconds: 60, cacheRenewalBufferSeconds: 58 });
  await until(async () => (await alive())[0]);
  await batch.setBudget(5);
  await until(async () => (await bench.store.readControl(batch.id))?.cache?.explicitHeldBack);
  // No prompt names it any more.
  expect(await alive()).toEqual([]);
  expect(await batch.result()).toMatchObject({ succeeded: RECORDS, prompts: RECORDS });
  expect(JSON.parse(recorder.seen.at(-1)?.body ?? '')).not.toHaveProperty('cachedContent');
});

/** An open batch that has asked its records, and the cache it has then. */
async function opened(mark: string, cache: OptimizationOptions['cache']) {
  await bench.scenario({});
  const batch = await start(mark, cache, data.slice(0, 5), { open: true });
  await until(async () => (await batch.progress()).done === 5);
  const [made] = await alive();
  return { batch, made };
}

const ended = async (batch: { closeInput(): Promise<void>; result(): Promise<{ succeeded: number }> }) => {
  await batch.closeInput();
  expect(await batch.result()).toMatchObject({ succeeded: 5 });
};

test('a cache that was being made when its batch was cancelled does not outlive it', async () => {
  await bench.scenario({});
  let ordered = 0;
  let answer: (arrives: boolean) => void = () => undefined;
  const answered = new Promise<boolean>((resolve) => (answer = resolve));
  arrives = () => {
    ordered += 1;
    return answered;
  };
  const cancelled = await start('early', { explicit: true });
  const overdue = await start('overdue', { explicit: true }, data, {
    deadline: new Date(Date.now() + 4_000).toISOString(),
    onDeadline: 'cancel',
  });
  await until(() => Promise.resolve(ordered === 2));
  expect(await alive()).toHaveLength(2);
  await cancelled.cancel();
  await until(async () => (await bench.store.readControl(overdue.id))?.stop === 'deadline');
  // Two heartbeats: the workers know.
  await sleep(4_500);
  answer(true);
  expect(await cancelled.result()).toMatchObject({ status: 'cancelled', prompts: 0 });
  expect(await overdue.result()).toMatchObject({ status: 'stopped', prompts: 0 });
  expect(await alive()).toEqual([]);
});

test('one whose making was never answered is looked for at the end, unless caches are kept', async () => {
  await bench.scenario({});
  arrives = () => Promise.resolve(false);
  const kept = await start('unheard-kept', { explicit: true, keepCache: true }, data.slice(0, 5));
  await kept.result();
  const left = await alive();
  expect(left).toHaveLength(1);
  const batch = await start('unheard', { explicit: true }, data.slice(0, 5));
  expect(await batch.result()).toMatchObject({ succeeded: 5, prompts: 5 });
  expect(await alive()).toEqual(left);
  await deleteAll();
});

test("another's cache is not renewed: the batch makes its own before that one ends", async () => {
  await bench.scenario({});
  const settings = { explicit: true, cacheTtlSeconds: 3600, cacheRenewalBufferSeconds: 300 };
  await (await start('lent', { ...settings, keepCache: true }, data.slice(0, 5))).result();
  const [lent] = await alive();
  await shorten(lent?.name, 307);
  const [shortened] = await alive();
  const { batch, made } = await opened('lent', settings);
  expect(made).toEqual(shortened);
  expect(recorder.seen.at(-1)?.body).toContain(lent?.name);
  const own = await until(async () => (await alive()).find(({ name }) => name !== lent?.name));
  await until(async () => (await batch.progress()).cache?.explicit?.name === own.name);
  await ended(batch);
  expect(await alive()).toEqual([shortened]);
  await deleteAll();
});

test("when another model is asked the old one's cache ends, and there is one for the new", async () => {
  const { batch, made } = await opened('model', { explicit: true });
  expect(made?.model).toBe('models/gemini-2.5-flash');
  await batch.addItems([{ id: 'late', text: 'Ticket 1000: the page stays black.' }]);
  await batch.pause();
  await batch.setModel('gemini/gemini-2.5-pro');
  await batch.resume();
  const cache = await until(async () => {
    const { model, explicit } = (await batch.progress()).cache ?? {};
    return model === 'gemini/gemini-2.5-pro' && explicit;
  });
  expect(await alive()).toMatchObject([{ name: cache.name, model: 'models/gemini-2.5-pro' }]);
  await batch.closeInput();
  expect(await batch.result()).toMatchObject({ succeeded: 6 });
  expect(await alive()).toEqual([]);
});

test('a paused batch renews nothing until it is resumed', async () => {
  const settings = { explicit: true, cacheTtlSeconds: 60, cacheRenewalBufferSeconds: 56 };
  const { batch, made } = await opened('paused', settings);
  await batch.pause();
  const handle = bench.client.workflow.getHandle(batch.id);
  const seen = async () => {
    const events = (await handle.fetchHistory()).events ?? [];
    const fired = events.map((event) => String(event.timerFiredEventAttributes?.startedEventId));
    const due = ({ eventId, userMetadata }: (typeof events)[number]) =>
      fired.includes(String(eventId)) && String(userMetadata?.summary?.data).includes('renewal of the prompt cache');
    const names = events.map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
    return { due: events.filter(due).length, renewals: names.filter((name) => name === 'renewCache').length };
  };
  const before = await seen();
  await until(async () => (await seen()).due > before.due);
  expect((await seen()).renewals).toBe(before.renewals);
  await batch.resume();
  const later = await until(async () =>
    (await alive()).find(({ expireTime }) => expireTime > (made?.expireTime ?? '')),
  );
  expect(later.name).toBe(made?.name);
  await ended(batch);
  expect(await alive()).toEqual([]);
});

test.each([
  ['its provider makes none', {}, { model: 'anthropic/claude-haiku-4-5' }],
  ['only what a task marks is cached', { autoDetectCacheable: false }, {}],
  ['the prefix is too short', { minTokensToCache: 100_000 }, {}],
])('tags that are in no cache are told of once: %s', async (why, cache, more) => {
  await bench.scenario({});
  const from = log.length;
  const settings = { ...cache, cacheTags: { version: 'v1' } };
  await (await start(`no-tags-${why.length}`, settings, data.slice(0, 3), more)).result();
  const said = log.slice(from).filter((line) => line.includes('Cache tags requested but not supported by API'));
  expect(said).toHaveLength(1);
  expect(await alive()).toEqual([]);
});
