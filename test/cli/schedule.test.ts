import { z } from 'zod';
import { type Simulator, simulatorEnv, startSimulator } from '../../src/simulator/index.js';
import { until } from '../support/bench.js';
import { CliFolder, jsonOf, type RunningCli } from '../support/cli.js';
import { containing, matching } from '../support/match.js';

jest.setTimeout(180_000);

const TASK = { name: 'daily', model: 'anthropic/claude-haiku-4-5', prompt: 'Say: {{text}}' };
const lines = (...texts: readonly string[]) => texts.map((text) => JSON.stringify({ text })).join('\n');

let folder: CliFolder;
let sim: Simulator;
let dev: RunningCli;
beforeAll(async () => {
  sim = await startSimulator();
  folder = await CliFolder.make(simulatorEnv(sim.url));
  await folder.write('task.json', TASK);
  await folder.write('data.jsonl', lines('one', 'two'));
  dev = folder.start(['dev']);
  await dev.wrote('Ctrl-C');
});
afterAll(async () => {
  dev.child.kill('SIGINT');
  await dev.end;
  await folder.run(['down']);
  await folder.remove();
  await sim.close();
});

const schedule = (...args: readonly string[]) => folder.run(['schedule', ...args, '--json']);
const batchesOf = async (name: string) =>
  z.object({ batches: z.array(z.string()) }).parse(jsonOf(await schedule('describe', name))).batches;

const LIST = z.object({ schedules: z.array(z.object({ paused: z.boolean(), note: z.string().nullable() })) });
const listed = async () => LIST.parse(jsonOf(await schedule('list'))).schedules;

/** Fires the schedule and waits until its new batch has ended. */
async function fired(name: string): Promise<Record<string, unknown>> {
  const before = await batchesOf(name);
  expect((await schedule('trigger', name)).code).toBe(0);
  return until(async () => {
    const batch = (await batchesOf(name)).find((one) => !before.includes(one));
    if (batch === undefined) return undefined;
    const status = await folder.run(['status', batch, '--json']);
    const found = status.code === 1 ? {} : jsonOf(status);
    return found['status'] === 'finished' && found;
  });
}

test('each firing loads the data anew as a batch of its own; what was answered before is not paid again', async () => {
  const created = await schedule('create', 'nightly', 'task.json', 'data.jsonl', '--interval', '1d', '--reuse');
  expect(jsonOf(created)).toMatchObject({ schedule: 'nightly', paused: false, batches: [] });
  expect(await fired('nightly')).toMatchObject({ batchId: matching(/^nightly-\d{4}-.*Z$/), items: 2, prompts: 2 });
  await folder.write('data.jsonl', lines('one', 'two', 'three'));
  expect(await fired('nightly')).toMatchObject({ items: 3, succeeded: 3, prompts: 1 });
  expect(sim.totals().requests).toBe(3);
  expect((await schedule('pause', 'nightly', '--reason', 'holidays')).code).toBe(0);
  // What lists show follows within a second.
  await until(async () => (await listed()).some(({ paused, note }) => paused && note === 'holidays'));
  expect((await schedule('unpause', 'nightly')).code).toBe(0);
  expect((await schedule('delete', 'nightly')).code).toBe(0);
  await until(async () => (await listed()).length === 0);
});

test('what can not be scheduled is refused with words', async () => {
  const refused = async (...args: readonly string[]) => {
    const end = await schedule(...args);
    expect(end.code).toBe(1);
    return end.stderr;
  };
  const files = ['task.json', 'data.jsonl'];
  expect(await refused('create', 'x', ...files)).toContain('--cron');
  expect(await refused('create', 'x', '/etc/hostname', 'data.jsonl', '--interval', '1h')).toContain('outside');
  expect(await refused('create', 'x', 'task.json', 'none.jsonl', '--interval', '1h')).toContain('none.jsonl');
  expect(await refused('create', 'x', ...files, '--cron', 'whenever')).toContain('five fields');
  expect(await refused('create', 'x', ...files, '--cron', '0 6 * * *', '--time-zone', 'Moon')).toContain('Moon');
  expect(await refused('describe', 'x')).toEqual(containing('There is no schedule x'));
});
