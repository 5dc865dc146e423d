import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { TemperedError } from '../../task/errors.js';
import { temporalClient } from '../temporalPackages.js';
import { lockDatabase } from './fileLock.js';
import { isListening, type Ports } from './ports.js';
import { identify, isRunning, type ProcessId } from './processes.js';
import { childEnvironment, SCRIPTS_FOLDER } from './scripts.js';
import type { ServerFiles } from './serverState.js';

/** The namespace everything embedded lives in. */
const NAMESPACE = 'default';

/** How long finished workflows can be looked at. */
const RETENTION = '30 days';

/** Longest wait for a server to answer; milliseconds. A first start makes the database: under a second here. */
const READY_LIMIT_MS = 60_000;

const POLL_MS = 50;

/** Bytes of the log's end shown in an error. */
const TAIL_BYTES = 1500;

/**
 * WAL without a sync per transaction: twice the speed; a power cut may lose the last moments, a killed process nothing.
 */
const PRAGMAS = ['journal_mode=WAL', 'synchronous=NORMAL'];

/**
 * One process serves all: one partition per queue saves forwarding between them, and the limits that share a cluster
 * among tenants would only slow its one user down. Limits of single workflows stay as on any server.
 */
const DYNAMIC_CONFIG = [
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
  'frontend.rps=100000',
  'frontend.namespaceRPS=100000',
  'frontend.namespaceRPS.visibility=1000',
  'frontend.namespaceCount=100000',
  'frontend.persistenceMaxQPS=100000',
  'history.rps=100000',
  'history.persistenceMaxQPS=100000',
  'matching.rps=100000',
  'matching.persistenceMaxQPS=100000',
  // What lists and searches show is written once a second, many changes at a time: a workflow that has ended by then is
  // written once, not when it starts, when it gets its worker's version, and when it ends.
  'history.visibilityProcessorMaxPollRPS=1',
  'history.visibilityTaskBatchSize=1000',
  // A development server reads the search attributes' names anew before each of these writes; others once a minute.
  'system.forceSearchAttributesCacheRefreshOnRead=false',
];

/**
 * What this server is started with that a `temporal server start-dev` is not, for speed. The benches start theirs with it.
 * @public
 */
export const SPEED_SETTINGS: readonly string[] = [
  ...PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma]),
  ...DYNAMIC_CONFIG.flatMap((value) => ['--dynamic-config-value', value]),
];

function serverArguments(files: ServerFiles, { port, uiPort }: Ports): readonly string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)],
    ...['--db-filename', files.database, '--namespace', NAMESPACE, '--log-level', 'warn'],
    // What is set for other Temporal commands must not reach this server.
    ...['--disable-config-file', '--disable-config-env'],
    ...SPEED_SETTINGS,
  ];
}

/** A server that was started, before it answers. */
export interface LaunchedServer {
  /** Its process; undefined when it has ended already. */
  readonly id: ProcessId | undefined;
  /** What it has printed so far, the last of it. */
  readonly lastWords: () => Promise<string>;
}

/**
 * Starts a server on the folder's database. Its output goes straight to the log, so that it outlives its keeper.
 * Throws `input` when another server has the database open, or the program can't be run.
 */
export async function launchServer(program: string, files: ServerFiles, ports: Ports): Promise<LaunchedServer> {
  assertDatabaseFree(files);
  const log = await open(files.log, 'a');
  try {
    const start = (await log.stat()).size;
    const child = spawn(program, serverArguments(files, ports), {
      cwd: SCRIPTS_FOLDER,
      env: childEnvironment(process.env),
      stdio: ['ignore', log.fd, log.fd],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => reject(cannotRun(program, cause)));
    });
    const { pid } = child;
    return { id: pid === undefined ? undefined : identify(pid), lastWords: () => tail(files, start) };
  } finally {
    await log.close();
  }
}

function assertDatabaseFree({ database }: ServerFiles): void {
  // Made by the server itself: an empty file would be taken for one with tables.
  if (!existsSync(database)) return;
  const release = lockDatabase(database);
  if (release === undefined) {
    throw new TemperedError('input', `Another Temporal server has ${database} open.`, {
      remedy: 'Stop that server, or work in another folder: two servers on one database would destroy it.',
    });
  }
  release();
}

function cannotRun(program: string, cause: Error): TemperedError {
  return new TemperedError('input', `The program ${program} can't be run: ${cause.message}.`, {
    remedy: 'Let TEMPORAL_CLI_PATH name a Temporal CLI for this machine, or unset it.',
    cause,
  });
}

/** The end of what was logged from `start` on. */
async function tail({ log }: ServerFiles, start: number): Promise<string> {
  const handle = await open(log, 'r');
  try {
    const { size } = await handle.stat();
    const from = Math.max(Math.min(start, size), size - TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(size - from), position: from });
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await handle.close();
  }
}

/**
 * Waits until a server answers and keeps finished workflows long enough. Resolves to false when it ended instead, took
 * too long, or `signal` aborted.
 */
export async function becomesReady(id: ProcessId, { port }: Ports, signal: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + READY_LIMIT_MS;
  while (isRunning(id) && Date.now() < deadline && !signal.aborted) {
    if ((await isListening(port)) && (await setRetention(port))) return true;
    await sleep(POLL_MS);
  }
  return false;
}

/** Runs a call to the server on a connection of its own. */
async function withConnection<T>(port: number, call: (connection: Connection) => Promise<T>): Promise<T> {
  // Most commands find the server running.
  const { Connection } = temporalClient();
  const connection = await Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: 5000 });
  try {
    return await call(connection);
  } finally {
    await connection.close();
  }
}

async function setRetention(port: number): Promise<boolean> {
  const { msToTs } = await import('@temporalio/common/lib/time.js');
  try {
    await withConnection(port, ({ workflowService }) =>
      workflowService.updateNamespace({
        namespace: NAMESPACE,
        config: { workflowExecutionRetentionTtl: msToTs(RETENTION) },
      }),
    );
    return true;
  } catch {
    // It listens before it can answer, and makes its namespace after that.
    return false;
  }
}

/** Workflows that have not ended. */
export async function openWorkflows(port: number): Promise<number> {
  const request = { namespace: NAMESPACE, query: 'ExecutionStatus = "Running"' };
  const { count } = await withConnection(port, ({ workflowService }) =>
    workflowService.countWorkflowExecutions(request),
  );
  return Number(count);
}
