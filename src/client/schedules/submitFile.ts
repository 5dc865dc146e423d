import path from 'node:path';
import { z } from 'zod';
import { TemperedError } from '../../task/errors.js';
import { loadTask } from '../../task/loadTask.js';
import { isMaxFailures, MAX_FAILURES_FORM, type MaxFailures } from '../../task/maxFailures.js';
import type { ClientContext } from '../context.js';
import { submit } from '../submit.js';
import { withModel } from '../withModel.js';

/** What a schedule's input may say: anybody who reaches the server can write one. */
const scheduledSchema = z.object({
  task: z.string().min(1),
  data: z.string().min(1),
  options: z
    .strictObject({
      model: z.string(),
      concurrency: z.union([z.number(), z.literal('auto')]),
      weight: z.number(),
      execution: z.enum(['item', 'inline']),
      limit: z.int().min(1),
      budgetUsd: z.number(),
      onBudget: z.enum(['pause', 'stop']),
      maxFailures: z.custom<MaxFailures>(isMaxFailures, `it wants ${MAX_FAILURES_FORM}`),
      reuse: z.boolean(),
      onBadInput: z.enum(['fail', 'skip']),
      idField: z.string(),
    })
    .partial(),
});

/**
 * The file's path from this process' folder. Throws `input` for one outside it: a worker reads for a schedule only what
 * lies beside its configuration.
 */
export function inFolder(file: string): string {
  const relative = path.relative(process.cwd(), path.resolve(file));
  if (relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative)) return relative;
  throw new TemperedError('input', `${file} lies outside the folder of the worker.`, {
    remedy: 'Put the files of a schedule into the folder its workers run in, or a link to them.',
  });
}

/** Starts a batch of a task's and data set's files, as they are now. Throws `input` for what can't be used. */
export async function submitFile(
  context: ClientContext,
  batchId: string,
  input: unknown,
  signal: AbortSignal,
): Promise<void> {
  const parsed = scheduledSchema.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = issue?.path.join('.') ?? '';
    throw new TemperedError('input', `The schedule's input can't be used: ${place}: ${issue?.message ?? 'not valid'}`);
  }
  const { model, ...options } = parsed.data.options;
  const task = await loadTask(inFolder(parsed.data.task));
  const asked = model === undefined ? task : withModel(task, model);
  await submit(context, asked, inFolder(parsed.data.data), { ...options, batchId, signal });
}
