import type { PoolLimits } from '../task/spec.js';
import type { GateControl, OfBatch, Places, PlacesAsked } from './types.js';

/** A batch that has, or lately had, prompts at the gate of a pool in this process. */
export class BatchAtGate {
  /** Prompts in flight. */
  inFlight = 0;
  /** None of its prompts is here, and it is forgotten then; null = some are. Milliseconds since epoch. */
  lingersUntil: number | null = null;
  /** Prompts that were turned away as busy come back by then; milliseconds since epoch. */
  backBy = 0;
  /** Its places here; undefined = the store was not asked yet. */
  private places: Places | undefined;
  /** Places the store was last told are in use here. */
  private told = 0;
  /** Prompts started since the store was last asked. */
  private started = 0;

  constructor(
    private control: GateControl,
    private readonly own: OfBatch,
  ) {}

  /** Its control row says this. An older one than known is no news. */
  hear(control: GateControl): void {
    if (control.version >= this.control.version) this.control = control;
  }

  /** The model its prompts go to; null = the task's. */
  get model(): string | null {
    return this.control.model;
  }

  /** Its places are shared with other processes, see {@link OfBatch}. */
  get ahead(): boolean {
    return this.own.ahead;
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
    return Math.max(0, Math.min(this.control.concurrency, this.granted) - this.inFlight);
  }

  /** Its concurrency is used up, or others have what is left of it. */
  get isFull(): boolean {
    return this.room === 0 && (this.isShared || !this.isShort);
  }

  /** Prompts that quota is leased for: where nobody else has the batch, all its places come with the quota. */
  get reach(): number {
    return this.isShared ? this.room : Math.max(0, this.control.concurrency - this.inFlight);
  }

  /** Other processes have prompts of it too. */
  get isShared(): boolean {
    return this.places?.shared === true;
  }

  /** It has fewer places here than its concurrency. */
  get isShort(): boolean {
    return this.granted < this.control.concurrency;
  }

  /** Others can't have places that nobody uses here, or don't know yet that they can. */
  get isIdle(): boolean {
    return this.ahead && Math.max(this.granted, this.told) > this.inFlight;
  }

  /** A prompt starts. */
  start(): void {
    this.inFlight += 1;
    this.started += 1;
  }

  /**
   * What to ask the store for when `waiting` prompts wait here. Places nobody used since the last time go back, and are
   * used no more before the answer comes: it may give them to others.
   */
  asks(waiting: number): PlacesAsked {
    const { concurrency: limit } = this.control;
    const { inFlight, places } = this;
    const used = waiting > 0 || this.started > 0;
    this.started = 0;
    if (!used && places !== undefined) this.places = { ...places, granted: Math.min(places.granted, inFlight) };
    this.told = Math.max(inFlight, Math.min(this.granted, limit));
    return { limit, demand: inFlight + waiting, held: this.told, wanted: used ? limit : inFlight };
  }

  /** The store's answer. */
  grant(places: Places): void {
    this.places = places;
  }

  private get granted(): number {
    return this.ahead ? (this.places?.granted ?? 0) : Infinity;
  }
}
