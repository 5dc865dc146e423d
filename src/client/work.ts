import { parseModelRef } from '../models/modelRef.js';
import type { AnyTask } from '../task/defineTask.js';
import type { RunningWorker } from '../worker/startWorker.js';
import { nativeConnection } from './connect.js';
import type { ClientContext } from './context.js';
import { submitFile } from './schedules/submitFile.js';

/** Which work a process does. */
export interface WorkOptions {
  /** Task modules whose functions this worker can call; tasks without functions need none. */
  readonly tasks?: readonly AnyTask[] | undefined;
  /** Provider accounts to serve. Default: every one whose key is set or which needs none. */
  readonly pools?: readonly string[] | undefined;
  /** Receives warnings of the Temporal SDK, a line each. Default: stderr. */
  readonly log?: ((line: string) => void) | undefined;
  /**
   * Where this process serves metrics to Prometheus, `host:port`; the first worker of a process decides. Default:
   * nowhere.
   */
  readonly metrics?: string | undefined;
  /** Build id for Temporal's worker deployment versioning. Default: not versioned. */
  readonly buildId?: string | undefined;
}

/** Starts a worker in this process, on a connection of its own. */
export async function work(context: ClientContext, options: WorkOptions): Promise<RunningWorker> {
  const { store, providers, pools: poolConfigs, circuit, notifier, optimizing } = context;
  const target = await context.target();
  const client = await context.client();
  const { tasks = [], pools, log, metrics, buildId } = options;
  // Here and not above: commands that only look need no worker, nor its memory and time to load.
  const { installRuntime } = await import('../worker/runtime.js');
  const { startWorker } = await import('../worker/startWorker.js');
  // Before the connection: making one fixes where the SDK's own log goes.
  installRuntime(log ?? toStderr, metrics);
  const connection = await nativeConnection(target);
  const worker = await startWorker({
    client,
    connection,
    namespace: target.namespace,
    store,
    providers,
    poolConfigs,
    circuit,
    notifier,
    submitFile: (batchId, input, signal) => submitFile(context, batchId, input, signal),
    optimizing,
    optimization: (spec, id, call) => context.optimization(spec, id, call),
    tasks,
    ...(pools === undefined ? {} : { pools }),
    ...(log === undefined ? {} : { log }),
    ...(buildId === undefined ? {} : { buildId }),
  });
  const run = worker.run.finally(() => connection.close());
  return {
    run,
    limiter: (batchId) => worker.limiter(batchId),
    shutdown: async () => {
      await worker.shutdown();
      await run;
    },
  };
}

function toStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Provider accounts a task's prompts wait in line for. */
export function poolsOf(task: AnyTask): readonly string[] {
  return [parseModelRef(task.spec.model).provider];
}

/** A worker of this process, and what its gate says. */
export type { RunningWorker } from '../worker/startWorker.js';
export type { Concurrency, Limiter } from '../limits/types.js';
/** Queue of workflows and their rows. */
export { CONTROL_QUEUE } from '../workflows/ids.js';
