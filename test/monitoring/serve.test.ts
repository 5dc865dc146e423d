import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { NO_CONTROL } from '../../src/client/preview.js';
import { openTempered, type Tempered } from '../../src/client/tempered.js';
import { type Monitor, startMonitor } from '../../src/monitoring/serve.js';
import { openStore } from '../../src/store/openStore.js';
import { defineTask } from '../../src/task/defineTask.js';
import { loaded, reservation, settlement } from '../store/fixtures.js';

const folder = mkdtempSync(path.join(tmpdir(), 'tempered-serve-'));
let tempered: Tempered;
let monitor: Monitor;
const PREFIX_TOKENS = 1850;

beforeAll(async () => {
  const store = `sqlite:${path.join(folder, 'store.db')}`;
  tempered = await openTempered({ store, folder, env: {} });
  const seeded = await openStore(store);
  const model = 'anthropic/claude-sonnet-4-6';
  const { spec } = defineTask({
    name: 'tickets',
    model,
    instructions: 'Sort tickets by what they are about. '.repeat(200),
    prompt: '{{text}}',
  });
  await seeded.putTask('task-hash', spec);
  const id = await loaded(seeded, 3, 'task-hash');
  const unpriced = { premiumUsd: null, savedUsd: null, netUsd: null };
  const size = { prefixTokens: PREFIX_TOKENS, minTokens: 1024, reads: 2, life: '5m' } as const;
  const decision = { cache: true, reason: 'price_unknown', ...size, ...unpriced } as const;
  const cache = { model, prefix: 'p', countedBy: 'estimate', decision } as const;
  await seeded.publishControl(id, { ...NO_CONTROL, version: 1, cache });
  for (const index of [0, 1]) {
    await seeded.reserve(reservation(id, index));
    await seeded.settle(settlement(id, index));
  }
  await seeded.close();
  monitor = await startMonitor(tempered, { port: 0 });
});

afterAll(async () => {
  await monitor.close();
  await tempered.close();
  rmSync(folder, { recursive: true, force: true });
});

async function get(where: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await fetch(where, { headers, method });
  const body: unknown = await response.json();
  return { status: response.status, body };
}

/** What `loaded`, `reservation` and `settlement` make of two of three prompts. */
const STATISTICS = {
  total_blocks: 4,
  cached_blocks: 2,
  estimated_tokens: 2 * PREFIX_TOKENS,
  hit_rate: '60.0%',
  is_optimized: true,
  hit_potential: 0.5,
  cached_tokens: 120,
  cache_write_tokens: 40,
  effective_input_tokens: 92,
  saved_usd: 1e-7,
};

it('tells by service and by model what caching was to do and did, and knows no other way', async () => {
  const where = `${monitor.url}/api/monitoring/llm-optimization`;
  expect(await get(where)).toEqual({ status: 200, body: { tickets: STATISTICS } });
  const byModel = { 'anthropic/claude-sonnet-4-6': STATISTICS };
  expect(await get(`${where}?by=model`)).toEqual({ status: 200, body: byModel });
  expect(await get(`${where}?by=moon`)).toMatchObject({ status: 400 });
});

it('is healthy, and says whether the Temporal server answers', async () => {
  expect(await get(`${monitor.url}/health`)).toMatchObject({ status: 200, body: { ok: true, server: { up: false } } });
});

it('answers neither other paths nor other methods', async () => {
  expect(await get(`${monitor.url}/other`)).toMatchObject({ status: 404 });
  expect(await get(`${monitor.url}/health`, {}, 'POST')).toMatchObject({ status: 405 });
});

it('says when its port is taken', async () => {
  const port = Number(new URL(monitor.url).port);
  await expect(startMonitor(tempered, { port })).rejects.toMatchObject({ category: 'input' });
});

it('listens for others only with a token, and then asks for it', async () => {
  await expect(startMonitor(tempered, { port: 0, host: '0.0.0.0' })).rejects.toThrow(/token is needed/);
  const open = await startMonitor(tempered, { port: 0, host: '0.0.0.0', token: 'a-long-secret' });
  const where = `http://127.0.0.1:${new URL(open.url).port}/health`;
  expect(await get(where)).toMatchObject({ status: 401 });
  expect(await get(where, { authorization: 'Bearer a-long-secret' })).toMatchObject({ status: 200 });
  await open.close();
});
