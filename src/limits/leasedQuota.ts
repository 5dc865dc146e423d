import type { PoolLimits } from '../task/spec.js';
import type { Lease, LeaseRequest, Limiter } from './types.js';

/** How old a lease may be for a prompt to start on it; milliseconds. A cooldown told elsewhere is known by then. */
const FRESH_MS = 500;

/** A prompt bigger than this part of a minute's tokens starts on that much and pays the rest afterwards. */
const BIGGEST_START = 1 / 12;

/** A pool's quota as this process holds it: what was leased, what was used of it, and what must be told the store. */
export class LeasedQuota {
  private last: Lease | undefined;
  private leasedAt = -Infinity;
  private closedUntil = 0;
  private places = 0;
  private running = 0;
  private requests = 0;
  private tokens = 0;
  private correction = 0;
  private startedRequests = 0;
  private startedTokens = 0;

  constructor(
    /** Milliseconds since epoch. */
    private readonly now: () => number,
  ) {}

  /** Prompts in flight in this process. */
  get inFlight(): number {
    return this.running;
  }

  /** Milliseconds since the last lease. */
  get age(): number {
    return this.now() - this.leasedAt;
  }

  /** Milliseconds until the cooldown ends; 0 = none. */
  get cooldownMs(): number {
    return Math.max(0, this.closedUntil - this.now());
  }

  /** When the store said to ask again; milliseconds after the last lease. */
  get retryInMs(): number {
    return this.last?.retryInMs ?? 0;
  }

  /** True when the pool had a limit at the last lease. */
  get limited(): boolean {
    const { last } = this;
    return last !== undefined && [last.requests, last.tokens, last.inFlight].some(Number.isFinite);
  }

  /** True when the store must hear of something soon: usage to correct, or quota that lies idle here. */
  get untold(): boolean {
    return this.limited && (this.correction !== 0 || this.startedRequests > 0 || this.idle);
  }

  /** Whether a prompt may start on the last lease at all. */
  get fresh(): boolean {
    return this.age <= FRESH_MS;
  }

  private get idle(): boolean {
    return this.running === 0 && this.leased(this.places) + this.leased(this.requests) + this.leased(this.tokens) > 0;
  }

  /** No request starts before `until`. */
  close(until: number): void {
    this.closedUntil = Math.max(this.closedUntil, until);
  }

  /** What holds a prompt of so many tokens back; null = nothing. */
  blockedBy(tokens: number, limits: PoolLimits): Limiter | null {
    if (this.cooldownMs > 0) return 'cooldown';
    if (this.running >= this.places) return 'in flight';
    if (this.requests < 1) return 'requests per minute';
    return this.tokens < this.needed(tokens, limits) ? 'tokens per minute' : null;
  }

  /** A prompt starts. */
  start(tokens: number, limits: PoolLimits): void {
    const needed = this.needed(tokens, limits);
    this.running += 1;
    this.requests -= 1;
    this.tokens -= needed;
    this.correction += tokens - needed;
    this.startedRequests += 1;
    this.startedTokens += needed;
  }

  /** A prompt has ended. `used`: its real tokens; null = unknown, then the estimate stands. */
  end(tokens: number, used: number | null): void {
    this.running -= 1;
    if (used !== null) this.correction += used - tokens;
  }

  /** What to ask of the store for prompts that wait and could start, in turn, by their tokens. */
  wants(waiting: readonly number[], limits: PoolLimits): Omit<LeaseRequest, 'pool' | 'worker'> {
    if (waiting.length === 0) this.giveBack();
    const needed = waiting.reduce((sum, tokens) => sum + this.needed(tokens, limits), 0);
    // As much as lately for those who come meanwhile, but not so much that a small quota lies idle here.
    const aheadRequests = Math.min(this.startedRequests, Math.floor((limits.rpm ?? Infinity) / 60));
    const aheadTokens = Math.min(this.startedTokens, Math.floor((limits.tpm ?? Infinity) / 60));
    const tokenCorrection = this.correction;
    this.correction = 0;
    return {
      wantRequests: Math.max(0, waiting.length + aheadRequests - this.leased(this.requests)),
      wantTokens: Math.max(0, Math.ceil(needed + aheadTokens - this.leased(this.tokens))),
      inFlight: this.running,
      wantInFlight: this.running + waiting.length,
      tokenCorrection,
      limits,
    };
  }

  /** What the store granted. */
  grant(lease: Lease): void {
    this.last = lease;
    this.leasedAt = this.now();
    this.places = lease.inFlight;
    this.requests = lease.requests === Infinity ? Infinity : this.leased(this.requests) + lease.requests;
    this.tokens = lease.tokens === Infinity ? Infinity : this.leased(this.tokens) + lease.tokens;
    this.startedRequests = 0;
    this.startedTokens = 0;
    this.close(lease.cooldownUntil);
  }

  /** The store didn't hear: tell it the next time. */
  untell(tokenCorrection: number): void {
    this.correction += tokenCorrection;
  }

  /** Quota nobody waits for isn't hoarded: tokens go back, requests lapse (they are few, see `wants`). */
  private giveBack(): void {
    this.correction -= this.leased(this.tokens);
    this.tokens = 0;
    this.requests = 0;
  }

  private leased(balance: number): number {
    return Number.isFinite(balance) ? balance : 0;
  }

  private needed(tokens: number, { tpm }: PoolLimits): number {
    return tpm === undefined ? tokens : Math.min(tokens, tpm * BIGGEST_START);
  }
}
