import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { connectClient, findTarget, resolveTarget } from '../../../src/client/connect.js';
import { ensureServer, obtainProgram, serverStatus, stopServer } from '../../../src/client/embedded/index.js';
import { isListening } from '../../../src/client/embedded/ports.js';
import { identify, isRunning } from '../../../src/client/embedded/processes.js';

// Each test starts real servers, a few seconds each.
jest.setTimeout(120_000);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tempered-server-'));
});
afterEach(async () => {
  await stopServer(folder);
  await rm(folder, { recursive: true, force: true });
});

interface Recorded {
  readonly keeper: { readonly pid: number; readonly startedAt: string };
  readonly port: number;
}

async function recorded(): Promise<Recorded> {
  const parse: (text: string) => Recorded = JSON.parse;
  return parse(await readFile(path.join(folder, 'server.json'), 'utf8'));
}

/** Waits until `what` holds. */
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await sleep(50);
}

async function killed(pid: number): Promise<void> {
  const id = identify(pid);
  process.kill(pid, 'SIGKILL');
  await until(() => id === undefined || !isRunning(id));
}

async function withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const { client, close } = await connectClient(await resolveTarget({ env: {}, folder }));
  try {
    return await work(client);
  } finally {
    await close();
  }
}

/** A workflow that nobody works on: it stays open. */
async function openWorkflow(id: string): Promise<void> {
  await withClient((client) => client.workflow.start('waits', { workflowId: id, taskQueue: 'nobody' }));
}

async function exists(id: string): Promise<boolean> {
  return withClient(async (client) => {
    try {
      await client.workflow.getHandle(id).describe();
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  });
}

test('is started once, found again, keeps workflows for 30 days, and comes back as it was after `down`', async () => {
  const said: string[] = [];
  expect(await serverStatus(folder)).toBeUndefined();
  expect(await findTarget({ env: {}, folder })).toBeUndefined();
  expect(await stopServer(folder)).toBe(false);
  const first = await ensureServer({ folder, onProgress: (line) => said.push(line) });
  expect(first).toMatchObject({ started: true });
  expect(said.at(-1)).toContain('Starting the Temporal server');
  expect(await ensureServer({ folder })).toEqual({ ...first, started: false });
  expect(await serverStatus(folder)).toEqual({ address: first.address, uiUrl: first.uiUrl, pid: first.pid });
  expect((await fetch(first.uiUrl)).status).toBe(200);
  const { config } = await withClient((client) => client.workflowService.describeNamespace({ namespace: 'default' }));
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 24 * 3600);
  const target = await resolveTarget({ env: {}, folder });
  await expect(connectClient({ ...target, namespace: 'other' })).rejects.toThrow('has no namespace "other"');
  await openWorkflow('kept');

  expect(await stopServer(folder)).toBe(true);
  expect(identify(first.pid)).toBeUndefined();
  expect(await serverStatus(folder)).toBeUndefined();
  const second = await ensureServer({ folder });
  expect(second).toMatchObject({ address: first.address, uiUrl: first.uiUrl, started: true });
  expect(await exists('kept')).toBe(true);
});

test('a server that is killed comes back by itself, on its ports and with its state', async () => {
  const first = await ensureServer({ folder });
  await openWorkflow('kept');
  await killed(first.pid);
  const second = await ensureServer({ folder });
  expect(second).toMatchObject({ address: first.address, started: false });
  expect(second.pid).not.toBe(first.pid);
  expect(await exists('kept')).toBe(true);
});

test('a server whose keeper is killed goes on, and gets a new keeper', async () => {
  const first = await ensureServer({ folder });
  const { keeper } = await recorded();
  await killed(keeper.pid);
  expect(await serverStatus(folder)).toMatchObject({ pid: first.pid });
  expect(await ensureServer({ folder })).toEqual({ ...first, started: true });
  expect((await recorded()).keeper.pid).not.toBe(keeper.pid);
  await killed((await recorded()).keeper.pid);
  expect(await stopServer(folder)).toBe(true);
  expect(identify(first.pid)).toBeUndefined();
});

test('after both were killed it is started on its ports, with its state', async () => {
  const first = await ensureServer({ folder });
  await openWorkflow('kept');
  await killed((await recorded()).keeper.pid);
  await killed(first.pid);
  expect(await ensureServer({ folder })).toMatchObject({ address: first.address, started: true });
  expect(await exists('kept')).toBe(true);
});

test('several processes that ask at once get one server', async () => {
  const script = path.join(folder, 'ask.ts');
  const library = path.resolve('src/client/embedded/index.ts');
  await writeFile(
    script,
    `import { ensureServer } from ${JSON.stringify(library)};
     console.log(JSON.stringify(await ensureServer({ folder: ${JSON.stringify(folder)} })));`,
  );
  const ask = () => promisify(execFile)(process.execPath, ['--import', 'jiti/register', script]);
  const answers = await Promise.all([ask(), ask(), ask()]);
  const parse: (text: string) => { pid: number; started: boolean } = JSON.parse;
  const servers = answers.map(({ stdout }) => parse(stdout));
  expect(new Set(servers.map(({ pid }) => pid)).size).toBe(1);
  expect(servers.filter(({ started }) => started)).toHaveLength(1);
});

test('a record left by a process whose number is another one now is not believed', async () => {
  const first = await ensureServer({ folder });
  await stopServer(folder);
  const state = { ...(await recorded()), status: 'ready' };
  const stranger = { pid: process.pid, startedAt: '1' };
  await writeFile(path.join(folder, 'server.json'), JSON.stringify({ ...state, keeper: stranger, server: stranger }));
  expect(await serverStatus(folder)).toBeUndefined();
  expect(await stopServer(folder)).toBe(false);
  expect(await ensureServer({ folder })).toMatchObject({ address: first.address, started: true });
});

test('a start that was cut short leaves nothing that a later one stumbles over', async () => {
  await ensureServer({ folder });
  await stopServer(folder);
  const state = { ...(await recorded()), status: 'starting', isNew: true };
  await writeFile(path.join(folder, 'server.json'), JSON.stringify(state));
  await writeFile(path.join(folder, 'temporal.db'), '');
  await rm(path.join(folder, 'temporal.db-wal'), { force: true });
  expect(await ensureServer({ folder })).toMatchObject({ started: true });
});

test('a port that another program took while it was away is an error that names it', async () => {
  const first = await ensureServer({ folder });
  await stopServer(folder);
  const { port } = await recorded();
  const stranger = createServer().listen(port, '127.0.0.1');
  await once(stranger, 'listening');
  await expect(ensureServer({ folder })).rejects.toMatchObject({
    category: 'input',
    message: `Port ${port}, on which this folder's Temporal server runs, is taken.`,
  });
  stranger.close();
  expect(await ensureServer({ folder })).toMatchObject({ address: first.address });
});

test('a database that another server has open is left alone', async () => {
  await ensureServer({ folder });
  await stopServer(folder);
  const program = await obtainProgram({ env: process.env, onProgress: () => undefined });
  const database = path.join(folder, 'temporal.db');
  const ports = ['--port', '17233', '--headless'];
  const stranger = spawn(program, ['server', 'start-dev', '--db-filename', database, ...ports], { stdio: 'ignore' });
  try {
    await until(() => isListening(17_233));
    await expect(ensureServer({ folder })).rejects.toThrow(/^Another Temporal server has .*temporal\.db open\.$/);
  } finally {
    stranger.kill('SIGKILL');
    await once(stranger, 'exit');
  }
  expect(await ensureServer({ folder })).toMatchObject({ started: true });
});

test('it stops when nobody uses it, but not while workflows are open', async () => {
  await ensureServer({ folder });
  await openWorkflow('open');
  await stopServer(folder);
  const { pid } = await ensureServer({ folder, idleMinutes: 1 / 60 });
  const id = identify(pid);
  await sleep(3000);
  expect(identify(pid)).toEqual(id);
  await withClient((client) => client.workflow.getHandle('open').terminate());
  await until(() => identify(pid) === undefined);
  expect(await ensureServer({ folder })).toMatchObject({ started: true });
});

test('it stops when its folder is removed', async () => {
  const { pid } = await ensureServer({ folder });
  await rm(folder, { recursive: true });
  await until(() => identify(pid) === undefined);
  expect(await serverStatus(folder)).toBeUndefined();
});

test('a folder that can not be written, or is none, is an error with a remedy', async () => {
  await expect(ensureServer({ folder: '/sys/tempered' })).rejects.toMatchObject({
    name: 'TemperedError',
    category: 'input',
  });
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  await expect(ensureServer({ folder: path.join(file, 'x') })).rejects.toMatchObject({ category: 'input' });
  await expect(ensureServer({ folder: file })).rejects.toMatchObject({ category: 'input' });
});

test('a program that does not start tells why', async () => {
  const program = path.join(folder, 'temporal');
  const script =
    '#!/bin/sh\n[ "$1" = --version ] && echo temporal version 9 && exit\necho no such thing as start-dev\nexit 1\n';
  await writeFile(program, script, { mode: 0o755 });
  const env = { ...process.env, TEMPORAL_CLI_PATH: program };
  await expect(ensureServer({ folder, env })).rejects.toThrow('no such thing as start-dev');
});
