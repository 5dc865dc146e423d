import { TemperedError } from '../task/errors.js';
import { itemId } from '../workflows/ids.js';
import type { ClientContext } from './context.js';
import { explained, isNotFound } from './temporalErrors.js';

/** Tells a record's own workflow to end now. Throws `input` when it runs none. */
export async function skip(context: ClientContext, batchId: string, index: number): Promise<void> {
  const { workflow } = await context.client();
  const { skipSignal } = await import('../workflows/messages.js');
  await explained(batchId, async () => {
    try {
      await workflow.getHandle(itemId(batchId, index)).signal(skipSignal);
    } catch (error) {
      if (isNotFound(error)) throw notRunning(batchId, index, error);
      throw error;
    }
  });
}

function notRunning(batchId: string, index: number, cause: unknown): TemperedError {
  const message = `Record ${index} of batch ${batchId} has no workflow that runs: it has not begun, has ended, or is in a page.`;
  return new TemperedError('input', message, {
    remedy: `\`tempered cancel ${batchId} --item ${index}\` ends a record wherever it is.`,
    cause,
  });
}
