import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { z } from 'zod';
import { CliFolder, jsonOf, type RunningCli } from '../support/cli.js';

jest.setTimeout(180_000);

/** Where Debian and others put the browser. */
const CHROMIUM = [
  process.env['CHROMIUM_PATH'],
  ...(process.env['PATH'] ?? '')
    .split(':')
    .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => path.join(folder, name))),
].find((file) => file !== undefined && existsSync(file));

/** Every first answer lacks a field. One ticket's category is never accepted, another one's answer is held for a person. */
const SCENARIO = { seed: 3, rates: { missingFields: 1 }, laterStages: 0 };
const TASK = `
import { defineTask } from 'tempered';
import { z } from 'zod';
export default defineTask({
  name: 'triage',
  model: 'anthropic/claude-sonnet-4-6',
  prompt: (ticket: { id: string; text: string }) => 'Ticket: ' + ticket.text,
  schema: z.object({ category: z.enum(['bug', 'billing']), urgent: z.boolean(), words: z.int() }),
  validate: (answer, ticket) => {
    if (ticket.id === 'impossible') return [{ path: ['category'], message: 'is not in the ticket' }];
    return ticket.id === 'held' ? { review: 'a person must look' } : [];
  },
});
`;
const RECORDS = ['rescued', 'impossible', 'held'].map(
  (id) => `${JSON.stringify({ id, text: `Charged twice, ${id}` })}\n`,
);

let folder: CliFolder;
let sim: RunningCli;
let browser: Browser;
let page: Page;
/** The batch's page. */
let ui: string;

beforeAll(async () => {
  if (CHROMIUM === undefined) throw new Error('This test looks at the web UI: install chromium, or set CHROMIUM_PATH.');
  folder = await CliFolder.make();
  await folder.write('task.ts', TASK);
  await folder.write('data.jsonl', RECORDS.join(''));
  await folder.write('scenario.json', SCENARIO);
  sim = folder.start(['sim', '--scenario', 'scenario.json']);
  await sim.wrote(/export COMPATIBLE_API_KEY=.*\n/);
  const env: Record<string, string> = {};
  for (const line of sim.lines()) {
    const [, name, value] = /^export (\w+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) env[name] = value;
  }
  const end = await folder.run(['run', 'task.ts', 'data.jsonl', '--batch-id', 'seen', '--json'], env);
  // One record failed. The command is over, and with it the only worker.
  expect(end.code).toBe(2);
  ui = z.string().parse(jsonOf(end)['ui']);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
});

afterAll(async () => {
  await browser.close();
  sim.child.kill('SIGTERM');
  await sim.end;
  await folder.run(['down']);
  await folder.remove();
});

/** Opens a workflow's page and waits until all of these can be read on it. */
async function read(workflow: string, texts: readonly (string | RegExp)[]): Promise<void> {
  await page.goto(workflow);
  for (const text of texts) await page.getByText(text).filter({ visible: true }).first().waitFor();
}

/** Opens a workflow's metadata, which the UI renders in frames of their own, and reads them. */
async function metadata(workflow: string, text: string): Promise<string> {
  await page.goto(workflow);
  await page.getByRole('link', { name: 'User Metadata' }).or(page.getByText('User Metadata')).first().click();
  await page.locator('iframe').first().contentFrame().getByText(text).first().waitFor();
  const frames = await page.locator('iframe').all();
  const texts = await Promise.all(frames.map((frame) => frame.contentFrame().locator('body').innerText()));
  return texts.join('\n');
}

/** A picture for the documentation, when it is asked for. */
async function picture(name: string): Promise<void> {
  if (process.env['UPDATE_IMAGES'] === undefined) return;
  await page.screenshot({ path: path.join(__dirname, '../../docs/images', `${name}.png`) });
}

it('shows what a batch came to, and each of its steps by name', async () => {
  await read(ui, [
    /"succeeded": 1/,
    /"partial": 1/,
    /"failed": 1/,
    /"prompts": 9/,
    'probe: the first prompt goes alone (record 0)',
  ]);
  await picture('batch');
  const texts = await metadata(ui, 'triage on data.jsonl: 3 records');
  expect(texts).toContain('tempered status seen');
});

it("tells a rescued record's story: stages, variations, what was wrong, what it cost", async () => {
  await read(`${ui}%2F0`, [
    /stage 1 full @0 -> invalid \(.*is missing.*\) · [\d,]+ in, [\d,]+ out · \$0\.00/,
    /stage 2 partial @0 -> valid · [\d,]+ in, [\d,]+ out · \$0\.00/,
    /^prompt • full @0 · prompt 1 of 5/,
    /^prompt • partial @0: (category|urgent|words).* · prompt 2 of 5/,
  ]);
  await picture('item');
  const texts = await metadata(`${ui}%2F0`, 'record 0 · rescued');
  expect(texts).toContain('At most 5 prompts of 120 s each.');
});

it('tells what was tried for a record that kept some fields only', async () => {
  await read(`${ui}%2F1`, [
    /"status": "partial"/,
    /stage 2 partial @0 -> invalid \(category: is not in the ticket\)/,
    /stage 3 full @0\.25 -> invalid/,
    /^prompt • partial @0\.25: category · prompt 4 of 5/,
  ]);
});

it('shows a failed record as failed, why, and what it cost, and no stack', async () => {
  await read(`${ui}%2F2`, [
    'Failed',
    /"type": "review"/,
    /a person must look/,
    /stage 3 full @0\.25 -> review/,
    /"costUsd": 0\.0/,
  ]);
  await expect(page.getByText(/^\s*at .*\.(ts|js):\d+/).count()).resolves.toBe(0);
  await picture('failed');
});
