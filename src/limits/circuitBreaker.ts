import type { Store } from '../store/types.js';
import { afterAnswer, afterFailure, CIRCUIT_DEFAULTS, CLOSED, phaseOf, waitOf, withProbe } from './circuit.js';
import type { Meters } from './meters.js';
import type { Circuit, CircuitSettings } from './types.js';

/** Phases as a meter shows them. */
const STATES = { closed: 0, 'half-open': 1, open: 2 } as const;

/** How stale the view of other processes' failures may be; milliseconds. */
const STALE_MS = 500;

/** What a breaker is made of. */
export interface CircuitBreakerOptions {
  /** Where all processes tell of failures. */
  readonly store: Pick<Store, 'changeCircuit' | 'listCircuits'>;
  /** Default: 5 failures, 60 s. */
  readonly settings?: CircuitSettings | undefined;
  /** Told of circuits. Default nobody. */
  readonly meters?: Pick<Meters, 'circuit'>;
  /** Milliseconds since epoch. Default `Date.now`. */
  readonly now?: () => number;
}

/** The circuits of this process' endpoints: what it sees itself, and what others told the store. */
export class CircuitBreaker {
  private readonly store;
  private readonly settings;
  private readonly meters;
  private readonly now;
  private readonly known = new Map<string, Circuit>();
  /** Failures since the last answer that this process saw. */
  private readonly inARow = new Map<string, number>();
  /** By batch: until when its prompts wait for an endpoint. */
  private readonly held = new Map<string, number>();
  private reading: Promise<void> | undefined;
  private readAt = -Infinity;

  constructor({ store, settings = CIRCUIT_DEFAULTS, meters, now = Date.now }: CircuitBreakerOptions) {
    this.store = store;
    this.settings = settings;
    this.meters = meters;
    this.now = now;
  }

  /** Hears what other processes told the store. Undefined: what is known here is less than half a second old. */
  look(): Promise<void> | undefined {
    if (this.isFresh) return undefined;
    this.reading ??= this.refresh().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  /** The endpoint's circuit at the last {@link look}, and what this process saw since. */
  read(endpoint: string): Circuit {
    return this.known.get(endpoint) ?? CLOSED;
  }

  /** How long a prompt to the endpoint must wait; 0 = it may go, or be the one that finds out. Milliseconds. */
  waitMs(endpoint: string): number {
    return waitOf(this.read(endpoint), this.now());
  }

  /** True when prompts go to the endpoint freely, as far as a fresh look tells. */
  isClosed(endpoint: string): boolean {
    return this.isFresh && phaseOf(this.read(endpoint), this.now()) === 'closed';
  }

  /**
   * Lets a prompt through, as the only one where the circuit is half-open: then `forMs` is how long its answer may
   * take. Returns the milliseconds to wait when it may not go.
   */
  async enter(endpoint: string, forMs: number): Promise<number> {
    await this.look();
    if (this.isClosed(endpoint)) return 0;
    let waitMs = 0;
    await this.change(endpoint, (circuit, now) => {
      const after = withProbe(circuit, now, forMs);
      waitMs = after === circuit ? waitOf(circuit, now) : 0;
      return after;
    });
    return waitMs;
  }

  /** The prompt that was let through was not sent after all: another one may find out. */
  async leave(endpoint: string): Promise<void> {
    if (this.read(endpoint).probeUntil === 0) return;
    await this.change(endpoint, (circuit) => ({ ...circuit, probeUntil: 0 }));
  }

  /** The endpoint failed. */
  async failed(endpoint: string, reason: string): Promise<void> {
    const inARow = (this.inARow.get(endpoint) ?? 0) + 1;
    this.inARow.set(endpoint, inARow);
    // One failure between answers is no news to the others.
    if (inARow === 1 && this.settings.failures > 1 && this.read(endpoint).failures === 0) return;
    await this.change(endpoint, (circuit, now) => afterFailure(circuit, { reason, inARow }, this.settings, now));
  }

  /** The endpoint answered, whatever it said. Undefined: that is no news. */
  answered(endpoint: string): Promise<void> | undefined {
    this.inARow.delete(endpoint);
    return this.read(endpoint).failures > 0 ? this.change(endpoint, afterAnswer) : undefined;
  }

  /** The next prompt may find out at once: somebody says that the endpoint was mended. */
  async askSoon(endpoint: string): Promise<void> {
    if (this.read(endpoint).openUntil === 0) return;
    await this.change(endpoint, (circuit, now) => ({ ...circuit, openUntil: Math.min(circuit.openUntil, now) }));
  }

  /** A prompt of the batch waits for an endpoint for so long. */
  holds(batchId: string, forMs: number): void {
    this.held.set(batchId, this.now() + forMs);
  }

  /** True while prompts of a batch wait for an endpoint. */
  isHolding(batchId: string): boolean {
    const until = this.held.get(batchId);
    if (until === undefined) return false;
    if (until <= this.now()) this.held.delete(batchId);
    return until > this.now();
  }

  private get isFresh(): boolean {
    return this.now() - this.readAt < STALE_MS;
  }

  private async refresh(): Promise<void> {
    const circuits = await this.store.listCircuits();
    const gone = new Set(this.known.keys());
    for (const { endpoint, ...circuit } of circuits) {
      gone.delete(endpoint);
      this.learn(endpoint, circuit);
    }
    for (const endpoint of gone) {
      this.learn(endpoint, CLOSED);
      this.known.delete(endpoint);
    }
    this.readAt = this.now();
  }

  private async change(endpoint: string, next: (before: Circuit, now: number) => Circuit): Promise<void> {
    this.learn(endpoint, await this.store.changeCircuit(endpoint, next));
  }

  private learn(endpoint: string, circuit: Circuit): void {
    this.known.set(endpoint, circuit);
    this.meters?.circuit(endpoint, STATES[phaseOf(circuit, this.now())]);
  }
}
