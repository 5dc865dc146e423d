import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { bundleWorkflowCode, Worker, type WorkflowBundle } from '@temporalio/worker';

jest.setTimeout(120_000);

const HISTORIES = path.join(__dirname, 'histories');
const WORKFLOWS = path.join(__dirname, '../../src/workflows/index.ts');
const quiet = () => undefined;
const logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };

let bundle: WorkflowBundle;
beforeAll(async () => {
  bundle = await bundleWorkflowCode({ workflowsPath: WORKFLOWS, preloadModules: [WORKFLOWS], logger });
});

/** A kept history: the workflow's id and its events. */
async function kept(file: string): Promise<{ workflowId: string; history: ReturnType<typeof historyFromJSON> }> {
  const text = await readFile(path.join(HISTORIES, file), 'utf8');
  const parse: (json: string) => { workflowId: string; history: unknown } = JSON.parse;
  const { workflowId, history } = parse(text);
  return { workflowId, history: historyFromJSON(history) };
}

async function replay(file: string, workflowBundle: WorkflowBundle): Promise<void> {
  const { workflowId, history } = await kept(file);
  await Worker.runReplayHistory({ workflowBundle }, history, workflowId);
}

test('every kept history replays with the workflows as they are', async () => {
  const files = (await readdir(HISTORIES)).filter((name) => name.endsWith('.json')).sort();
  const kinds = new Set(files.map((name) => name.split('-')[0]));
  expect([...kinds].sort()).toEqual(['batch', 'item', 'review', 'scheduled', 'shard']);
  for (const file of files) {
    await replay(file, bundle).catch((error: unknown) => {
      throw new Error(`${file} does not replay`, { cause: error });
    });
  }
});

test('a change in what a workflow does is noticed', async () => {
  // The item would write its outcome by another activity than history has.
  const changed = bundle.code.replaceAll('promptTimeoutMs).prompt;', 'promptTimeoutMs).promptTwice;');
  expect(changed).not.toBe(bundle.code);
  await expect(replay('item-3stages.json', { code: changed })).rejects.toThrow(/[Nn]ondeterminism/);
});
