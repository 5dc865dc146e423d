import type { ItemError } from '../task/errors.js';
import type { Usage } from '../task/usage.js';

/** Counts of a closed range. */
export interface RangeCounts {
  /** Records with a valid answer. */
  readonly succeeded: number;
  /** Records with some valid fields. */
  readonly partial: number;
  /** Records that failed. */
  readonly failed: number;
  /** Records no answer was asked for to the end. */
  readonly notRun: number;
}

/** Failures of one cause. */
export interface FailureGroup {
  /** The class of the failure. */
  readonly category: ItemError['category'];
  /** A finer reason; null = none. */
  readonly code: string | null;
  /** How many. */
  readonly count: number;
  /** Up to three indices. */
  readonly examples: readonly number[];
  /** What happened and what to do. */
  readonly message: string;
}

/** What a batch spent, or one model in it. Prompts in flight are not in it. */
export interface SpendRow {
  /** The batch. */
  readonly batchId: string;
  /** The service it was for: the task's name. */
  readonly service: string;
  /** When the batch was made; milliseconds since epoch. */
  readonly at: number;
  /** `provider/model`; null = all models of the batch together. */
  readonly model: string | null;
  /** Prompts spent, failed ones included. */
  readonly prompts: number;
  /** Of these, prompts whose usage nobody told. */
  readonly unknownPrompts: number;
  /** Of these, prompts whose price is not known. */
  readonly unpricedPrompts: number;
  /** Sum over prompts with known usage. */
  readonly usage: Usage;
  /** Known cost; nano-dollars. */
  readonly knownNano: number;
  /** Worst case of prompts whose cost is not known; nano-dollars. */
  readonly unknownNano: number;
  /** What cache reads saved, net of what cache writes cost extra; nano-dollars. */
  readonly savingsNano: number;
}
