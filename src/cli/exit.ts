import type { BatchSummary } from '../client/summary.js';
import type { FailureGroup } from '../client/tempered.js';
import { TemperedError } from '../task/errors.js';

/** Exit codes of every command. */
export const EXIT = {
  /** All succeeded. */
  ok: 0,
  /** Bad usage or input. */
  usage: 1,
  /** Finished with failed or partial items, or some that were not run though nobody wanted that. */
  failures: 2,
  /** Paused, or stopped by budget, deadline, a fatal error, a cancel or Ctrl-C. */
  stopped: 3,
  /** No server or worker. */
  noServer: 4,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Why records may be left unanswered in a batch that did all it was to do, as `category/code`. */
const WANTED: readonly string[] = [
  // By name: `cancel --item`, `skip`.
  'cancelled/item_cancelled',
  'cancelled/skipped',
  // By the task's own `before`.
  'input/skipped',
];

/** How a batch's state ends a command. `failures`: its failures by cause. Pure. */
export function exitOf(
  { status, failed, partial, notRun }: Pick<BatchSummary, 'status' | 'failed' | 'partial' | 'notRun'>,
  failures: readonly Pick<FailureGroup, 'category' | 'code' | 'count'>[],
): ExitCode {
  switch (status) {
    case 'finished':
      return failed + partial > 0 || notRun > wanted(failures) ? EXIT.failures : EXIT.ok;
    case 'paused':
    case 'cancelled':
    case 'stopped':
      return EXIT.stopped;
    case 'loading':
    case 'ready':
    case 'running':
      return EXIT.ok;
  }
}

function wanted(failures: Parameters<typeof exitOf>[1]): number {
  return failures
    .filter(({ category, code }) => WANTED.includes(`${category}/${code ?? ''}`))
    .reduce((sum, { count }) => sum + count, 0);
}

/** How an error ends a command. */
export function exitOfError(error: unknown): ExitCode {
  if (!(error instanceof TemperedError)) return EXIT.usage;
  if (error.category === 'network') return EXIT.noServer;
  return error.category === 'cancelled' ? EXIT.stopped : EXIT.usage;
}
