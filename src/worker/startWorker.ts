import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { bundleWorkflowCode, type NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { CacheFaults } from '../activities/cacheFaults.js';
import { type ActivityDeps, BatchBook, type SubmitFile, TaskBook } from '../activities/context.js';
import { watchFailures } from '../activities/failureWatch.js';
import { type Activities, createActivities } from '../activities/index.js';
import type { Notifier } from '../activities/notifier.js';
import type { Optimizing } from '../activities/registerBatch.js';
import { MoneyWatch } from '../activities/reserve.js';
import { CircuitBreaker } from '../limits/circuitBreaker.js';
import { createControlCache } from '../limits/controlCache.js';
import { createGate } from '../limits/gate.js';
import { Tuner } from '../limits/tuner.js';
import { PoolBook, type PoolConfigs } from '../limits/poolBook.js';
import type { CircuitSettings, Limiter } from '../limits/types.js';
import type { ProviderSet } from '../providers/types.js';
import type { Store } from '../store/types.js';
import type { AnyTask } from '../task/defineTask.js';
import { thrownText } from '../task/errors.js';
import { tunedSignal } from '../workflows/messages.js';
import { CONTROL_QUEUE, poolQueue, taskQueue } from '../workflows/ids.js';
import { createMeters } from './meters.js';
import { installRuntime, type LogLine } from './runtime.js';
import { isGone, workerName } from './workerName.js';

/** What a worker is started with. */
export interface StartWorkerOptions {
  /** For words to batch workflows. Stays open. */
  readonly client: Client;
  /** Where tasks are polled. Stays open. */
  readonly connection: NativeConnection;
  /** Namespace of both. */
  readonly namespace: string;
  /** The open store. */
  readonly store: Store;
  /** Endpoints this process can reach. */
  readonly providers: ProviderSet;
  /** Pools as configured. */
  readonly poolConfigs: PoolConfigs;
  /** When an endpoint counts as down. Default: 5 failures in a row, for 60 s. */
  readonly circuit?: CircuitSettings | undefined;
  /** Tells the outside world of batches. */
  readonly notifier: Notifier;
  /** Starts batches of files, for schedules. */
  readonly submitFile: SubmitFile;
  /** Modules this worker has loaded; tasks without functions need none. */
  readonly tasks: readonly AnyTask[];
  /** Pools to serve. Default: every provider whose key is set or which needs none. */
  readonly pools?: readonly string[];
  /** LLM_OPTIMIZATION_ENABLED of this process; undefined = each batch's own settings hold. */
  readonly optimizing?: boolean | undefined;
  /** How prompts of batches that another SDK starts are made cheaper. */
  readonly optimization: Optimizing;
  /** Where the Temporal SDK's own log goes. Default: stderr. */
  readonly log?: LogLine;
  /** A prebuilt workflow bundle's path. Default: the one made by the build, else bundled now. */
  readonly bundlePath?: string;
  /** Build id for worker deployment versioning; undefined = the worker is not versioned. */
  readonly buildId?: string;
}

/** A running worker. */
export interface RunningWorker {
  /** Settles when the worker has shut down; rejects if it failed. */
  readonly run: Promise<void>;
  /** Takes nothing new, lets prompts in flight finish for 10 s, gives leases back. Store and connections stay open. */
  shutdown(): Promise<void>;
  /** What holds a batch's prompts back in this process now. */
  limiter(batchId: string): Limiter | null;
}

/** Prompts in flight or waiting at the gate, per pool and process: a thousand, and the records begun ahead for them. */
const PROMPT_SLOTS = 1_500;

/** Time prompts in flight get to finish at a shutdown. */
const SHUTDOWN_GRACE = '10 s';

/** What the activities of this process share. `closing` aborts when it shuts down. */
function activityDeps(options: StartWorkerOptions, log: LogLine, closing: AbortSignal): ActivityDeps {
  const { store, providers, tasks, client } = options;
  const pools = new PoolBook(options.poolConfigs);
  const meters = createMeters(Runtime.instance().metricMeter);
  const batches = new BatchBook(store);
  return {
    store,
    providers,
    gate: createGate({
      store,
      meters,
      worker: workerName(),
      configured: (pool) => pools.settingsOf(pool),
    }),
    meters,
    circuits: new CircuitBreaker({ store, settings: options.circuit, meters }),
    tuner: new Tuner({
      inFlight: async (batchId) => (await store.counters(batchId)).inFlight,
      propose: ({ batchId, from, to }) => client.workflow.getHandle(batchId).signal(tunedSignal, { from, to }),
      now: Date.now,
    }),
    pools,
    money: new MoneyWatch(Date.now),
    control: createControlCache(watchFailures({ store, client, batches, now: Date.now })),
    tasks: new TaskBook(store, tasks),
    batches,
    notifier: options.notifier,
    submitFile: options.submitFile,
    client,
    cacheFaults: new CacheFaults(),
    optimizing: options.optimizing,
    optimization: options.optimization,
    now: Date.now,
    warn: (error) => log(`a batch could not be told: ${thrownText(error)}`),
    closing,
  };
}

/** What a killed process of this machine held is free at once, for whoever takes its work over. */
async function dropGone(store: Store): Promise<void> {
  const holders = await store.leaseHolders();
  await Promise.all(holders.filter((worker) => isGone(worker)).map((worker) => store.dropLeases(worker)));
}

/** Starts the workers of this process: workflows and rows, one per pool, one per task with functions. */
export async function startWorker(options: StartWorkerOptions): Promise<RunningWorker> {
  const log: LogLine = options.log ?? ((line) => process.stderr.write(`${line}\n`));
  installRuntime(log);
  await dropGone(options.store);
  const closing = new AbortController();
  const deps = activityDeps(options, log, closing.signal);
  const { gate, circuits } = deps;
  const activities = createActivities(deps);
  const shared = sharedOptions(options);
  const workers = await Promise.all(
    [
      workflowOptions(shared, await workflowBundle(options.bundlePath), activities),
      ...poolOptions(shared, options, activities),
      ...taskOptions(shared, options.tasks, activities),
    ].map((one) => Worker.create(one)),
  );
  const run = Promise.all(workers.map((worker) => worker.run())).then(async () => {
    await gate.close();
  });
  return {
    run,
    async shutdown() {
      closing.abort();
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await run;
    },
    limiter: (batchId) => (circuits.isHolding(batchId) ? 'endpoint' : gate.limiter(batchId)),
  };
}

/**
 * A lost worker is noticed by heartbeats within 10 s and its cached workflows within 2 s, so that a crash costs
 * seconds; pollers grow with the load.
 */
function sharedOptions({ buildId, connection, namespace }: StartWorkerOptions): Omit<WorkerOptions, 'taskQueue'> {
  const poller = { type: 'autoscaling', minimum: 1, initial: 2, maximum: 20 } as const;
  const version = buildId === undefined ? undefined : { deploymentName: 'tempered', buildId };
  return {
    connection,
    namespace,
    shutdownGraceTime: SHUTDOWN_GRACE,
    stickyQueueScheduleToStartTimeout: '2 s',
    maxHeartbeatThrottleInterval: '2 s',
    defaultHeartbeatThrottleInterval: '2 s',
    activityTaskPollerBehavior: poller,
    ...(version === undefined
      ? {}
      : { workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' } }),
  };
}

function workflowOptions(
  shared: Omit<WorkerOptions, 'taskQueue'>,
  bundle: NonNullable<WorkerOptions['workflowBundle']>,
  { rows, functions, review }: Activities,
): WorkerOptions {
  return {
    ...shared,
    taskQueue: CONTROL_QUEUE,
    workflowBundle: bundle,
    workflowTaskPollerBehavior: { type: 'autoscaling', minimum: 2, initial: 5, maximum: 20 },
    activities: { ...rows, ...functions, ...review },
  };
}

function poolOptions(
  shared: Omit<WorkerOptions, 'taskQueue'>,
  { pools, providers }: StartWorkerOptions,
  { prompt }: Activities,
): WorkerOptions[] {
  return (pools ?? providers.available).map((pool) => ({
    ...shared,
    taskQueue: poolQueue(pool),
    activities: prompt,
    maxConcurrentActivityTaskExecutions: PROMPT_SLOTS,
  }));
}

function taskOptions(
  shared: Omit<WorkerOptions, 'taskQueue'>,
  tasks: readonly AnyTask[],
  { prompt, functions, review }: Activities,
): WorkerOptions[] {
  return tasks
    .filter(({ spec }) => spec.functions.length > 0 || spec.rendersInCode === true)
    .map(({ hash }) => ({
      ...shared,
      taskQueue: taskQueue(hash),
      activities: { ...prompt, ...functions, ...review },
      maxConcurrentActivityTaskExecutions: PROMPT_SLOTS,
    }));
}

/** Bundled once per process: a second worker has it at once. */
let bundled: ReturnType<typeof bundleWorkflowCode> | undefined;

/** The build's bundle starts a worker in milliseconds; from a source checkout it is made now, in a few seconds. */
async function workflowBundle(path: string | undefined): Promise<NonNullable<WorkerOptions['workflowBundle']>> {
  const built = path ?? fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  if (existsSync(built)) return { codePath: built };
  const compiled = fileURLToPath(new URL('../workflows/index.js', import.meta.url));
  const workflowsPath = existsSync(compiled) ? compiled : compiled.replace(/\.js$/, '.ts');
  bundled ??= bundleWorkflowCode({ workflowsPath, preloadModules: [workflowsPath] });
  return bundled;
}
