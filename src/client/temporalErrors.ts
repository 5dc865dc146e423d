import { TemperedError } from '../task/errors.js';
import { temporalClient } from './temporalPackages.js';

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

/** Whether the server knows no such workflow that runs. */
export function isNotFound(error: unknown): boolean {
  // Loaded where it is needed, as everywhere in this room: commands that ask no server start in half the time.
  const { WorkflowNotFoundError } = temporalClient();
  return error instanceof WorkflowNotFoundError;
}

function explain(batchId: string, error: unknown): unknown {
  const { WorkflowUpdateFailedError } = temporalClient();
  if (isNotFound(error)) {
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
  const { isGrpcServiceError } = temporalClient();
  if (!isGrpcServiceError(error) || !AWAY.includes(error.code)) return undefined;
  return notAnswering(error.details, error);
}

/** The error of a server that is away. */
export function notAnswering(said: string, cause?: unknown): TemperedError {
  return new TemperedError('network', `The Temporal server did not answer: ${said}`, {
    remedy: 'Check that it runs and that TEMPORAL_ADDRESS names it; `tempered server` starts the embedded one.',
    cause,
  });
}

/** The error that began it: what lies around it says only that an update failed. */
function deepest(error: Error): Error {
  return error.cause instanceof Error ? deepest(error.cause) : error;
}
