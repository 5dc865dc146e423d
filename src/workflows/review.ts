import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  condition,
  setHandler,
  setWorkflowOptions,
} from '@temporalio/workflow';
import { answerUpdate } from './messages.js';
import { reviews, rows } from './proxies.js';
import type { ReviewAnswer, ReviewInput } from './types.js';
import { versioned } from './versioning.js';

/** How long a review waits for a valid answer after a refused one. */
const PATIENCE = '10 minutes';

/**
 * Takes a person's answer for one record. Started by update-with-start `answer`; a valid answer replaces the outcome
 * and ends the workflow, a refused one may be sent again.
 */
export async function review({ batchId, index }: ReviewInput): Promise<{ readonly answered: boolean }> {
  let answered = false;
  setHandler(
    answerUpdate,
    async (answer) => {
      const queue = await rows.reviewQueue.executeWithOptions({ summary: 'where to validate' }, [batchId]);
      await validated(() =>
        reviews(queue).answerItem.executeWithOptions({ summary: `answer by ${answer.by ?? 'a person'}` }, [
          batchId,
          index,
          answer,
        ]),
      );
      answered = true;
      return { status: 'succeeded' as const };
    },
    { validator: checkAnswer },
  );
  await condition(() => answered, PATIENCE, { summary: 'waiting for a valid answer' });
  await condition(allHandlersFinished);
  return { answered };
}
setWorkflowOptions(versioned('AUTO_UPGRADE'), review);

function checkAnswer(answer: ReviewAnswer): void {
  if (!('output' in answer)) throw new Error('answer wants {"output": …}');
}

/** A refused answer fails the update with the reason, not the workflow. */
async function validated(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const cause = error instanceof ActivityFailure ? error.cause : undefined;
    if (cause instanceof ApplicationFailure) throw ApplicationFailure.nonRetryable(cause.message, cause.type);
    throw error;
  }
}
