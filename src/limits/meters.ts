import type { PromptVerdict } from '../task/outcome.js';
import type { Usage } from '../task/usage.js';
import type { Limiter } from './types.js';

/** What a worker tells whoever watches it. */
export interface Meters {
  /** A prompt was spent, or reached no model (`result` is then why). */
  prompt(prompt: MeteredPrompt): void;
  /** A prompt had to wait at the gate. */
  waited(pool: string, limiter: Limiter): void;
  /** Requests a minute that a pool may have now; null = not limited. */
  rate(pool: string, rpm: number | null): void;
  /** An endpoint's circuit: 0 closed, 1 half-open, 2 open. */
  circuit(endpoint: string, state: 0 | 1 | 2): void;
}

/** A prompt as meters see it. */
export interface MeteredPrompt {
  /** `provider/model`. */
  readonly model: string;
  /** How it ended. */
  readonly result: PromptVerdict;
  /** Tokens; null = unknown. */
  readonly usage: Usage | null;
  /** Nano-dollars; null = unknown. */
  readonly costNano: number | null;
  /** From sending to the whole answer. */
  readonly latencyMs: number;
}
