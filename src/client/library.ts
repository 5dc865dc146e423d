import type { BatchData } from './spool.js';
import { BatchHandle } from './handle.js';
import { openContext, type TemperedOptions } from './openContext.js';
import type { StartOptions, Submission } from './submit.js';
import { type BatchRun, openTempered, type TaskSource } from './tempered.js';
import type { TypedOutcome } from './typedOutcome.js';
import type { WorkOptions } from './work.js';

/**
 * Runs a task on data in this process, and resolves when every record has its outcome or the batch has paused: on the
 * embedded server, unless another is configured. Run again, it continues where it stopped, or returns what is there.
 */
export async function runBatch<Input, Output>(
  task: TaskSource<Input, Output>,
  data: BatchData<Input>,
  options: StartOptions & TemperedOptions & Pick<WorkOptions, 'log'> = {},
): Promise<BatchRun<Output>> {
  const tempered = await openTempered(options);
  try {
    const { summary } = await tempered.runBatch(task, data, options);
    return { summary, outcomes: { [Symbol.asyncIterator]: () => reread<Output>(summary.batchId, options) } };
  } finally {
    await tempered.close();
  }
}

/** Starts a task on data and returns its id and how it was started; workers elsewhere do the work. */
export async function startBatch<Input, Output>(
  task: TaskSource<Input, Output>,
  data: BatchData<Input>,
  options: StartOptions & TemperedOptions = {},
): Promise<Submission> {
  const tempered = await openTempered(options);
  try {
    return (await tempered.submit(task, data, options)).submission;
  } finally {
    await tempered.close();
  }
}

async function* reread<Output>(batchId: string, options: TemperedOptions): AsyncGenerator<TypedOutcome<Output>> {
  const context = await openContext(options);
  try {
    yield* new BatchHandle<Output>(context, batchId).outcomes();
  } finally {
    await context.close();
  }
}
