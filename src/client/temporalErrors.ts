import { isGrpcServiceError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { TemperedError } from '../task/errors.js';

/** gRPC codes of a server that is away or slow: DEADLINE_EXCEEDED, UNAVAILABLE. */
const AWAY: readonly number[] = [4, 14];

/**
 * Runs a call to a batch's workflow; what the server refuses becomes a `TemperedError` a person can act on: `input`
 * for a batch that has ended or a value it refuses, `network` for a server that is away.
 */
export async function explained<T>(batchId: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw explain(batchId, error);
  }
}

/** Runs a call to the server that is about no batch: `network` for a server that is away. */
export async function reached<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw away(error) ?? error;
  }
}

function explain(batchId: string, error: unknown): unknown {
  if (error instanceof WorkflowNotFoundError) {
    return new TemperedError('input', `Batch ${batchId} is not running on this Temporal server: it has ended.`, {
      remedy: `See \`tempered status ${batchId}\`; \`tempered run … --new\` runs it again.`,
      cause: error,
    });
  }
  if (error instanceof WorkflowUpdateFailedError) {
    const message = deepest(error).message;
    return new TemperedError('input', message, { cause: error });
  }
  return away(error) ?? error;
}

/** What a server that is away is told as; undefined = something else is wrong. */
function away(error: unknown): TemperedError | undefined {
  if (!isGrpcServiceError(error) || !AWAY.includes(error.code)) return undefined;
  return new TemperedError('network', `The Temporal server did not answer: ${error.details}`, {
    remedy: 'Check that it runs and that TEMPORAL_ADDRESS names it; `tempered server` starts the embedded one.',
    cause: error,
  });
}

/** The error that began it: what lies around it says only that an update failed. */
function deepest(error: Error): Error {
  return error.cause instanceof Error ? deepest(error.cause) : error;
}
