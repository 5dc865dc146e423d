import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Simulator, simulatorEnv, startSimulator } from '../../src/simulator/index.js';
import { CliFolder, jsonOf } from '../support/cli.js';

jest.setTimeout(180_000);

let folder: CliFolder;
let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator();
  folder = await CliFolder.make(simulatorEnv(simulator.url));
  const schema = { type: 'object', properties: { mood: { enum: ['happy', 'sad'] } }, required: ['mood'] };
  await folder.write('task.json', { name: 'many', model: 'anthropic/claude-sonnet-4-6', prompt: '{{text}}', schema });
  await folder.write('data.jsonl', Array.from({ length: 40 }, (_, i) => `{"text":"happy day ${i}"}`).join('\n'));
});
afterAll(async () => {
  await folder.run(['down']);
  await simulator.close();
  await folder.remove();
});

/** The processes that Linux lists as children of `pid`. */
async function childrenOf(pid: number | undefined): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(' ').filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('two processes work, a dead one is replaced, Ctrl-C ends both', async () => {
  await folder.run(['server']);
  const worker = folder.start(['worker', '--processes', '2', '--json']);
  await worker.wrote('processes: 2 of 2 running');
  const [first = 0, second = 0] = await childrenOf(worker.child.pid);
  const started = await folder.run(['run', 'task.json', 'data.jsonl', '--execution', 'inline', '--detach', '--json']);
  expect(started.code).toBe(0);
  process.kill(first, 'SIGKILL');
  await worker.wrote(/Worker process \d ended \(killed by SIGKILL\); another takes its place/);
  const results = await folder.run(['results', String(jsonOf(started)['batchId']), '--follow']);
  expect(results.stdout.trimEnd().split('\n')).toHaveLength(40);
  worker.child.kill('SIGINT');
  const end = await worker.end;
  expect(end.code).toBe(0);
  expect(jsonOf(end)).toMatchObject({ processes: 2 });
  while (isAlive(second)) await sleep(50);
});

test('a server that goes away under a run is borne for a while, then told without a stack', async () => {
  const task = { name: 'slow', model: 'anthropic/claude-sonnet-4-6', prompt: '{{text}}', limits: { rpm: 1 } };
  await folder.write('slow.json', task);
  const running = folder.start(['run', 'slow.json', 'data.jsonl']);
  await running.wrote('1/40 done');
  await folder.run(['down']);
  await running.wrote('limited by the Temporal server, which does not answer');
  const end = await running.end;
  expect(end.code).toBe(4);
  expect(end.stderr).toContain('The Temporal server did not answer');
  expect(end.stderr).not.toMatch(/\n +at |should not have/);
});

test('what is wrong with the command is told once, and nothing stays behind', async () => {
  const end = await folder.run(['worker', 'missing.ts', '--processes', '2']);
  expect(end.code).toBe(1);
  expect(end.stderr).toContain('missing.ts');
  expect(end.stderr).not.toContain('[1]');
});
