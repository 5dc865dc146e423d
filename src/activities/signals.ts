import { ApplicationFailure } from '@temporalio/common';
import type { StopReason } from '../limits/types.js';
import type { ItemError } from '../task/errors.js';
import { endError } from '../workflows/ends.js';
import type { PromptResult } from './types.js';

/** How the `prompt` activity tells its workflow what happened. The types are a contract with `workflows/item.ts`. */

/** How long a paused prompt waits before it looks again; milliseconds. */
const PAUSED_RETRY_MS = 5_000;

/** Nothing spent: the batch is paused. Tried again by Temporal, without an event in history. */
export function pausedFailure(message: string): ApplicationFailure {
  return waiting('Paused', message, PAUSED_RETRY_MS);
}

/** Nothing spent: the provider or our own quota said to wait. */
export function waitFailure(type: 'RateLimited' | 'Overloaded', message: string, waitMs: number): ApplicationFailure {
  return waiting(type, message, waitMs);
}

/** Nothing spent and nothing will be: the item ends with this error. */
export function stoppedFailure(reason: StopReason | ItemError): ApplicationFailure {
  const error = typeof reason === 'string' ? endError(reason) : reason;
  return ApplicationFailure.create({ type: 'Stopped', message: error.message, nonRetryable: true, details: [error] });
}

/** A prompt was spent without an answer: the item decides, where history shows it. */
export function promptFailure(error: ItemError, result: PromptResult): ApplicationFailure {
  return ApplicationFailure.create({
    type: error.category,
    message: error.message,
    nonRetryable: true,
    details: [result],
  });
}

function waiting(type: string, message: string, nextRetryDelay: number): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nextRetryDelay, nonRetryable: false, category: 'BENIGN' });
}
