import { ApplicationFailure } from '@temporalio/common';
import type { Store } from '../store/types.js';
import { TemperedError } from '../task/errors.js';
import type { Json } from '../task/json.js';
import { toLoadedRecord } from '../task/loadRecord.js';
import type { LoadedRecord } from '../task/spec.js';
import type { ActivityDeps, WorkerTask } from './context.js';
import { withHeartbeat } from './heartbeat.js';
import { postProcessPage, processOutcome } from './postProcess.js';
import type { FunctionActivities } from './types.js';

/** Activities that call a task's functions around the batch, or load records with them. */
export function createFunctionActivities(deps: ActivityDeps): FunctionActivities {
  const { store, tasks, batches } = deps;
  const taskOf = async (batchId: string) => tasks.get((await batches.get(batchId)).taskHash);
  return {
    prepare: (batchId) =>
      withHeartbeat(noDetails, async () => {
        const row = await store.getBatch(batchId);
        if (row?.prepared !== undefined) return;
        const task = await taskOf(batchId);
        const prepared = (await task.functions.prepare?.()) ?? null;
        await store.updateBatch(batchId, { prepared });
        batches.forget(batchId);
      }),

    cleanup: (batchId) =>
      withHeartbeat(noDetails, async () => {
        const task = await taskOf(batchId);
        await task.functions.cleanup?.((await store.getBatch(batchId))?.prepared ?? null);
      }),

    loadItems: (batchId, added) =>
      withHeartbeat(noDetails, async () => {
        const row = await store.getBatch(batchId);
        if (added.items === undefined) return { items: row?.items ?? 0 };
        const task = await taskOf(batchId);
        const from = row?.items ?? 0;
        const records = await Promise.all(added.items.map((input, i) => load(task, input, from + i)));
        await add(store, batchId, added.clientKey, records);
        return { items: (await store.getBatch(batchId))?.items ?? from };
      }),

    postProcess: (batchId, index) =>
      withHeartbeat(noDetails, async () => {
        const outcome = await store.getOutcome(batchId, index);
        if (outcome === undefined) throw ApplicationFailure.nonRetryable(`Record ${index} has no outcome to process.`);
        return { changed: await processOutcome(deps, await taskOf(batchId), batchId, outcome) };
      }),

    postProcessPage: (page) => postProcessPage(deps, page),
  };
}

const noDetails = () => null;

/** A chunk the store refuses (an id it knows already) is refused each time: the batch must not wait for it. */
async function add(store: Store, batchId: string, key: string, records: readonly LoadedRecord[]): Promise<void> {
  try {
    await store.addItems(batchId, key, records);
  } catch (error) {
    if (!(error instanceof TemperedError) || error.category !== 'input') throw error;
    throw ApplicationFailure.nonRetryable(error.explanation, error.category);
  }
}

/** A record sent by a message. One that can't be loaded becomes an outcome that says why: a signal can't be refused. */
async function load(task: WorkerTask, input: Json, index: number): Promise<LoadedRecord> {
  const loader = task.module ?? { spec: task.spec, hash: task.hash, load: {}, functions: {}, schema: undefined };
  try {
    return await toLoadedRecord(loader, input, { index });
  } catch (error) {
    if (!(error instanceof TemperedError)) throw error;
    const preset = { kind: 'skip', reason: error.explanation } as const;
    return { id: String(index), line: null, input, rendered: null, preset };
  }
}
