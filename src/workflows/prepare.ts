import { condition, isCancellation } from '@temporalio/workflow';
import type { BatchControl } from './control.js';
import { functions } from './proxies.js';

/** The task's `prepare()`, once; when it fails the batch pauses and `resume` tries again. Nobody needs it after a stop. */
export async function prepareTask(batchId: string, functionQueue: string, control: BatchControl): Promise<void> {
  const isStopped = () => control.stop !== null;
  while (!isStopped()) {
    try {
      await functions(functionQueue).prepare.executeWithOptions({ summary: 'prepare, once' }, [batchId]);
      return;
    } catch (error) {
      if (isCancellation(error)) throw error;
      if (isStopped()) return;
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      const message = `prepare() failed: ${cause} Mend the task's module and run \`tempered resume\`.`;
      await control.setPaused({ reason: 'unknown', message, since: Date.now() });
      await condition(() => control.paused === null || isStopped());
    }
  }
}
