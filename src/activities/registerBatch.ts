import type { BatchOptions, BatchRow, Store } from '../store/types.js';
import { TemperedError } from '../task/errors.js';
import { usdToNano } from '../task/money.js';
import { parseTaskFile } from '../task/taskFile.js';
import type { BatchInput } from '../workflows/types.js';

/** Prompts in flight when the input does not say; as in the `batch` workflow. */
const DEFAULT_CONCURRENCY = 50;

/** A batch another SDK started: its task and row are made here. */
export async function registerBatch(store: Store, batchId: string, input: BatchInput, now: number): Promise<BatchRow> {
  const { hash, name } = await registerTask(store, input.task);
  const options: BatchOptions = {
    concurrency: input.concurrency ?? DEFAULT_CONCURRENCY,
    execution: 'item',
    budgetNano: input.budgetUsd === undefined ? null : usdToNano(input.budgetUsd),
    onBudget: input.onBudget ?? 'pause',
    deadline: input.deadline === undefined ? null : Date.parse(input.deadline),
    open: input.open ?? false,
  };
  const row = {
    id: batchId,
    taskHash: hash,
    taskName: name,
    dataHash: '',
    source: 'signal',
    options,
    createdAt: now,
  };
  await store.createBatch(row);
  await store.finishLoading(batchId);
  const made = await store.getBatch(batchId);
  if (made === undefined) throw new TemperedError('unknown', `Batch ${batchId} vanished from the store.`);
  return made;
}

async function registerTask(store: Store, task: BatchInput['task']): Promise<{ hash: string; name: string }> {
  if (typeof task !== 'string') {
    const parsed = parseTaskFile(task, { file: 'task' });
    await store.putTask(parsed.hash, parsed.spec);
    return { hash: parsed.hash, name: parsed.spec.name };
  }
  const spec = await store.getTask(task);
  if (spec !== undefined) return { hash: task, name: spec.name };
  throw new TemperedError('input', `The store knows no task ${task}.`, {
    remedy: 'Send the whole task file as `task`, or register it with `tempered run` first.',
  });
}
