import type { Concurrency } from '../limits/types.js';
import type { ExecutionMode } from '../store/types.js';
import type { MaxFailures } from '../task/maxFailures.js';
import type { BatchResult } from './types.js';

/** Input of the `scheduled` workflow: what a firing of a schedule runs. Files are named from the worker's folder. */
export interface ScheduledInput {
  /** The task's file, read at each firing. */
  readonly task: string;
  /** The data set's file, read at each firing. */
  readonly data: string;
  /** How its batches are started. */
  readonly options: ScheduledOptions;
}

/** What can be said of the batches of a schedule; see the options of `run`. */
export interface ScheduledOptions {
  /** `provider/model` instead of the task's. */
  readonly model?: string;
  /** Prompts in flight. */
  readonly concurrency?: Concurrency;
  /** Part of a quota that several batches want. */
  readonly weight?: number;
  /** How records run. */
  readonly execution?: ExecutionMode;
  /** Only the first records. */
  readonly limit?: number;
  /** Most each batch may cost; USD. */
  readonly budgetUsd?: number;
  /** What happens at its end. */
  readonly onBudget?: 'pause' | 'stop';
  /** Failures after which a batch pauses. */
  readonly maxFailures?: MaxFailures;
  /** Take over answers earlier batches got for the same task and records. */
  readonly reuse?: boolean;
  /** What happens to records that are no good. */
  readonly onBadInput?: 'fail' | 'skip';
  /** Field with each record's id. */
  readonly idField?: string;
}

/** Result of a firing. */
export interface ScheduledResult {
  /** The batch it ran. */
  readonly batchId: string;
  /** How that ended. */
  readonly status: BatchResult['status'];
}
