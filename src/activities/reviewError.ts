import type { ItemError } from '../task/errors.js';

/** The error of a record that a person must look at. `reason`: what the task said, with or without a full stop. */
export function reviewError(reason: string): ItemError {
  const message = `Held for review: ${reason.replace(/[.!?]?$/, '.')} Answer it with \`tempered answer\`.`;
  return { category: 'review', message, retryable: false };
}
