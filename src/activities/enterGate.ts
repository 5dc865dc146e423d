import type { Permit } from '../limits/types.js';
import { usualWeight } from '../limits/weight.js';
import type { Control } from '../store/types.js';
import type { Ask } from './ask.js';
import type { ActivityDeps } from './context.js';
import type { Job } from './job.js';
import { lookAgainIn, mustWait, paused, stopped } from './signals.js';

/** A prompt before the gate. */
interface Entrant {
  /** Its record, task and batch. */
  readonly job: Job;
  /** Rate limits and refusals in a row before it. */
  readonly waits: number;
  /** How long it may wait; milliseconds since epoch. */
  readonly until: number;
  /** Aborted when it is no longer wanted. */
  readonly signal: AbortSignal;
}

/**
 * Waits at this process' gate for the prompt's turn. Undefined: another model was set for its batch meanwhile, and it
 * is made anew. Throws {@link UnsentError} when it may not start, or not soon.
 */
export async function enterGate(
  { gate, pools, now }: ActivityDeps,
  { job: { batch, task }, waits, until, signal }: Entrant,
  ask: Ask,
  control: Control,
): Promise<Permit | undefined> {
  const weight = usualWeight({ items: batch.items, open: batch.options.open });
  const entered = await gate.enter({
    pool: pools.poolOf(ask.model),
    batchId: batch.id,
    control,
    own: { weight, limits: task.spec.limits, ahead: batch.options.execution === 'item' },
    tokens: ask.tokens,
    boundMs: Math.max(0, until - now()),
    signal,
  });
  if ('permit' in entered) return entered.permit;
  const { refusal } = entered;
  switch (refusal.kind) {
    case 'changed':
      return undefined;
    case 'paused':
      throw paused(refusal.reason);
    case 'stopped':
      throw stopped(refusal.reason);
    case 'busy': {
      const message = `waiting for ${refusal.limiter}`;
      throw mustWait({ type: 'RateLimited', message, waitMs: lookAgainIn(refusal.retryInMs), waits });
    }
  }
}
