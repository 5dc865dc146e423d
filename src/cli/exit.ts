import type { BatchSummary } from '../client/summary.js';
import { TemperedError } from '../task/errors.js';

/** Exit codes of every command. */
export const EXIT = {
  /** All succeeded. */
  ok: 0,
  /** Bad usage or input. */
  usage: 1,
  /** Finished with failed or partial items. */
  failures: 2,
  /** Paused, or stopped by budget, deadline, a fatal error, a cancel or Ctrl-C. */
  stopped: 3,
  /** No server or worker. */
  noServer: 4,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** How a batch's state ends a command. */
export function exitOf({ status, failed, partial }: Pick<BatchSummary, 'status' | 'failed' | 'partial'>): ExitCode {
  switch (status) {
    case 'finished':
      return failed + partial > 0 ? EXIT.failures : EXIT.ok;
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

/** How an error ends a command. */
export function exitOfError(error: unknown): ExitCode {
  if (!(error instanceof TemperedError)) return EXIT.usage;
  if (error.category === 'network') return EXIT.noServer;
  return error.category === 'cancelled' ? EXIT.stopped : EXIT.usage;
}
