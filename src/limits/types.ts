import type { Control } from '../store/types.js';
import type { Amounts } from '../task/limits.js';
import type { PoolLimits } from '../task/spec.js';

/** What holds in a pool: quotas, and money by day. */
export interface PoolSettings extends PoolLimits {
  /** Most its prompts may cost in a day; USD. Absent = no limit. */
  readonly perDayUsd?: number;
}

/** What a process asks for of a batch's concurrency, which all processes share. */
export interface PlacesAsked {
  /** Places there are: the batch's concurrency. */
  readonly limit: number;
  /** The batch's prompts in flight and waiting here. */
  readonly demand: number;
  /** Most that can be in flight here before the answer is heard. */
  readonly held: number;
  /** Places it takes when nobody else wants them. */
  readonly wanted: number;
}

/** A process' places of a batch's concurrency. */
export interface Places {
  /** Prompts of the batch it may have in flight. */
  readonly granted: number;
  /** Other processes have prompts of the batch too. */
  readonly shared: boolean;
}

/** A worker's share of a pool's quota for a short while. */
export interface Lease {
  /** What this worker may start and use before it asks again; `Infinity` where the pool has no such limit. */
  readonly granted: Amounts;
  /** Prompts this worker may have in flight; `Infinity` where the pool has no such limit. */
  readonly inFlight: number;
  /** No request may start before this time (ms since epoch); 0 = no cooldown. */
  readonly cooldownUntil: number;
  /** When to ask again if nothing was granted; milliseconds from now. */
  readonly retryInMs: number;
  /** What holds in the pool now: as set live, as configured, or as the provider told. */
  readonly settings: PoolSettings;
  /** The lowest of the pool's own limits, those its batches bring, and the rate after an overload. */
  readonly limits: PoolLimits;
  /** The rate is lowered after an overload. */
  readonly overloaded: boolean;
  /** By batch: part of its waiting prompts that are in this process, 0..1. */
  readonly here: Readonly<Record<string, number>>;
  /** By batch: this worker's places. */
  readonly places: Readonly<Record<string, Places>>;
}

/** What a worker asks of a pool's row: in one statement it returns what it used and takes more. */
export interface LeaseRequest {
  /** The pool's name. */
  readonly pool: string;
  /** The asking process. */
  readonly worker: string;
  /** What it would like to start and use in the next quarter second. */
  readonly want: Amounts;
  /** Prompts it has in flight now. */
  readonly inFlight: number;
  /** Prompts it would like to have in flight, those that are included. */
  readonly wantInFlight: number;
  /** Really used minus leased, since the last call: refunds (negative) or debts. */
  readonly correction: Amounts;
  /** By batch: prompts that could start now, those in flight, and the batch's weight. */
  readonly demand: Readonly<
    Record<string, { readonly waiting: number; readonly inFlight: number; readonly weight: number }>
  >;
  /** By batch: the places it asks for. */
  readonly places: Readonly<Record<string, PlacesAsked>>;
  /** Answers came since the last call: a lowered rate may rise. */
  readonly answered: boolean;
  /** Requests a minute it really started lately. */
  readonly observedRpm: number;
  /** Limits the asking batches' tasks bring; the lower of these and the pool's own hold. */
  readonly limits: PoolLimits;
  /** What this process' configuration says of the pool. */
  readonly configured: PoolSettings;
}

/** What is known of an endpoint that fails; shared by every process. Times are milliseconds since epoch. */
export interface Circuit {
  /** Failures since the last answer. */
  readonly failures: number;
  /** Prompts wait until then, and then for one of them; 0 = they go. */
  readonly openUntil: number;
  /** Until then the one prompt that was let through is waited for; 0 = none was. */
  readonly probeUntil: number;
  /** Times in a row that one failed. */
  readonly failedProbes: number;
  /** What the last failure said; null = there was none. */
  readonly reason: string | null;
}

/** When an endpoint counts as down. */
export interface CircuitSettings {
  /** Failures in a row that open its circuit. Default 5. */
  readonly failures: number;
  /** How long prompts then leave it alone; milliseconds. Default 60,000. */
  readonly openMs: number;
}

/** Why a prompt waits or may not start. */
export type GateRefusal =
  | { readonly kind: 'paused'; readonly reason: string }
  | { readonly kind: 'stopped'; readonly reason: StopReason }
  /** Another model was set for the batch: the prompt is made anew for that one. */
  | { readonly kind: 'changed' }
  /** The gate's bound passed; ask again after `retryInMs`. */
  | { readonly kind: 'busy'; readonly limiter: Limiter; readonly retryInMs: number };

/** What holds a prompt back, as the panel names it. */
export type Limiter =
  | 'concurrency'
  | 'requests per minute'
  | 'tokens per minute'
  | 'input tokens per minute'
  | 'output tokens per minute'
  | 'in flight'
  | 'cooldown'
  | 'overload'
  | 'endpoint';

/** Prompts a batch may have in flight; `auto`: as many as its endpoint takes well. */
export type Concurrency = number | 'auto';

/** Why a batch starts nothing more. */
export type StopReason = 'cancelled' | 'deadline' | 'budget';

/** Tokens of a prompt, as the provider's quotas count them. */
export interface PromptTokens {
  /** Input. */
  readonly input: number;
  /** Output. */
  readonly output: number;
}

/** What a permitted prompt really used: `unsent` = it was not sent after all; null = unknown, then the estimate stands. */
export type Used = PromptTokens | 'unsent' | null;

/** A prompt's permission to be sent. */
export interface Permit {
  /** What holds in the pool now. */
  readonly settings: PoolSettings;
  /** Must be called once, whatever happened. */
  release(used: Used): void;
}

/** What of a control row prompts at the gate go by; its concurrency is each process' own. */
export type GateControl = Pick<Control, 'version' | 'model' | 'concurrency' | 'limits' | 'weight'>;

/** What never changes of a batch, as far as the gate goes by it. */
export interface OfBatch {
  /** Its weight where its control row names none. */
  readonly weight: number;
  /** Its task's quotas, which hold limit by limit where its control row names none. */
  readonly limits: PoolLimits;
  /** More of its records are begun than it has places: the processes share these. Else its shards hold the concurrency. */
  readonly ahead: boolean;
}

/** What the gate needs to know of a prompt. */
export interface GateRequest {
  /** The pool's name. */
  readonly pool: string;
  /** The batch. */
  readonly batchId: string;
  /** The batch's word when the prompt was made. The gate reads it again while the prompt waits. */
  readonly control: GateControl;
  /** The batch's own. */
  readonly own: OfBatch;
  /** Estimated tokens. */
  readonly tokens: PromptTokens;
  /** Longest wait in the gate; milliseconds. */
  readonly boundMs: number;
  /** Aborted when the prompt is no longer wanted. */
  readonly signal: AbortSignal;
}

/** One per process: every prompt passes it. */
export interface Gate {
  /** Resolves with a permit or the reason there is none. Rejects when the signal aborts or the store fails. */
  enter(request: GateRequest): Promise<{ readonly permit: Permit } | { readonly refusal: GateRefusal }>;
  /** Closes the pool in this process at once, until `until` (ms since epoch). */
  hold(pool: string, until: number): void;
  /** The same, and for the fleet through the store. */
  cooldown(pool: string, until: number): Promise<void>;
  /** The provider is overloaded, or refused without saying for how long: the fleet's rate is lowered. */
  overloaded(pool: string): Promise<void>;
  /** What a reply's headers said of a model's limits. Where nobody configured any, the lowest of the pool's models' hold. */
  told(pool: string, model: string, limits: PoolLimits): Promise<void>;
  /** What holds prompts of a batch back now; null = nothing does. */
  limiter(batchId: string): Limiter | null;
  /** Stops timers and gives leases back. */
  close(): Promise<void>;
}
