import type { PoolLimits } from '../task/spec.js';

/** A worker's share of a pool's quota for a short while. */
export interface Lease {
  /** Requests this worker may start before asking again; `Infinity` where the pool has no such limit. */
  readonly requests: number;
  /** Tokens they may use; `Infinity` where the pool has no such limit. */
  readonly tokens: number;
  /** Prompts this worker may have in flight; `Infinity` where the pool has no such limit. */
  readonly inFlight: number;
  /** No request may start before this time (ms since epoch); 0 = no cooldown. */
  readonly cooldownUntil: number;
  /** When to ask again if nothing was granted; milliseconds from now. */
  readonly retryInMs: number;
}

/** What a worker asks of a pool's row: in one statement it returns what it used and takes more. */
export interface LeaseRequest {
  /** The pool's name: the provider. */
  readonly pool: string;
  /** The asking process. */
  readonly worker: string;
  /** Requests it would like to start in the next quarter second. */
  readonly wantRequests: number;
  /** Tokens it would like for them. */
  readonly wantTokens: number;
  /** Prompts it has in flight now. */
  readonly inFlight: number;
  /** Prompts it would like to have in flight, those that are included. */
  readonly wantInFlight: number;
  /** Tokens really used minus tokens leased for them, since the last call: a refund (negative) or a debt. */
  readonly tokenCorrection: number;
  /** Limits the asking batch's task brings; the lower of these and the pool's own hold. */
  readonly limits: PoolLimits;
}

/** Why a prompt waits or may not start. */
export type GateRefusal =
  | { readonly kind: 'paused'; readonly reason: string }
  | { readonly kind: 'stopped'; readonly reason: StopReason }
  /** The gate's bound passed; ask again after `retryInMs`. */
  | { readonly kind: 'busy'; readonly limiter: Limiter; readonly retryInMs: number };

/** What holds a prompt back, as the panel names it. */
export type Limiter = 'concurrency' | 'requests per minute' | 'tokens per minute' | 'in flight' | 'cooldown';

/** Why a batch starts nothing more. */
export type StopReason = 'cancelled' | 'deadline' | 'budget';

/** A prompt's permission to be sent. */
export interface Permit {
  /** Must be called once, whatever happened. `tokens`: what the prompt really used; null = unknown. */
  release(tokens: number | null): void;
}

/** What the gate needs to know of a prompt. */
export interface GateRequest {
  /** The pool's name: the provider. */
  readonly pool: string;
  /** The batch. */
  readonly batchId: string;
  /** Prompts of this batch that may be in flight in this process. */
  readonly concurrency: number;
  /** Estimated tokens, input and output. */
  readonly tokens: number;
  /** Quotas in force. */
  readonly limits: PoolLimits;
  /** Longest wait in the gate; milliseconds. */
  readonly boundMs: number;
  /** Aborted when the prompt is no longer wanted. */
  readonly signal: AbortSignal;
}

/** One per process: every prompt passes it. */
export interface Gate {
  /** Resolves with a permit or the reason there is none. Rejects when the signal aborts or the store fails. */
  enter(request: GateRequest): Promise<{ readonly permit: Permit } | { readonly refusal: GateRefusal }>;
  /** Closes the pool here at once and for the fleet through the store, until `until` (ms since epoch). */
  cooldown(pool: string, until: number): Promise<void>;
  /** What holds prompts of a batch back now; null = nothing does. */
  limiter(batchId: string): Limiter | null;
  /** Stops timers and gives leases back. */
  close(): Promise<void>;
}
