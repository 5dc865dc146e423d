import type { BatchOptions, BatchRow, Store } from '../store/types.js';
import { parseOptimization } from '../caching/config.js';
import { TemperedError } from '../task/errors.js';
import type { OptimizationConfig, OptimizationLayer } from '../task/optimization.js';
import type { TaskSpec } from '../task/spec.js';
import { parseTaskFile } from '../task/taskFile.js';
import { settingsOf } from '../workflows/settings.js';
import type { BatchInput } from '../workflows/types.js';
import type { ActivityDeps } from './context.js';

/** How prompts of a batch are made cheaper, by what its start says and what is configured here. Throws `input`. */
export type Optimizing = (
  spec: TaskSpec,
  batchId: string,
  call: OptimizationLayer | undefined,
) => Promise<OptimizationConfig>;

/** A batch another SDK started: its task and row are made here, with the configuration of this worker. */
export async function registerBatch(
  { store, optimization: optimizing, now }: Pick<ActivityDeps, 'store' | 'optimization' | 'now'>,
  batchId: string,
  input: BatchInput,
): Promise<BatchRow> {
  const { hash, spec } = await registerTask(store, input.task);
  const { concurrency, autoConcurrency, budgetNano, deadline, weight } = settingsOf(input);
  const limit = input.maxFailures ?? spec.maxFailures;
  const call = input.optimization === undefined ? undefined : parseOptimization(input.optimization);
  const optimization = await optimizing(spec, batchId, call);
  const options: BatchOptions = {
    concurrency,
    ...(autoConcurrency === undefined ? {} : { autoConcurrency }),
    execution: input.execution ?? 'item',
    budgetNano,
    onBudget: input.onBudget ?? 'pause',
    deadline,
    open: input.open ?? false,
    ...(input.onDeadline === undefined ? {} : { onDeadline: input.onDeadline }),
    ...(input.itemTimeoutMs === undefined ? {} : { itemTimeoutMs: input.itemTimeoutMs }),
    ...(weight === undefined ? {} : { weight }),
    ...(limit === undefined ? {} : { maxFailures: limit }),
    optimization,
  };
  const row = {
    id: batchId,
    taskHash: hash,
    taskName: spec.name,
    dataHash: '',
    source: 'signal',
    options,
    createdAt: now(),
  };
  await store.createBatch(row);
  await store.finishLoading(batchId);
  const made = await store.getBatch(batchId);
  if (made === undefined) throw new TemperedError('unknown', `Batch ${batchId} vanished from the store.`);
  return made;
}

async function registerTask(store: Store, task: BatchInput['task']): Promise<{ hash: string; spec: TaskSpec }> {
  if (typeof task !== 'string') {
    const parsed = parseTaskFile(task, { file: 'task' });
    await store.putTask(parsed.hash, parsed.spec);
    return { hash: parsed.hash, spec: parsed.spec };
  }
  const spec = await store.getTask(task);
  if (spec !== undefined) return { hash: task, spec };
  throw new TemperedError('input', `The store knows no task ${task}.`, {
    remedy: 'Send the whole task file as `task`, or register it with `tempered run` first.',
  });
}
