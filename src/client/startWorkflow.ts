import type { BatchRow } from '../store/types.js';
import type { AnyTask } from '../task/defineTask.js';
import { nanoToUsd } from '../task/money.js';
import type { batch } from '../workflows/batch.js';
import { CONTROL_QUEUE } from '../workflows/ids.js';
import type { BatchInput } from '../workflows/types.js';
import { closeGone } from './closeGone.js';
import type { ClientContext } from './context.js';
import { priorityOf } from './priority.js';
import { explained } from './temporalErrors.js';
import { temporalClient } from './temporalPackages.js';

/** Starts the batch's workflow, or finds it running. What it runs with is what the store's row says. */
export async function startWorkflow(
  context: ClientContext,
  task: Pick<AnyTask, 'spec' | 'hash'>,
  row: BatchRow,
): Promise<void> {
  const client = await context.client();
  const input = { ...inputOf(row), ...(context.quiet ? { quiet: true } : {}) };
  try {
    await explained(row.id, () =>
      client.workflow.start<typeof batch>('batch', {
        workflowId: row.id,
        taskQueue: CONTROL_QUEUE,
        args: [input],
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        workflowTaskTimeout: '5 s',
        priority: priorityOf(row),
        memo: { task: task.spec.name, model: task.spec.model, data: row.source },
        staticSummary: `${task.spec.name} on ${row.source}: ${row.items} records`,
        staticDetails: detailsOf(task, row),
      }),
    );
  } catch (error) {
    const { WorkflowExecutionAlreadyStartedError } = temporalClient();
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // It has ended meanwhile, or was ended on the server behind our back: then its records are closed now.
    await closeGone(context, row.id);
  }
}

function inputOf({ taskHash, options }: BatchRow): BatchInput {
  const { autoConcurrency, execution, budgetNano, onBudget, deadline, onDeadline, itemTimeoutMs } = options;
  const { open, maxFailures, weight, optimization } = options;
  return {
    task: taskHash,
    concurrency: autoConcurrency === true ? 'auto' : options.concurrency,
    onBudget,
    ...(execution === 'item' ? {} : { execution }),
    ...(budgetNano === null ? {} : { budgetUsd: nanoToUsd(budgetNano) }),
    ...(deadline === null ? {} : { deadline: new Date(deadline).toISOString() }),
    ...(onDeadline === undefined ? {} : { onDeadline }),
    ...(itemTimeoutMs === undefined ? {} : { itemTimeoutMs }),
    ...(open ? { open } : {}),
    ...(weight === undefined ? {} : { weight }),
    ...(maxFailures === undefined ? {} : { maxFailures }),
    ...(optimization === undefined ? {} : { optimization }),
  };
}

function detailsOf({ spec, hash }: Pick<AnyTask, 'spec' | 'hash'>, row: BatchRow): string {
  return [
    `Task \`${spec.name}\` (${hash.slice(0, 12)}) with \`${spec.model}\` on \`${row.source}\`, ${row.items} records.`,
    '',
    `Its items are the workflows \`${row.id}/<index>\`. From a terminal:`,
    `\`tempered status ${row.id}\`, \`tempered pause ${row.id}\`, \`tempered results ${row.id}\`.`,
  ].join('\n');
}
