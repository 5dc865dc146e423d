import { ActivityFailure, isCancellation, sleep, TimeoutFailure } from '@temporalio/workflow';
import type { OpenedBatch } from '../activities/types.js';
import { initialState } from '../recovery/ladder.js';
import { prompts } from './proxies.js';

/** Workers lost in a row while probing; then the fan-out opens and each item decides for itself. */
const MAX_LOST_WORKERS = 3;

/**
 * Sends the batch's first prompt alone. Its answer waits in the journal, where the record's own item finds it: nothing
 * is paid twice. Returns when the model was reached, whatever it said of this record; a wrong key, a missing model or
 * a used-up budget pause the batch meanwhile, inside the activity's retries.
 */
export async function sendProbe(batchId: string, index: number, opened: OpenedBatch): Promise<void> {
  const { prompt } = prompts(opened.queue, opened.plan.promptTimeoutMs);
  const summary = `probe: the first prompt goes alone (record ${index})`;
  for (let lost = 0; lost < MAX_LOST_WORKERS; lost += 1) {
    try {
      await prompt.executeWithOptions({ summary }, [{ batchId, index, state: initialState(opened.plan), probe: true }]);
      return;
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
      // Anything but a lost worker is this record's own matter, and its item's to decide.
      if (!(error.cause instanceof TimeoutFailure)) return;
      await sleep('1 s', { summary: 'a worker was lost; probing again' });
    }
  }
}
