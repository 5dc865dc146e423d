import { ApplicationFailure } from '@temporalio/common';
import type { StopReason } from '../limits/types.js';
import type { ItemError } from '../task/errors.js';
import { endError } from '../workflows/ends.js';
import type { PromptResult } from './types.js';

/** How long a paused prompt waits before it looks again; milliseconds. */
const PAUSED_RETRY_MS = 5_000;

/** A prompt whose turn comes later than this looks again before: the batch may be steered meanwhile. Milliseconds. */
const LOOK_AGAIN_MS = 5_000;

/** Prompts that look again before their time come back over so many milliseconds. */
const SPREAD_MS = 1_000;

/** Why a prompt was not sent, or reached no model: nothing was spent. */
export type Unsent =
  | { readonly kind: 'paused'; readonly message: string; readonly waitMs: number }
  /** The provider or our own quota said to wait. `waits`: such waits in a row, this one included. */
  | {
      readonly kind: 'wait';
      readonly type: 'RateLimited' | 'Overloaded';
      readonly message: string;
      readonly waitMs: number;
      readonly waits: number;
    }
  /** Nothing will be spent either: the item ends with this error. */
  | { readonly kind: 'stopped'; readonly error: ItemError };

/** Thrown where a prompt ends before anything was spent; each activity says what that means for it. */
export class UnsentError extends Error {
  constructor(
    /** Why. */
    readonly why: Unsent,
  ) {
    super(why.kind === 'stopped' ? why.error.message : why.message);
  }
}

/** The batch is paused. */
export function paused(message: string): UnsentError {
  return new UnsentError({ kind: 'paused', message, waitMs: PAUSED_RETRY_MS });
}

/** The provider or our own quota said to wait. */
export function mustWait(wait: Omit<Extract<Unsent, { kind: 'wait' }>, 'kind'>): UnsentError {
  return new UnsentError({ kind: 'wait', ...wait });
}

/**
 * When a prompt that is held back for `waitMs` looks again: exactly then, or sooner. Whoever holds it back still does.
 */
export function lookAgainIn(waitMs: number): number {
  return waitMs <= LOOK_AGAIN_MS ? waitMs : Math.round(LOOK_AGAIN_MS + Math.random() * SPREAD_MS);
}

/** The batch starts nothing more, or not this record. */
export function stopped(reason: StopReason | ItemError): UnsentError {
  return new UnsentError({ kind: 'stopped', error: typeof reason === 'string' ? endError(reason) : reason });
}

/** How an activity tells its workflow. Waits are tried again by Temporal, without an event in history; the types are a contract with `workflows/item.ts`. */
export function unsentFailure(why: Unsent): ApplicationFailure {
  switch (why.kind) {
    case 'paused':
      return waiting('Paused', why.message, why.waitMs);
    case 'wait':
      return waiting(why.type, why.message, why.waitMs);
    case 'stopped':
      return ApplicationFailure.create({
        type: 'Stopped',
        message: why.error.message,
        nonRetryable: true,
        details: [why.error],
      });
  }
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
