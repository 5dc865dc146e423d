import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const ROOT = path.join(__dirname, '../..');

/** What an example prints. */
async function run(script: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(ROOT, 'examples', script)]);
  return JSON.parse(stdout);
}

const told = z.object({
  contextBudget: z.object({ dropped: z.number(), warnedWhileDropping: z.number(), warning: z.string() }),
  modes: z.array(z.object({ isEnhanced: z.boolean(), text: z.string(), counts: z.object({ enhanced: z.number() }) })),
  caching: z.object({ totalBlocks: z.number(), cachedBlocks: z.number(), hitRate: z.number(), savedUsd: z.number() }),
});

test('the registry example: a context budget of 0.8, both kinds of handle, caching by one line', async () => {
  const { contextBudget, modes, caching } = told.parse(await run('registry/run.mjs'));
  // Turns are dropped in time, so nothing is warned of; a prompt that can't be shortened is.
  expect(contextBudget).toMatchObject({ warnedWhileDropping: 0 });
  expect(contextBudget.dropped).toBeGreaterThan(0);
  expect(contextBudget.warning).toMatch(/takes \d+ % of the context of ollama\/small/);
  expect(modes.map(({ isEnhanced, counts }) => [isEnhanced, counts.enhanced])).toEqual([
    [false, 0],
    [true, 1],
    [true, 1],
    [false, 0],
  ]);
  expect(new Set(modes.map(({ text }) => text)).size).toBe(1);
  expect(caching).toMatchObject({ totalBlocks: 20, cachedBlocks: 10 });
  expect(caching.hitRate).toBeGreaterThan(0.8);
  expect(caching.savedUsd).toBeGreaterThan(0);
});

const served = z.array(
  z.object({ environment: z.string(), service: z.string(), isOptimized: z.boolean(), cachedTokens: z.number() }),
);

test('the rollout example: caching comes environment by environment and service by service, and goes by a variable', async () => {
  const calls = served.parse(await run('caching/rollout/run.mjs'));
  expect(calls.map(({ environment, service, isOptimized }) => [environment, service, isOptimized])).toEqual([
    ['development', 'search', true],
    ['development', 'drafts', true],
    ['production', 'search', true],
    ['production', 'drafts', false],
    ['production', 'search', false],
  ]);
  expect(calls.map(({ cachedTokens }) => cachedTokens > 1_000)).toEqual([true, true, true, false, false]);
});
