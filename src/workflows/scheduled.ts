import { CancellationScope, isCancellation, setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import { scheduledBatchId } from './ids.js';
import { scheduling } from './proxies.js';
import type { ScheduledInput, ScheduledResult } from './scheduleTypes.js';
import { versioned } from './versioning.js';

/**
 * One firing of a schedule: loads the data as they are now, starts a batch of its own, and ends with it, so that the
 * schedule's overlap policy sees how long the batch takes. Cancelled, it cancels the batch.
 */
export async function scheduled(input: ScheduledInput): Promise<ScheduledResult> {
  const batchId = scheduledBatchId(workflowInfo().workflowId);
  await scheduling.submitScheduled.executeWithOptions({ summary: `load ${input.data}` }, [batchId, input]);
  try {
    return await scheduling.awaitBatch.executeWithOptions({ summary: `until ${batchId} has ended` }, [batchId]);
  } catch (error) {
    if (isCancellation(error)) {
      await CancellationScope.nonCancellable(() =>
        scheduling.cancelBatch.executeWithOptions({ summary: `cancel ${batchId}` }, [batchId]),
      );
    }
    throw error;
  }
}
setWorkflowOptions(versioned('AUTO_UPGRADE'), scheduled);
