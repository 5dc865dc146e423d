import { ApplicationFailure } from '@temporalio/common';
import { TemperedError } from '../task/errors.js';
import { createBatchActivities } from './batchRows.js';
import { createCacheActivities } from './batchCache.js';
import { createCacheLifeActivities } from './cacheLife.js';
import type { ActivityDeps } from './context.js';
import { createFunctionActivities } from './functions.js';
import { createItemActivities } from './itemRows.js';
import { createNotifyActivities } from './notify.js';
import { createPageActivities } from './page.js';
import { createPromptActivities } from './prompt.js';
import { createReviewActivities } from './review.js';
import { createScheduleActivities } from './scheduled.js';

/** Activities by name, as a worker takes them. */
export type ActivityMap = Record<string, AsyncFunction>;

/** Activities by the kind of queue that serves them. */
export interface Activities {
  /** On pools' and tasks' queues. */
  readonly prompt: ActivityMap;
  /** On the control queue. */
  readonly rows: ActivityMap;
  /** On tasks' queues, and on the control queue for tasks without functions. */
  readonly functions: ActivityMap;
  /** Like `functions`. */
  readonly review: ActivityMap;
}

/** Every activity, over one set of dependencies. */
export function createActivities(deps: ActivityDeps): Activities {
  return {
    prompt: surfaced({
      ...createPromptActivities(deps),
      ...createPageActivities(deps),
      ...createCacheActivities(deps),
      ...createCacheLifeActivities(deps),
    }),
    rows: surfaced({
      ...createBatchActivities(deps),
      ...createItemActivities(deps),
      ...createNotifyActivities(deps),
      ...createScheduleActivities(deps),
    }),
    functions: surfaced({ ...createFunctionActivities(deps) }),
    review: surfaced({ ...createReviewActivities(deps) }),
  };
}

type AsyncFunction = (...args: never[]) => Promise<unknown>;

/**
 * Our own errors as failures with their category as type. What a person must mend (`input`) is not retried; a store
 * that is away or full is, until it is back.
 */
function surfaced<T extends Record<keyof T, AsyncFunction>>(activities: T): ActivityMap {
  return Object.fromEntries(
    Object.entries<AsyncFunction>(activities).map(([name, run]) => [
      name,
      async (...args: never[]) => {
        try {
          return await run(...args);
        } catch (error) {
          throw asFailure(error);
        }
      },
    ]),
  );
}

function asFailure(error: unknown): unknown {
  if (!(error instanceof TemperedError)) return error;
  const { category, explanation: message } = error;
  return ApplicationFailure.create({ type: category, message, nonRetryable: category === 'input', cause: error });
}
