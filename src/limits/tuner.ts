import { type Tuning, tuned, UNTUNED } from './tuning.js';

/** A window has at least so many prompts, or half of the concurrency, and lasts as long as this; milliseconds. */
const LEAST_PROMPTS = 20;
const LEAST_MS = 1_000;

/** A window that had less by then is judged all the same; milliseconds. */
const MOST_MS = 10_000;

/** A proposal nobody followed in this time is forgotten: the batch was changed, or its workflow is away. Milliseconds. */
const PROPOSED_MS = 10_000;

/** Batches remembered; the oldest is forgotten first. */
const KEPT = 200;

/** A changed concurrency, proposed to a batch. */
export interface Proposal {
  /** The batch. */
  readonly batchId: string;
  /** The concurrency it was made at: at another one it is void. */
  readonly from: number;
  /** What it should be. */
  readonly to: number;
}

/** What a tuner needs from outside. */
export interface TunerDeps {
  /** Prompts of a batch in flight, over all workers. */
  readonly inFlight: (batchId: string) => Promise<number>;
  /** Tells the batch. */
  readonly propose: (proposal: Proposal) => Promise<void>;
  /** Milliseconds since epoch. */
  readonly now: () => number;
}

/** The concurrency a prompt began at. */
export interface Setting {
  /** Version of the control row that said so. */
  readonly version: number;
  /** Prompts in flight. */
  readonly concurrency: number;
}

interface Watched {
  version: number;
  concurrency: number;
  since: number;
  prompts: number;
  refused: number;
  answeredMs: number;
  tuning: Tuning;
  /** Until then a proposal is waited for. */
  proposedUntil: number;
}

/** Watches how a process' prompts fare, and proposes concurrencies for batches that have none of their own. */
export class Tuner {
  private readonly batches = new Map<string, Watched>();

  constructor(private readonly deps: TunerDeps) {}

  /**
   * A prompt that began at this concurrency ended: answered in `latencyMs`, or null when it was refused. When a window is full,
   * resolves after the batch was told what follows from it.
   */
  async heard(batchId: string, { version, concurrency }: Setting, latencyMs: number | null): Promise<void> {
    const { now } = this.deps;
    const known = this.batches.get(batchId);
    // Stragglers of an earlier setting say nothing of this one.
    if (known !== undefined && version < known.version) return;
    const batch =
      known?.concurrency === concurrency ? known : this.begin(batchId, concurrency, known?.tuning ?? UNTUNED);
    batch.version = version;
    batch.prompts += 1;
    if (latencyMs === null) batch.refused += 1;
    else batch.answeredMs += latencyMs;
    const age = now() - batch.since;
    const full = batch.prompts >= Math.max(LEAST_PROMPTS, concurrency / 2) && age >= LEAST_MS;
    if ((!full && age < MOST_MS) || now() < batch.proposedUntil) return;
    const { prompts, refused, answeredMs, tuning } = batch;
    const answered = prompts - refused;
    const next = this.begin(batchId, concurrency, tuning);
    next.version = version;
    const meanMs = answered === 0 ? null : answeredMs / answered;
    const window = { prompts, refused, meanMs, inFlight: await this.deps.inFlight(batchId) };
    const result = tuned(tuning, window, concurrency);
    next.tuning = result.tuning;
    if (result.concurrency === concurrency) return;
    next.proposedUntil = now() + PROPOSED_MS;
    await this.deps.propose({ batchId, from: concurrency, to: result.concurrency });
  }

  private begin(batchId: string, concurrency: number, tuning: Tuning): Watched {
    const since = this.deps.now();
    const fresh = { version: 0, concurrency, since, prompts: 0, refused: 0, answeredMs: 0, tuning, proposedUntil: 0 };
    this.batches.delete(batchId);
    this.batches.set(batchId, fresh);
    const oldest = this.batches.keys().next();
    if (this.batches.size > KEPT && oldest.done !== true) this.batches.delete(oldest.value);
    return fresh;
  }
}
