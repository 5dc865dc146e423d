import { isCancellation } from '@temporalio/workflow';

/** Lets `work` run beside the main line. The workflow's own cancellation ends it quietly; anything else is a bug and shows. */
export function background(work: Promise<void>): void {
  work.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
}
