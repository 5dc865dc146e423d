import type { Outcome } from '../task/outcome.js';

/** An outcome whose answer has the task's type. Narrow it by `status`. */
export type TypedOutcome<Output> = Omit<Outcome, 'status' | 'output'> &
  (
    | {
        /** Every field is valid. */
        readonly status: 'succeeded';
        /** The answer, as the task's schema describes it. */
        readonly output: Output;
      }
    | {
        /** `partial`: some fields are valid. `failed`: none. `notRun`: not asked to the end. */
        readonly status: 'partial' | 'failed' | 'notRun';
        /** The valid fields, what a held answer looked like, or null. */
        readonly output: Outcome['output'];
      }
  );

/**
 * States what the worker made true: a succeeded outcome passed the task's schema before it was stored. Every outcome
 * of the task's own batches is one.
 */
export function isTyped<Output>(outcome: Outcome): outcome is Outcome & TypedOutcome<Output> {
  return outcome.status !== 'succeeded' || outcome.error === undefined;
}
