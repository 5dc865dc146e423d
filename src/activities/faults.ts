import type { ProviderError } from '../providers/types.js';
import type { Control, PauseState } from '../store/types.js';
import type { ErrorCategory, ItemError } from '../task/errors.js';
import { haltedSignal } from '../workflows/messages.js';
import type { Halt } from '../workflows/types.js';
import type { ActivityDeps } from './context.js';

/** Errors every prompt of the batch would meet: it pauses at once, and says what would help. */
const FATAL: readonly ErrorCategory[] = [
  'authentication',
  'permission',
  'billing',
  'quota_exhausted',
  'model_not_found',
];

/** First and longest wait when nobody said how long; milliseconds. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

/** True when nothing but a person's action can help. */
export function isFatal(error: ItemError): boolean {
  return FATAL.includes(error.category);
}

/** True when the request reached no model, so that waiting and sending it again costs nothing. */
export function isUnspent(error: ProviderError): boolean {
  if (!error.retryable) return false;
  if (error.category === 'rate_limit' || error.category === 'overloaded') return true;
  return error.category === 'network' && error.billed === 'no';
}

/** How long to wait: exactly as told; without a hint, or a zero one, exponentially with jitter. `waits`: waits before. */
export function retryWait(error: ProviderError, waits: number): number {
  if (error.retryAfterMs !== null && error.retryAfterMs > 0) return error.retryAfterMs;
  const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(waits, 10));
  return Math.round(ceiling * (0.5 + Math.random() / 2));
}

/** Pauses the batch for an error that every prompt would meet. */
export async function halt(deps: ActivityDeps, batchId: string, control: Control, error: ItemError): Promise<void> {
  const pause = { reason: error.category, message: error.message, since: deps.now() };
  await haltBatch(deps, batchId, control, pause);
  deps.control.forget(batchId);
}

/** Pauses the batch in the store at once; the first worker to do so tells the workflow, which makes it its own. */
export async function haltBatch(
  { store, client }: Pick<ActivityDeps, 'store' | 'client'>,
  batchId: string,
  { version: atVersion }: Control,
  pause: PauseState,
): Promise<void> {
  if (await store.halt(batchId, atVersion, pause)) await tellHalt({ client }, batchId, { pause, atVersion });
}

/** Tells a batch's workflow that its row is paused. */
export async function tellHalt({ client }: Pick<ActivityDeps, 'client'>, batchId: string, halt: Halt): Promise<void> {
  await client.workflow.getHandle(batchId).signal(haltedSignal, halt);
}
