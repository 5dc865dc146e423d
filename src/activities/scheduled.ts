import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/common';
import { WorkflowNotFoundError } from '@temporalio/client';
import { TemperedError } from '../task/errors.js';
import type { ActivityDeps } from './context.js';
import { withHeartbeat } from './heartbeat.js';
import type { ScheduleActivities } from './types.js';

/** How often a batch is looked at; milliseconds. */
const LOOK_MS = 1_000;

/** Activities of a schedule's firings. */
export function createScheduleActivities({ store, submitFile, client, closing }: ActivityDeps): ScheduleActivities {
  return {
    submitScheduled: (batchId, input) =>
      withHeartbeat(
        () => null,
        async ({ cancellationSignal }) => {
          const row = await store.getBatch(batchId);
          // A repeated activity must not load the data again: they may have changed since.
          if (row !== undefined && row.status !== 'loading' && row.status !== 'ready') return;
          await submitFile(batchId, input, cancellationSignal);
        },
      ),

    awaitBatch: (batchId) =>
      withHeartbeat(
        () => null,
        async ({ cancellationSignal }) => {
          for (;;) {
            const row = await store.getBatch(batchId);
            if (row === undefined) throw new TemperedError('input', `The store knows no batch ${batchId}.`);
            const { status } = row;
            if (status === 'finished' || status === 'stopped' || status === 'cancelled') return { batchId, status };
            if (closing.aborted) throw new TemperedError('unknown', 'This worker shuts down; another one waits on.');
            if (cancellationSignal.aborted) throw new CancelledFailure('the schedule wants the batch no more');
            await sleep(LOOK_MS);
          }
        },
      ),

    async cancelBatch(batchId) {
      try {
        await client.workflow.getHandle(batchId).cancel();
      } catch (error) {
        // It has ended by itself.
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
  };
}
