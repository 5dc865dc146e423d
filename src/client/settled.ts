import { setTimeout as sleep } from 'node:timers/promises';
import { isEnded } from './submit.js';
import type { BatchHandle } from './handle.js';

/** How often the store is asked; milliseconds. */
const POLL_MS = 300;

/** Every how many polls the server is asked whether the batch's workflow still exists. */
const LIFE_CHECK_POLLS = 20;

/** Waits until a batch has ended or is paused, or until `signal` aborts (then it returns early). */
export async function settled(batch: BatchHandle<unknown>, signal?: AbortSignal): Promise<void> {
  for (let poll = 1; signal?.aborted !== true; poll += 1) {
    const { status } = await batch.progress();
    if (isEnded(status) || status === 'paused') return;
    if (poll % LIFE_CHECK_POLLS === 0) await batch.checkAlive();
    await sleep(POLL_MS);
  }
}
