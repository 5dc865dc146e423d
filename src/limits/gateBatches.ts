import { lowestLimits } from '../task/limits.js';
import type { PoolLimits } from '../task/spec.js';
import type { GateControl, GateRequest } from './types.js';

/**
 * How long the limits of a batch count on when its last prompt has ended: the next one, if there is one, follows at
 * once, and must not find the pool filled at the pool's own rate. Others wait meanwhile; milliseconds.
 */
const LINGER_MS = 1_500;

/** A prompt that was turned away as busy comes back within this time: so long its batch's limits count; milliseconds. */
const BACK_WITHIN_MS = 10_000;

/** A batch that has, or lately had, prompts at the gate of a pool in this process. */
export class BatchAtGate {
  /** Prompts in flight. */
  inFlight = 0;
  /** None of its prompts is here, and its limits count until then; null = some are. Milliseconds since epoch. */
  lingersUntil: number | null = null;
  /** Prompts that were turned away as busy come back by then; milliseconds since epoch. */
  backBy = 0;

  constructor(
    private control: GateControl,
    private readonly own: GateRequest['own'],
  ) {}

  /** Its control row says this. An older one than known is no news. */
  hear(control: GateControl): void {
    if (control.version >= this.control.version) this.control = control;
  }

  /** The model its prompts go to; null = the task's. */
  get model(): string | null {
    return this.control.model;
  }

  /** Its part of a quota that several want. */
  get weight(): number {
    return this.control.weight ?? this.own.weight;
  }

  /** Quotas it brings. */
  get limits(): PoolLimits {
    return { ...this.own.limits, ...this.control.limits };
  }

  /** Prompts that may start now as far as its concurrency goes. */
  get room(): number {
    return Math.max(0, this.control.concurrency - this.inFlight);
  }
}

/** The batches of one pool's gate in this process. */
export class GateBatches {
  private readonly batches = new Map<string, BatchAtGate>();

  constructor(
    /** Milliseconds since epoch. */
    private readonly now: () => number,
  ) {}

  /** A batch; undefined = it has nobody here, and brings no limits that still count. */
  get(batchId: string): BatchAtGate | undefined {
    return this.batches.get(batchId);
  }

  /** Batches with prompts here. */
  here(): readonly (readonly [string, BatchAtGate])[] {
    return [...this.batches].filter(([, { lingersUntil }]) => lingersUntil === null);
  }

  /** The lowest limits of all that count. */
  limits(): PoolLimits {
    return lowestLimits([...this.batches.values()].map(({ limits }) => limits));
  }

  /** A prompt of the batch comes. */
  come({ batchId, control, own }: GateRequest): BatchAtGate {
    const batch = this.batches.get(batchId) ?? new BatchAtGate(control, own);
    this.batches.set(batchId, batch);
    batch.hear(control);
    batch.lingersUntil = null;
    return batch;
  }

  /** A prompt of the batch was turned away, and comes back. */
  comesBack(batchId: string): void {
    const batch = this.batches.get(batchId);
    if (batch !== undefined) batch.backBy = this.now() + BACK_WITHIN_MS;
  }

  /** The last prompt of the batch has left. */
  leave(batchId: string): void {
    const batch = this.batches.get(batchId);
    if (batch === undefined) return;
    if (Object.keys(batch.limits).length === 0) this.batches.delete(batchId);
    else batch.lingersUntil = Math.max(batch.backBy, this.now() + LINGER_MS);
  }

  /** Milliseconds until limits count no more because their batch has left; `Infinity` = no such batch. */
  get lingerMs(): number {
    const ends = [...this.batches.values()].map(({ lingersUntil }) => lingersUntil ?? Infinity);
    return Math.min(Infinity, ...ends) - this.now();
  }

  /** Forgets batches whose limits count no more. */
  sweep(): void {
    for (const [batchId, { lingersUntil }] of this.batches) {
      if (lingersUntil !== null && lingersUntil <= this.now()) this.batches.delete(batchId);
    }
  }
}
