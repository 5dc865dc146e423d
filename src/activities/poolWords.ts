import type { PromptTokens } from '../limits/types.js';
import type { ModelReply } from '../providers/types.js';
import type { Control } from '../store/types.js';
import type { Ask } from './ask.js';
import type { ActivityDeps } from './context.js';
import { isUnspent, retryWait } from './faults.js';
import type { Job } from './job.js';
import { isEndpointFailure, tellCircuit } from './route.js';

/** Prompts that tell how an endpoint takes the concurrency: those it answered, and those it could not take. */
function tellTuner(deps: ActivityDeps, job: Job, control: Control, reply: ModelReply): void {
  if (control.autoConcurrency !== true) return;
  const failed = !reply.ok && (reply.error.category === 'rate_limit' || isEndpointFailure(reply.error));
  if (!reply.ok && reply.error.category === 'cancelled') return;
  // Beside the prompt: its answer must not wait for, or be lost with, a word about concurrency.
  deps.tuner.heard(job.batch.id, control, failed ? null : reply.latencyMs).catch(deps.warn);
}

/**
 * What a reply says to its endpoint's circuit and to its pool: the limits its headers told, and its tokens as quotas
 * count them; null = unknown.
 */
export async function heard(
  deps: ActivityDeps,
  { job, control }: { readonly job: Job; readonly control: Control },
  ask: Ask,
  reply: ModelReply,
): Promise<PromptTokens | null> {
  tellTuner(deps, job, control, reply);
  await tellCircuit(deps, job, ask, reply);
  if (reply.rateLimits !== null) await deps.gate.told(deps.pools.poolOf(ask.model), ask.model, reply.rateLimits);
  const { usage } = reply;
  if (usage === null) return null;
  // Anthropic's quotas leave out what was read from a cache.
  const { available } = deps.providers;
  // A task that asks by itself may name a provider that has no key here.
  const known = available.includes(ask.provider) ? deps.providers.get(ask.provider).kind : ask.provider;
  const anthropic = known === 'anthropic';
  return { input: usage.inputTokens - (anthropic ? usage.cachedInputTokens : 0), output: usage.outputTokens };
}

/** How a refusal that spent nothing holds prompts back. */
export interface Hold {
  /** Until then the refused prompt waits; milliseconds since epoch. */
  readonly until: number;
  /** The whole pool waits too. */
  readonly closes: boolean;
  /** The fleet's rate is lowered. */
  readonly lowers: boolean;
}

/**
 * A refusal that says when to come back closes the pool until then, and so does a rate limit that doesn't, until the
 * prompt comes back. That one, and an overload, lower the fleet's rate: nobody knows how much is too much. This process'
 * gate is closed at once, and times count from now: call it when the reply has come. Null: the reply is no such refusal.
 */
export function holdPool({ pools, gate, now }: ActivityDeps, ask: Ask, reply: ModelReply, waits: number): Hold | null {
  if (reply.ok || !isUnspent(reply.error)) return null;
  const { category, retryAfterMs } = reply.error;
  const told = retryAfterMs !== null && retryAfterMs > 0;
  const until = now() + retryWait(reply.error, waits);
  const closes = category === 'rate_limit' || (category === 'overloaded' && told);
  if (closes) gate.hold(pools.poolOf(ask.model), until);
  return { until, closes, lowers: category === 'overloaded' || (category === 'rate_limit' && !told) };
}

/** Tells all processes of a refusal. */
export async function tellFleet({ pools, gate }: ActivityDeps, ask: Ask, hold: Hold): Promise<void> {
  const pool = pools.poolOf(ask.model);
  if (hold.closes) await gate.cooldown(pool, hold.until);
  if (hold.lowers) await gate.overloaded(pool);
}
