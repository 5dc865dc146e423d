import { ApplicationFailure } from '@temporalio/common';
import type { Issue } from '../task/outcome.js';
import { CONTROL_QUEUE, taskQueue } from '../workflows/ids.js';
import type { ActivityDeps } from './context.js';
import type { ReviewActivities } from './types.js';

/** Activities that take a person's answer. */
export function createReviewActivities({ store, tasks, batches }: ActivityDeps): ReviewActivities {
  return {
    async reviewQueue(batchId) {
      const { taskHash } = await batches.get(batchId);
      const spec = await store.getTask(taskHash);
      return (spec?.functions.length ?? 0) > 0 ? taskQueue(taskHash) : CONTROL_QUEUE;
    },

    async answerItem(batchId, index, answer) {
      const task = await tasks.get((await batches.get(batchId)).taskHash);
      const record = await store.getRecord(batchId, index);
      if (record === undefined) throw refused(`Batch ${batchId} has no record ${index}.`);
      if ((await store.getOutcome(batchId, index)) === undefined) throw refused(`Record ${index} has no outcome yet.`);
      const shape = task.checkShape(answer.output);
      if (!shape.ok) throw refused(`The answer does not fit the schema: ${listed(shape.issues)}`);
      const said = (await task.functions.validate?.(shape.output, record.input)) ?? [];
      // A person's answer needs no second review; a rule it breaks is still told.
      if (!('review' in said) && said.length > 0)
        throw refused(`The answer breaks a rule of the task: ${listed(said)}`);
      await store.replaceOutcome(batchId, index, { status: 'succeeded', output: shape.output, error: null });
    },
  };
}

function refused(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'invalid_output');
}

function listed(issues: readonly Pick<Issue, 'path' | 'message'>[]): string {
  return issues
    .map(({ path, message }) => `${path.length === 0 ? 'the answer' : path.join('.')}: ${message}`)
    .join('; ');
}
