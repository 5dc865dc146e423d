import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { NO_CONTROL } from '../../src/client/preview.js';
import { openTempered, type Tempered } from '../../src/client/tempered.js';
import { openStore } from '../../src/store/openStore.js';
import type { BatchCache } from '../../src/task/cachePlan.js';
import { defineTask } from '../../src/task/defineTask.js';
import { loaded, reservation, settlement } from '../store/fixtures.js';

const MODEL = 'anthropic/claude-sonnet-4-6';
const OTHER = 'anthropic/claude-sonnet-4-5';
const INSTRUCTIONS = 'Sort tickets by what they are about. '.repeat(200);

const decision = {
  cache: true,
  reason: 'pays',
  prefixTokens: 1500,
  minTokens: 1024,
  reads: 999,
  life: '5m',
  premiumUsd: 0.1,
  savedUsd: 2,
  netUsd: 1.9,
} as const;
const cache: BatchCache = { model: MODEL, prefix: 'p', countedBy: 'provider', decision };

const folder = mkdtempSync(path.join(tmpdir(), 'tempered-statistics-'));
const opened: Tempered[] = [];
afterAll(async () => {
  await Promise.all(opened.map((tempered) => tempered.close()));
  rmSync(folder, { recursive: true, force: true });
});

/** What a reader whose switch says `forced` sees of a batch that ran as `control` says, by model: two prompts of each. */
async function seen(name: string, forced: string, control: { readonly cache?: BatchCache }) {
  const url = `sqlite:${path.join(folder, `${name}.db`)}`;
  const store = await openStore(url);
  const task = defineTask({ name: 'tickets', model: MODEL, instructions: INSTRUCTIONS, prompt: '{{text}}' });
  await store.putTask('task-hash', task.spec);
  const id = await loaded(store, 4, 'task-hash');
  await store.publishControl(id, { ...NO_CONTROL, version: 1, ...control });
  for (const index of [0, 1, 2, 3]) {
    await store.reserve(reservation(id, index, { model: index < 2 ? MODEL : OTHER }));
    await store.settle(settlement(id, index));
  }
  await store.close();
  const tempered = await openTempered({ store: url, folder, env: { LLM_OPTIMIZATION_ENABLED: forced } });
  opened.push(tempered);
  return tempered.cacheStatistics('model');
}

test('a batch that ran without a cache shows no marked block, though the reader has it switched on', async () => {
  const nothing = { totalBlocks: 4, cachedBlocks: 0, estimatedTokens: 0 };
  expect(await seen('off', 'true', {})).toMatchObject({ [MODEL]: nothing, [OTHER]: nothing });
});

test('a batch that cached shows what it decided, and its other models as it would have decided for them', async () => {
  expect(await seen('on', 'false', { cache })).toMatchObject({
    [MODEL]: { totalBlocks: 4, cachedBlocks: 2, estimatedTokens: 2 * 1500 },
    [OTHER]: { totalBlocks: 4, cachedBlocks: 2, estimatedTokens: 2 * Math.ceil(INSTRUCTIONS.length / 4) },
  });
  const few: BatchCache = { ...cache, decision: { ...decision, cache: false, reason: 'too_few_reads', reads: 0 } };
  expect(await seen('few', 'true', { cache: few })).toMatchObject({
    [MODEL]: { cachedBlocks: 0 },
    [OTHER]: { cachedBlocks: 0 },
  });
});
