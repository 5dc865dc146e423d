import { isLower } from '../task/limits.js';
import type { PoolLimits } from '../task/spec.js';
import type { BatchAtGate } from './batchAtGate.js';
import { GateBatches } from './gateBatches.js';
import { LeasedQuota } from './leasedQuota.js';
import { LEASE_EVERY_MS, lookAfterMs } from './lookTimes.js';
import { RoundRobin } from './roundRobin.js';
import type { GateControl, GateRefusal, GateRequest, Lease, LeaseRequest, Limiter, Permit, Used } from './types.js';

/** How an attempt to enter ended. */
export type Entry = { readonly permit: Permit } | { readonly refusal: GateRefusal };

/** A prompt at the gate. */
interface Waiter {
  readonly request: GateRequest;
  /** Ends the wait with an answer. */
  readonly answer: (entry: Entry) => void;
  /** Ends the wait with an error. */
  readonly fail: (error: unknown) => void;
}

/** What a batch's control row says to its prompts at the gate. */
export interface GateWord {
  /** What they go by. */
  readonly control: GateControl;
  /** Why they may not start now; null = they may. */
  readonly refusal: GateRefusal | null;
}

/** What a pool's gate needs from outside. */
export interface PoolGateDeps {
  /** Asks the store for quota. */
  readonly lease: (request: Omit<LeaseRequest, 'pool' | 'worker' | 'configured'>) => Promise<Lease>;
  /** Reads a batch's control row. */
  readonly word: (batchId: string) => Promise<GateWord>;
  /** Told of each prompt that could not start at once. */
  readonly waited: (limiter: Limiter) => void;
  /** Told of the pool's requests a minute when they change; null = not limited. */
  readonly rate: (rpm: number | null) => void;
  /** Milliseconds since epoch. */
  readonly now: () => number;
}

/** The gate of one pool in this process. */
export class PoolGate {
  private readonly waiting = new RoundRobin<string, Waiter>();
  private readonly batches: GateBatches;
  private readonly quota: LeasedQuota;
  private looking: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private toldRpm: number | null = null;
  /** Limits of the batches here when quota was leased. */
  private leasedFor: PoolLimits = {};

  constructor(private readonly deps: PoolGateDeps) {
    this.batches = new GateBatches(deps.now);
    this.quota = new LeasedQuota(deps.now);
  }

  /** See `Gate.enter`. */
  enter(request: GateRequest): Promise<Entry> {
    const { batchId, signal, boundMs } = request;
    // What was leased without its limits is not this batch's.
    const batch = this.batches.come(request);
    if (isLower(batch.limits, this.leasedFor)) this.quota.expire();
    if (!signal.aborted && this.isOpenTo(request)) {
      const permit = this.admit(batch, request);
      this.plan();
      return Promise.resolve({ permit });
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(bound);
        signal.removeEventListener('abort', abort);
        this.waiting.remove(batchId, waiter);
        this.forget(batchId);
      };
      const waiter: Waiter = {
        request,
        answer: (entry) => {
          if ('refusal' in entry && entry.refusal.kind === 'busy') this.batches.comesBack(batchId);
          leave();
          resolve(entry);
        },
        fail: (error) => {
          leave();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      };
      const abort = (): void => waiter.fail(signal.reason);
      const bound = setTimeout(() => waiter.answer({ refusal: this.busy(batchId) }), boundMs);
      signal.addEventListener('abort', abort);
      this.waiting.push(batchId, waiter);
      if (signal.aborted) abort();
      else this.pump();
      if (!this.waiting.of(batchId).includes(waiter)) return;
      this.tellWait(batchId);
      // Its turn can't come while it waits here: elsewhere it takes no place.
      if (this.quota.cooldownMs > boundMs) waiter.answer({ refusal: this.busy(batchId) });
    });
  }

  /** Nothing starts before `until`. */
  close(until: number): void {
    this.quota.close(until);
  }

  /** Requests a minute that really started here lately. */
  get observedRpm(): number {
    return this.quota.observedRpm;
  }

  /** What holds prompts of a batch back; null = nothing, or nobody waits. */
  limiter(batchId: string): Limiter | null {
    const [first] = this.waiting.of(batchId);
    const batch = this.batches.get(batchId);
    if (first === undefined || batch === undefined) return null;
    if (batch.isFull) return 'concurrency';
    return this.quota.blockedBy(first.request.tokens);
  }

  /** Turns everybody away and stops. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    for (const batchId of this.waiting.keys()) this.refuse(batchId, this.busy(batchId));
    await this.looking;
  }

  /** Starts whoever may start, in turn, and sees to the next look at the store. */
  private pump(): void {
    while (this.quota.fresh) {
      const next = this.waiting.peek((batchId) => this.batches.get(batchId)?.isFull === false);
      // The first in turn is waited for: smaller prompts behind a big one must not starve it.
      if (next === undefined || !this.mayStart(next.value.request)) break;
      this.start(next.value);
    }
    this.plan();
  }

  /** True when a prompt that comes now has nobody before it and nothing in its way. */
  private isOpenTo(request: GateRequest): boolean {
    return this.waiting.size === 0 && this.quota.fresh && this.mayStart(request);
  }

  private mayStart({ batchId, tokens }: GateRequest): boolean {
    return (this.batches.get(batchId)?.room ?? 0) > 0 && this.quota.blockedBy(tokens) === null;
  }

  private start(waiter: Waiter): void {
    const { request } = waiter;
    const batch = this.batches.get(request.batchId);
    if (batch === undefined) return;
    this.waiting.take(request.batchId);
    waiter.answer({ permit: this.admit(batch, request) });
  }

  private admit(batch: BatchAtGate, { batchId, tokens }: GateRequest): Permit {
    batch.start();
    const begun = this.quota.start(tokens);
    let released = false;
    const release = (used: Used): void => {
      if (released) return;
      released = true;
      batch.inFlight -= 1;
      this.quota.end(begun, used);
      this.forget(batchId);
      this.pump();
    };
    return { release, settings: this.quota.settings };
  }

  private tellWait(batchId: string): void {
    const limiter = this.limiter(batchId);
    if (limiter !== null) this.deps.waited(limiter);
  }

  private tellRate(): void {
    const { rpm } = this.quota;
    if (rpm === this.toldRpm) return;
    this.toldRpm = rpm;
    this.deps.rate(rpm);
  }

  private refuse(batchId: string, refusal: GateRefusal): void {
    for (const waiter of [...this.waiting.of(batchId)]) waiter.answer({ refusal });
  }

  private busy(batchId: string): GateRefusal {
    const retryInMs = Math.max(LEASE_EVERY_MS, this.quota.retryInMs, this.quota.cooldownMs);
    return { kind: 'busy', limiter: this.limiter(batchId) ?? 'concurrency', retryInMs };
  }

  private forget(batchId: string): void {
    if (this.batches.get(batchId)?.inFlight !== 0 || this.waiting.of(batchId).length > 0) return;
    this.batches.leave(batchId);
    this.waiting.forget(batchId);
  }

  /** Looks at the store now, or sets the time of the next look. */
  private plan(): void {
    clearTimeout(this.timer);
    if (this.stopped || this.looking !== undefined) return;
    const dueInMs = lookAfterMs(this.quota, this.batches, this.waiting.keys()) - this.quota.age;
    if (dueInMs <= 0) this.look();
    else if (dueInMs < Infinity) this.timer = setTimeout(() => this.look(), dueInMs);
  }

  private look(): void {
    this.looking = this.refresh()
      .catch((error: unknown) => {
        for (const batchId of this.waiting.keys())
          for (const waiter of [...this.waiting.of(batchId)]) waiter.fail(error);
      })
      .finally(() => {
        this.looking = undefined;
        this.pump();
      });
  }

  /** Follows what the batches' control rows say now: turns prompts away that may not start, or not as they are. */
  private async hear(batchId: string): Promise<void> {
    const { control, refusal } = await this.deps.word(batchId);
    const batch = this.batches.get(batchId);
    batch?.hear(control);
    if (refusal !== null) this.refuse(batchId, refusal);
    for (const waiter of [...this.waiting.of(batchId)]) {
      if (waiter.request.control.model !== batch?.model) waiter.answer({ refusal: { kind: 'changed' } });
    }
  }

  /** Looks what was changed, and leases for those who may start. */
  private async refresh(): Promise<void> {
    await Promise.all(this.batches.here().map(([batchId]) => this.hear(batchId)));
    this.batches.sweep();
    const startable = this.startable();
    const limits = this.batches.limits();
    if (isLower(limits, this.leasedFor)) this.quota.expire();
    const request = this.quota.wants(
      startable.flatMap(({ tokens }) => tokens),
      limits,
    );
    const demand = Object.fromEntries(
      startable.map(({ batchId, tokens, inFlight, weight }) => [batchId, { waiting: tokens.length, inFlight, weight }]),
    );
    try {
      const places = this.batches.asks((batchId) => this.waiting.of(batchId).length);
      const lease = await this.deps.lease({ ...request, demand, places });
      this.quota.grant(lease);
      this.batches.grant(lease.places);
      this.leasedFor = limits;
      if (isLower(this.batches.limits(), limits)) this.quota.expire();
      this.tellRate();
    } catch (error) {
      this.quota.untell(request);
      throw error;
    }
    for (const [batchId, { weight }] of this.batches.here()) this.waiting.weigh(batchId, weight * this.hereOf(batchId));
  }

  /** A batch whose prompts wait elsewhere too gets only their part of its weight here. */
  private hereOf(batchId: string): number {
    const part = this.quota.here[batchId];
    return part === undefined || part === 0 ? 1 : part;
  }

  /** The prompts whose batches have room for them, by batch, and what the batch has in flight. */
  private startable() {
    return this.batches.here().map(([batchId, { reach, inFlight, weight }]) => {
      const waiting = this.waiting.of(batchId).slice(0, reach);
      return { batchId, weight, inFlight, tokens: waiting.map(({ request }) => request.tokens) };
    });
  }
}
