import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Concurrency, PoolSettings, StopReason } from '../limits/types.js';
import type { RetryStateData } from '../recovery/types.js';
import type { PoolPatch } from '../store/types.js';
import type { AddItems, BatchConfig, BatchProgress, FailureNote, Halt, ReviewAnswer, Tuned } from './types.js';

/** Stops starting prompts; those in flight finish. */
export const pauseSignal = defineSignal<[{ readonly reason?: string }?]>('pause');
/** Continues after a pause, whatever caused it. */
export const resumeSignal = defineSignal('resume');
/** Adds records to an open batch. */
export const addItemsSignal = defineSignal<[AddItems]>('addItems');
/** Ends the input of an open batch. */
export const closeInputSignal = defineSignal('closeInput');
/** Ends one item (`cancelled`): `notRun` when it was not asked yet, else `failed`; a prompt in flight is aborted. */
export const cancelItemSignal = defineSignal<[number]>('cancelItem');
/** From workers: a fatal error or the budget paused the batch in the store already. */
export const haltedSignal = defineSignal<[Halt]>('halted');

/** From workers: the explicit cache of this name is gone. */
export const cacheLostSignal = defineSignal<[string]>('cacheLost');

/** From workers, for a batch with `auto`: another concurrency would be better. */
export const tunedSignal = defineSignal<[Tuned]>('tuned');

/** Prompts in flight, 1..10,000, or `auto`: as many as the endpoint takes well. Returns the number in force. */
export const setConcurrencyUpdate = defineUpdate<number, [Concurrency]>('setConcurrency');
/** Part of a quota that several batches want, 0.001..1,000; 1 unless set. */
export const setWeightUpdate = defineUpdate<number, [number]>('setWeight');
/** Money limit in USD; null = none. Returns the new value. */
export const setBudgetUpdate = defineUpdate<number | null, [number | null]>('setBudget');
/** `provider/model` for every prompt from now on; null = the task's own. */
export const setModelUpdate = defineUpdate<string | null, [string | null]>('setModel');
/** ISO time; null = none. */
export const setDeadlineUpdate = defineUpdate<string | null, [string | null]>('setDeadline');
/** Quotas of the pool that the batch's model is in, for every batch there; null takes one back. Returns all set so. */
export const setLimitsUpdate = defineUpdate<PoolSettings, [PoolPatch]>('setLimits');

/** Counts of closed shards and open ones, with `asOf`. */
export const progressQuery = defineQuery<BatchProgress>('progress');
/** The last failures. */
export const failuresQuery = defineQuery<readonly FailureNote[]>('failures');
/** What the batch runs with. */
export const configQuery = defineQuery<BatchConfig>('config');

/** To a shard: items in flight from now on. */
export const setShareSignal = defineSignal<[number]>('setShare');
/** To a shard: start nothing more, finish what is in flight, give the rest back. */
export const yieldSignal = defineSignal('yield');
/** To a shard: start nothing more; what has no outcome ends with this reason. */
export const stopSignal = defineSignal<[StopReason]>('stop');
/** From a shard to its batch: the last item was started. */
export const drainedSignal = defineSignal<[number]>('drained');

/** To an item: end now, as `cancelItem` does. */
export const skipSignal = defineSignal('skip');
/** The item's state between prompts. */
export const retryStateQuery = defineQuery<RetryStateData>('retryState');

/** To a review: a person's output replaces the outcome. */
export const answerUpdate = defineUpdate<{ readonly status: 'succeeded' }, [ReviewAnswer]>('answer');
