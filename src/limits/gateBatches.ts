import { lowestLimits } from '../task/limits.js';
import type { PoolLimits } from '../task/spec.js';
import { BatchAtGate } from './batchAtGate.js';
import type { GateRequest, Places, PlacesAsked } from './types.js';

/**
 * How long the limits of a batch count on, and its places stay here, when its last prompt has ended: the next one, if
 * there is one, follows at once, and must not find the pool filled at the pool's own rate. Others wait meanwhile;
 * milliseconds.
 */
const LINGER_MS = 1_500;

/** A prompt that was turned away as busy comes back within this time: so long its batch's limits count; milliseconds. */
const BACK_WITHIN_MS = 10_000;

/** The batches of one pool's gate in this process. */
export class GateBatches {
  private readonly batches = new Map<string, BatchAtGate>();

  constructor(
    /** Milliseconds since epoch. */
    private readonly now: () => number,
  ) {}

  /** A batch; undefined = it has nobody here, and had nobody lately. */
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
    batch.lingersUntil = Math.max(batch.backBy, this.now() + LINGER_MS);
  }

  /** What to ask the store for, by batch whose places are shared. `waiting`: its prompts that wait here. */
  asks(waiting: (batchId: string) => number): Readonly<Record<string, PlacesAsked>> {
    const ahead = [...this.batches].filter(([, batch]) => batch.ahead);
    return Object.fromEntries(ahead.map(([batchId, batch]) => [batchId, batch.asks(waiting(batchId))]));
  }

  /** The store's answer. */
  grant(places: Readonly<Record<string, Places>>): void {
    for (const [batchId, given] of Object.entries(places)) this.batches.get(batchId)?.grant(given);
  }

  /**
   * What batches need of the store for their prompts that wait: places nobody else has, quota, places that others have
   * to give back; null = nothing but the end of their own prompts.
   */
  needOf(batchIds: readonly string[]): 'places' | 'quota' | "others' places" | null {
    const batches = batchIds.flatMap((batchId) => this.batches.get(batchId) ?? []);
    const short = batches.filter(({ isShort }) => isShort);
    if (short.some(({ isShared }) => !isShared)) return 'places';
    if (batches.some(({ room }) => room > 0)) return 'quota';
    return short.length > 0 ? "others' places" : null;
  }

  /** Whose places lie idle here: batches that other processes have too, or none such; null = no place does. */
  get idle(): 'shared' | 'alone' | null {
    const idle = [...this.batches.values()].filter(({ isIdle }) => isIdle);
    if (idle.length === 0) return null;
    return idle.some(({ isShared }) => isShared) ? 'shared' : 'alone';
  }

  /** Milliseconds until a batch that has left is forgotten; `Infinity` = no such batch. */
  get lingerMs(): number {
    const ends = [...this.batches.values()].map(({ lingersUntil }) => lingersUntil ?? Infinity);
    return Math.min(Infinity, ...ends) - this.now();
  }

  /** Forgets batches that have left. */
  sweep(): void {
    for (const [batchId, { lingersUntil }] of this.batches) {
      if (lingersUntil !== null && lingersUntil <= this.now()) this.batches.delete(batchId);
    }
  }
}
