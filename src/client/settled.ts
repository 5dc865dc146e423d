import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchStatus } from '../store/types.js';
import type { BatchHandle } from './handle.js';

/** How often the store is asked; milliseconds. */
const POLL_MS = 300;

/** Every how many polls the server is asked whether the batch's workflow still exists. */
const LIFE_CHECK_POLLS = 20;

/** States after which a batch does nothing more. */
export function isEnded(status: BatchStatus): boolean {
  return status === 'finished' || status === 'cancelled' || status === 'stopped';
}

/** States in which a batch does nothing by itself: it has ended or is paused. */
export function isSettled(status: BatchStatus): boolean {
  return isEnded(status) || status === 'paused';
}

/** Waits until a batch's state is one that is wanted, or `signal` aborts (then it returns early). */
export async function untilStatus(
  batch: BatchHandle<unknown>,
  wanted: (status: BatchStatus) => boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let poll = 1; signal?.aborted !== true; poll += 1) {
    if (wanted((await batch.progress()).status)) return;
    if (poll % LIFE_CHECK_POLLS === 0) await batch.checkAlive();
    await sleep(POLL_MS);
  }
}
