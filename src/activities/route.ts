import { parseModelRef } from '../models/modelRef.js';
import type { ModelReply, ProviderError } from '../providers/types.js';
import type { Control } from '../store/types.js';
import type { ErrorCategory } from '../task/errors.js';
import type { Ask } from './ask.js';
import type { ActivityDeps } from './context.js';
import type { Job } from './job.js';
import { lookAgainIn, mustWait, type UnsentError } from './signals.js';

/** Which endpoint a prompt goes to, and whether it is asked now: circuit breakers. */

/** Failures of an endpoint itself; a 429 says that it works. */
const ENDPOINT_FAILURES: readonly ErrorCategory[] = ['network', 'timeout', 'server_error', 'overloaded'];

/** Failed attempts in a row to reach an endpoint again, after which its batches pause and say so. */
const MAX_FAILED_PROBES = 5;

/** Refused connections in a row of one prompt (about a quarter of a minute) after which the batch pauses and says so. */
const UNREACHABLE_TRIES = 5;

/** Characters of a failure's message that are kept. */
const REASON_CHARS = 300;

/** A prompt that finds out whether its endpoint is back has so much longer than its timeout; milliseconds. */
const PROBE_GRACE_MS = 1_000;

/** What of a prompt decides where it goes. */
interface Sender {
  readonly job: Job;
  /** Rate limits and refusals in a row before it. */
  readonly waits: number;
}

/**
 * The request to send: to the model in force or, while its endpoint keeps failing, to the task's `fallbackModel`. To be
 * called after a look at the circuits. Throws {@link UnsentError} when neither can be asked now: the prompt waits in
 * Temporal, nothing is spent.
 */
export function routed(
  deps: ActivityDeps,
  { job, waits }: Sender,
  control: Control,
  build: (control: Control) => Ask,
): Ask {
  const ask = build(control);
  if (ownEndpoint(job)) return ask;
  const waitMs = deps.circuits.waitMs(ask.provider);
  if (waitMs === 0) return ask;
  const { fallbackModel } = job.task.spec;
  if (fallbackModel !== undefined) {
    const { provider } = parseModelRef(fallbackModel);
    const open = provider === ask.provider || !deps.providers.available.includes(provider);
    if (!open && deps.circuits.waitMs(provider) === 0) return build({ ...control, model: fallbackModel });
  }
  throw held(deps, { job, waits }, ask.provider, waitMs);
}

/**
 * Lets the prompt through to its endpoint, now that everything else allows it. Undefined: nothing is in its way. Throws
 * {@link UnsentError}.
 */
export function letThrough(deps: ActivityDeps, sender: Sender, { provider }: Ask): Promise<void> | undefined {
  const free = ownEndpoint(sender.job) || deps.circuits.isClosed(provider);
  return free ? undefined : enterCircuit(deps, sender, provider);
}

async function enterCircuit(deps: ActivityDeps, { job, waits }: Sender, provider: string): Promise<void> {
  const waitMs = await deps.circuits.enter(provider, job.task.plan.promptTimeoutMs + PROBE_GRACE_MS);
  if (waitMs > 0) throw held(deps, { job, waits }, provider, waitMs);
}

function held({ circuits }: ActivityDeps, { job, waits }: Sender, endpoint: string, forMs: number): UnsentError {
  const { failures, reason } = circuits.read(endpoint);
  const waitMs = lookAgainIn(forMs);
  circuits.holds(job.batch.id, waitMs);
  const message = `${endpoint} failed ${failures} times in a row and is left alone for a while; last: ${reason ?? ''}`;
  return mustWait({ type: 'Overloaded', message, waitMs, waits });
}

/** What a reply says of its endpoint. Undefined: nothing new. */
export function tellCircuit(
  { circuits }: ActivityDeps,
  job: Job,
  { provider }: Ask,
  reply: ModelReply,
): Promise<void> | undefined {
  if (ownEndpoint(job)) return undefined;
  if (reply.ok) return circuits.answered(provider);
  if (isEndpointFailure(reply.error)) return circuits.failed(provider, reply.error.message.slice(0, REASON_CHARS));
  return reply.error.category === 'cancelled' ? circuits.leave(provider) : circuits.answered(provider);
}

/** True when nothing listens where the only endpoint should be: a person must tell whether waiting helps. */
export async function isUnreachable(
  { circuits }: ActivityDeps,
  { job, waits }: Sender,
  { provider }: Ask,
  error: ProviderError,
): Promise<boolean> {
  if (error.category !== 'network' || job.task.spec.fallbackModel !== undefined) return false;
  await circuits.look();
  const { failures, failedProbes } = circuits.read(provider);
  // Waits count rate limits too: only what was refused says that nobody is there.
  const refused = Math.min(waits + 1, failures);
  if (refused < UNREACHABLE_TRIES && failedProbes < MAX_FAILED_PROBES) return false;
  await circuits.askSoon(provider);
  return true;
}

/** True for a failure of the endpoint itself. */
export function isEndpointFailure({ category, status }: ProviderError): boolean {
  return ENDPOINT_FAILURES.includes(category) && (status === null || status >= 500 || category === 'timeout');
}

/** A task that asks by itself knows its endpoint; we don't. */
function ownEndpoint(job: Job): boolean {
  return job.task.functions.execute !== undefined;
}
