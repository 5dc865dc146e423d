import { ActivityCancellationType, type ActivityInterfaceFor, proxyActivities } from '@temporalio/workflow';
import type {
  BatchActivities,
  CacheActivities,
  CacheLifeActivities,
  FunctionActivities,
  ItemActivities,
  NotifyActivities,
  PromptActivities,
  ReviewActivities,
  ScheduleActivities,
} from '../activities/types.js';
import { GATE_BOUND_MS, PAGE_BOUND_MS } from '../limits/bounds.js';
import { CONTROL_QUEUE } from './ids.js';

/** Heartbeats arrive every 2 s, so this long without one means the worker is gone. */
const HEARTBEAT_TIMEOUT = '10 s';

/** How long one try of a task's own function may take; milliseconds. */
export const FUNCTION_BOUND_MS = 900_000;

/** Activities that keep rows: short, safe to repeat, retried until the store is back. */
export const rows = proxyActivities<BatchActivities & ItemActivities & ReviewActivities>({
  taskQueue: CONTROL_QUEUE,
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { initialInterval: '500 ms', maximumInterval: '10 s' },
});

/**
 * Prompts on `queue`. Only `RateLimited`, `Overloaded` and `Paused` are retried by Temporal (nothing was spent);
 * a lost worker comes back as a timeout and is decided in the item, where history shows it.
 */
export function prompts(
  queue: string,
  promptTimeoutMs: number,
): ActivityInterfaceFor<Pick<PromptActivities, 'prompt'>> {
  return proxyActivities({
    taskQueue: queue,
    startToCloseTimeout: GATE_BOUND_MS + promptTimeoutMs + 10_000,
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: {
      initialInterval: '1 s',
      maximumInterval: '60 s',
      nonRetryableErrorTypes: ['TemporalTimeout:Heartbeat', 'TemporalTimeout:StartToClose'],
    },
  });
}

/**
 * Pages of prompts on `queue`, retried by Temporal until they are through: a page whose worker was lost asks the store
 * what is done, and leaves what was in flight to workflows of their own.
 */
export function pages(queue: string, promptTimeoutMs: number): ActivityInterfaceFor<Pick<PromptActivities, 'page'>> {
  return proxyActivities({
    taskQueue: queue,
    startToCloseTimeout: PAGE_BOUND_MS + GATE_BOUND_MS + promptTimeoutMs + 10_000,
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '500 ms', maximumInterval: '10 s' },
  });
}

/** Preparing caches at the provider, on the prompts' queue: worth a few tries, since prompts go without them too. */
export function caches(queue: string): ActivityInterfaceFor<CacheActivities & Pick<CacheLifeActivities, 'renewCache'>> {
  return proxyActivities({
    taskQueue: queue,
    startToCloseTimeout: '2 minutes',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { initialInterval: '1 s', maximumInterval: '10 s', maximumAttempts: 3 },
  });
}

/** Ending caches: a batch's end does not wait long for a worker, since each cache ends by itself. */
export function endingCaches(queue: string): ActivityInterfaceFor<Pick<CacheLifeActivities, 'removeCache'>> {
  return proxyActivities({
    taskQueue: queue,
    startToCloseTimeout: '1 minute',
    scheduleToCloseTimeout: '1 minute',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { initialInterval: '1 s', maximumInterval: '10 s', maximumAttempts: 3 },
  });
}

/** Looking for caches that were made unseen: where no worker takes it soon, nobody can have made any either. */
export function sweepingCaches(queue: string): ActivityInterfaceFor<Pick<CacheLifeActivities, 'sweepCaches'>> {
  return proxyActivities({
    taskQueue: queue,
    startToCloseTimeout: '1 minute',
    scheduleToStartTimeout: '20 s',
    scheduleToCloseTimeout: '2 minutes',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { initialInterval: '1 s', maximumInterval: '10 s', maximumAttempts: 3 },
  });
}

/** A task's own functions: their errors are worth a few tries, not an endless one. */
export function functions(queue: string): ActivityInterfaceFor<Omit<FunctionActivities, 'loadItems'>> {
  return proxyActivities({
    taskQueue: queue,
    startToCloseTimeout: FUNCTION_BOUND_MS,
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { initialInterval: '1 s', maximumInterval: '10 s', maximumAttempts: 3 },
  });
}

/** Storing added records: bad ones become outcomes, so only the store can fail, and it is waited for. */
export function loading(queue: string): ActivityInterfaceFor<Pick<FunctionActivities, 'loadItems'>> {
  return proxyActivities({
    taskQueue: queue,
    startToCloseTimeout: '2 minutes',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { initialInterval: '500 ms', maximumInterval: '10 s' },
  });
}

/** Telling listeners: tried again for an hour, while the batch waits with its last step. */
export const notices = proxyActivities<NotifyActivities>({
  taskQueue: CONTROL_QUEUE,
  startToCloseTimeout: '11 minutes',
  scheduleToCloseTimeout: '1 hour',
  retry: { initialInterval: '1 s', maximumInterval: '1 minute' },
});

/** Firings of a schedule: loading may take long, and a batch days; heartbeats tell whether anybody is at it. */
export const scheduling = proxyActivities<ScheduleActivities>({
  taskQueue: CONTROL_QUEUE,
  startToCloseTimeout: '365 days',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { initialInterval: '1 s', maximumInterval: '1 minute' },
});

/** Validating a person's answer: on the task's queue, answered at once or refused. */
export function reviews(queue: string): ActivityInterfaceFor<ReviewActivities> {
  return proxyActivities({
    taskQueue: queue,
    startToCloseTimeout: '1 minute',
    retry: { initialInterval: '500 ms', maximumInterval: '5 s' },
  });
}
