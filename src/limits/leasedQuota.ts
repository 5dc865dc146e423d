import { type Amounts, amounts, limitOf, type Meter, METERS } from '../task/limits.js';
import type { PoolLimits } from '../task/spec.js';
import type { Lease, LeaseRequest, Limiter, PoolSettings, PromptTokens, Used } from './types.js';

/** How old a lease may be for a prompt to start on it; milliseconds. A cooldown told elsewhere is known by then. */
const FRESH_MS = 500;

/** A prompt bigger than this part of a minute's tokens starts on that much and pays the rest afterwards. */
const BIGGEST_START = 1 / 12;

/** Starts are counted over this time; milliseconds. */
const COUNTED_MS = 10_000;

const LIMITER: Readonly<Record<Meter, Limiter>> = {
  requests: 'requests per minute',
  tokens: 'tokens per minute',
  inputTokens: 'input tokens per minute',
  outputTokens: 'output tokens per minute',
};

/** What a prompt of so many tokens uses of each meter. */
function usesOf({ input, output }: PromptTokens): Amounts {
  return { requests: 1, tokens: input + output, inputTokens: input, outputTokens: output };
}

/** A prompt that started, as it was counted. */
interface Begun {
  /** Its estimated tokens. */
  readonly tokens: PromptTokens;
  /** What was taken for it. */
  readonly taken: Amounts;
  /** When; milliseconds since epoch. */
  readonly at: number;
}

function finite(balance: number): number {
  return Number.isFinite(balance) ? balance : 0;
}

/** A pool's quota as this process holds it: what was leased, what was used of it, and what must be told the store. */
export class LeasedQuota {
  private last: Lease | undefined;
  private leasedAt = -Infinity;
  private closedUntil = 0;
  private places = 0;
  private running = 0;
  private balance: Amounts = amounts(() => 0);
  private correction: Amounts = amounts(() => 0);
  /** Used by prompts that started since the last lease. */
  private started: Amounts = amounts(() => 0);
  private answered = false;
  private startedAt: number[] = [];

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

  /** What held in the pool at the last lease. */
  get settings(): PoolSettings {
    return this.last?.settings ?? {};
  }

  /** By batch: part of its waiting prompts that are in this process, at the last lease. */
  get here(): Lease['here'] {
    return this.last?.here ?? {};
  }

  /** Requests a minute the whole pool may have, at the last lease; null = not limited. */
  get rpm(): number | null {
    return this.limits.rpm ?? null;
  }

  /** True when the pool had a limit at the last lease. */
  get limited(): boolean {
    return Object.keys(this.limits).length > 0;
  }

  /** True when the store must hear of something soon: usage to correct, or quota that lies idle here. */
  get untold(): boolean {
    const corrected = METERS.some((meter) => this.correction[meter] !== 0);
    return this.limited && (corrected || this.answered || this.started.requests > 0 || this.idle);
  }

  /** Whether a prompt may start on the last lease at all. */
  get fresh(): boolean {
    return this.age <= FRESH_MS;
  }

  /** Requests a minute that really started here lately. */
  get observedRpm(): number {
    const { now } = this;
    this.startedAt = this.startedAt.filter((at) => now() - at < COUNTED_MS);
    const [first] = this.startedAt;
    // A burst that has just begun is not taken for a tenth of a second's rate.
    const span = first === undefined ? COUNTED_MS : Math.max(1_000, now() - first);
    return (this.startedAt.length * 60_000) / span;
  }

  private get limits(): PoolLimits {
    return this.last?.limits ?? {};
  }

  private get idle(): boolean {
    const leased = finite(this.places) + METERS.reduce((sum, meter) => sum + finite(this.balance[meter]), 0);
    return this.running === 0 && leased > 0;
  }

  /** Nothing starts on the last lease any more: what is left of it goes back to the store. */
  expire(): void {
    this.leasedAt = -Infinity;
    this.giveBack();
  }

  /** No request starts before `until`. */
  close(until: number): void {
    this.closedUntil = Math.max(this.closedUntil, until);
  }

  /** What holds a prompt of so many tokens back; null = nothing. */
  blockedBy(tokens: PromptTokens): Limiter | null {
    if (this.cooldownMs > 0) return 'cooldown';
    if (this.running >= this.places) return 'in flight';
    const needed = this.needed(tokens);
    const short = METERS.find((meter) => this.balance[meter] < needed[meter]);
    if (short === undefined) return null;
    return short === 'requests' && this.last?.overloaded === true ? 'overload' : LIMITER[short];
  }

  /** A prompt starts. Returns what {@link end} needs. */
  start(tokens: PromptTokens): Begun {
    const needed = this.needed(tokens);
    const uses = usesOf(tokens);
    this.running += 1;
    this.balance = amounts((meter) => this.balance[meter] - needed[meter]);
    this.correction = amounts((meter) => this.correction[meter] + uses[meter] - needed[meter]);
    this.started = amounts((meter) => this.started[meter] + needed[meter]);
    this.startedAt.push(this.now());
    if (this.startedAt.length > 10_000) this.startedAt.splice(0, 5_000);
    return { tokens, taken: needed, at: this.now() };
  }

  /** A prompt has ended. One that was not sent leaves everything to the next, as if it had never started. */
  end(begun: Begun, used: Used): void {
    this.running -= 1;
    if (used === 'unsent') this.undo(begun);
    if (used === null || used === 'unsent') return;
    const estimated = usesOf(begun.tokens);
    const real = usesOf(used);
    this.correction = amounts((meter) => this.correction[meter] + real[meter] - estimated[meter]);
    this.answered ||= used.input + used.output > 0;
  }

  private undo({ tokens, taken, at }: Begun): void {
    const uses = usesOf(tokens);
    this.balance = amounts((meter) => this.balance[meter] + taken[meter]);
    this.correction = amounts((meter) => this.correction[meter] - uses[meter] + taken[meter]);
    this.started = amounts((meter) => Math.max(0, this.started[meter] - taken[meter]));
    const place = this.startedAt.lastIndexOf(at);
    if (place >= 0) this.startedAt.splice(place, 1);
  }

  /** What to ask of the store for prompts that wait and could start, in turn, by their tokens. */
  wants(
    waiting: readonly PromptTokens[],
    limits: PoolLimits,
  ): Omit<LeaseRequest, 'pool' | 'worker' | 'demand' | 'places' | 'configured'> {
    // Quota nobody waits for isn't hoarded.
    if (waiting.length === 0) this.giveBack();
    const uses = waiting.map((tokens) => this.needed(tokens));
    const want = amounts((meter) => {
      const needed = uses.reduce((sum, use) => sum + use[meter], 0);
      // As much as lately for those who come meanwhile, but not so much that a small quota lies idle here.
      const ahead = Math.min(this.started[meter], Math.floor((limitOf(this.limits, meter) ?? Infinity) / 60));
      return Math.max(0, Math.ceil(needed + ahead - finite(this.balance[meter])));
    });
    const { correction, answered } = this;
    this.correction = amounts(() => 0);
    this.answered = false;
    const places = { inFlight: this.running, wantInFlight: this.running + waiting.length };
    return { want, ...places, correction, answered, observedRpm: this.observedRpm, limits };
  }

  /** What the store granted. */
  grant(lease: Lease): void {
    this.last = lease;
    this.leasedAt = this.now();
    this.places = lease.inFlight;
    this.balance = amounts((meter) => finite(this.balance[meter]) + lease.granted[meter]);
    this.started = amounts(() => 0);
    this.close(lease.cooldownUntil);
  }

  /** The store didn't hear: tell it the next time. */
  untell({ correction, answered }: Pick<LeaseRequest, 'correction' | 'answered'>): void {
    this.correction = amounts((meter) => this.correction[meter] + correction[meter]);
    this.answered ||= answered;
  }

  /** What is left of the last lease goes back with the next one. */
  private giveBack(): void {
    this.correction = amounts((meter) => this.correction[meter] - finite(this.balance[meter]));
    this.balance = amounts(() => 0);
  }

  private needed(tokens: PromptTokens): Amounts {
    const uses = usesOf(tokens);
    return amounts((meter) => {
      const perMinute = meter === 'requests' ? undefined : limitOf(this.limits, meter);
      return perMinute === undefined ? uses[meter] : Math.min(uses[meter], perMinute * BIGGEST_START);
    });
  }
}
