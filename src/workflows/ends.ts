import type { StopReason } from '../limits/types.js';
import type { ItemError } from '../task/errors.js';

/** Why records are left without an answer of their own. `item_gone`: its workflow was cancelled or terminated. */
export type EndReason = StopReason | 'item_gone';

/** The error of a record whose own time was over. Pure. */
export function itemTimeoutError(timeoutMs: number): ItemError {
  const message = `The record's time was over: ${timeoutMs / 1000} s for all its prompts and waits.`;
  return { category: 'deadline', code: 'item_timeout', message, retryable: true };
}

/** The error of a record that ended for `reason` before its ladder did. Pure. */
export function endError(reason: EndReason): ItemError {
  switch (reason) {
    case 'cancelled':
      return { category: 'cancelled', message: 'The batch was cancelled.', retryable: true };
    case 'deadline':
      return { category: 'deadline', message: "The batch's deadline passed.", retryable: true };
    case 'budget':
      return { category: 'budget', message: "The batch's budget was used up.", retryable: true };
    case 'item_gone':
      return {
        category: 'cancelled',
        code: 'workflow_gone',
        message: 'Its workflow was cancelled, terminated or failed before an answer was stored.',
        retryable: true,
      };
  }
}

/** The end of a record that `cancelItem` named. */
export const ITEM_CANCELLED: ItemError = {
  category: 'cancelled',
  code: 'item_cancelled',
  message: 'Cancelled by `cancelItem`.',
  retryable: true,
};

/** The end of an attempt that came too late. */
export const HAS_OUTCOME: ItemError = {
  category: 'unknown',
  code: 'has_outcome',
  message: 'The record has its outcome already: an attempt that was given up was answered late.',
  retryable: false,
};
