import { z } from 'zod';
import type { Tempered } from '../../src/client/tempered.js';
import { defineTask, type Task } from '../../src/task/defineTask.js';
import { Bench, records } from '../support/bench.js';

jest.setTimeout(120_000);

const MODEL = 'anthropic/claude-sonnet-4-6';
const RECORDS = 12;
const DEFINITIONS = 'A cat is an animal that purrs. '.repeat(200);

type Text = ReturnType<typeof records>[number];
const block = (text: string, cache: boolean) => ({ type: 'text' as const, text, cache });

const shared = defineTask({
  name: 'shared',
  model: MODEL,
  prompt: ({ text }: Text) => [block(DEFINITIONS, true), block(text, false)],
});
const differing = defineTask({
  name: 'differing',
  model: MODEL,
  instructions: `Say what it is. ${DEFINITIONS}`,
  prompt: ({ text }: Text) => [block(`${DEFINITIONS} ${text}`, true)],
});
const answer = z.object({ animal: z.string().describe(DEFINITIONS) });
const bare = defineTask({ name: 'bare', model: MODEL, prompt: '{{text}}', schema: answer });
const explicit = defineTask({
  name: 'explicit',
  model: 'openai/gpt-5.6-luna',
  instructions: `Say what it is. ${DEFINITIONS}`,
  prompt: '{{text}}',
});

let bench: Bench;
const log: string[] = [];
beforeAll(async () => {
  bench = await Bench.open();
  await bench.work({ pools: ['anthropic', 'openai'], log: (line) => log.push(line) });
});
afterAll(() => bench.close());

/** Runs a task; its cache, and what was written to it and read by each prompt, in the order they came. */
async function run<Input, Output>(
  task: Task<Input, Output>,
  data: readonly Input[],
  options: Parameters<Tempered['startBatch']>[2] = {},
) {
  await bench.clearLedger();
  const optimization = { cache: { settleSeconds: 0 } };
  const batch = await bench.tempered.startBatch(task, data, { execution: 'inline', optimization, ...options });
  await batch.result();
  const uses = bench.sim.ledger().map((entry) => [entry.cacheWriteTokens, entry.cachedInputTokens] as const);
  return { uses, cache: (await batch.progress()).cache, statistics: await batch.cacheStatistics() };
}

/** The first prompt writes so many tokens and each later one reads them. */
const writtenOnce = (tokens: number, prompts = RECORDS) => [
  [tokens, 0],
  ...Array.from({ length: prompts - 1 }, () => [0, tokens]),
];
const tokensOf = (text: string) => Math.ceil(text.length / 4);

test('what a prompt function marks is cached, counted and reported, when all records share it', async () => {
  const { uses, cache, statistics } = await run(shared, records(RECORDS));
  expect(uses).toEqual(writtenOnce(tokensOf(DEFINITIONS)));
  expect(cache).toMatchObject({ countedBy: 'provider', decision: { cache: true, reason: 'pays', reads: RECORDS - 1 } });
  expect(cache?.marksDiffer).toBeUndefined();
  expect(statistics).toMatchObject({ cachedBlocks: RECORDS, cachedTokens: (RECORDS - 1) * tokensOf(DEFINITIONS) });
});

test('records that were answered before the batch began read no cache', async () => {
  const { uses, cache } = await run(shared, records(RECORDS + 1), { reuse: true });
  expect(uses).toEqual([[0, 0]]);
  expect(cache?.decision).toMatchObject({ cache: false, reads: 0 });
});

test('a marked block that holds the record is never written: it is sent plainly, and the batch says so', async () => {
  const { uses, cache } = await run(differing, records(RECORDS));
  expect(uses).toEqual(writtenOnce(tokensOf(differing.spec.instructions ?? '')));
  expect(cache).toMatchObject({ marksDiffer: true, decision: { cache: true } });
  expect(log.join('\n')).toContain('Cache markers ignored: the blocks that prompt() marks differ');
});

test('a schema alone has no place for a mark: nothing is cached, and nothing is said to be', async () => {
  const { uses, cache, statistics } = await run(bare, records(RECORDS));
  expect(uses).toEqual(Array.from({ length: RECORDS }, () => [0, 0]));
  expect(cache?.decision).toMatchObject({ cache: false, reason: 'no_place' });
  expect(statistics).toMatchObject({ cachedBlocks: 0 });
});

test('OpenAI is told where the prefix ends: it is written once, and no record ever', async () => {
  const long = records(RECORDS).map(({ id, text }) => ({ id, text: `${text} ${DEFINITIONS}` }));
  const { uses } = await run(explicit, long);
  expect(uses).toEqual(writtenOnce(tokensOf(explicit.spec.instructions ?? '')));
});
