import type { PoolLimits } from '../../task/spec.js';

/** Records a second that one embedded server and one worker carry, each record a workflow: measured on two cores. */
const RECORDS_PER_SECOND = 55;

/** Seconds a hosted model takes to begin, and tokens it writes a second: assumed while nothing was measured. */
const FIRST_TOKEN_SECONDS = 0.8;
const TOKENS_PER_SECOND = 80;

/** What sets the pace of a run. */
export type PaceLimit =
  'concurrency' | 'requests per minute' | 'tokens per minute' | 'requests in flight' | 'workflows';

/** How long a run is expected to take. */
export interface Duration {
  /** From start to the last outcome. */
  readonly seconds: number;
  /** What sets the pace. */
  readonly limitedBy: PaceLimit;
  /** Seconds a prompt takes. */
  readonly promptSeconds: number;
}

/** What a duration is reckoned from. */
export interface Load {
  /** Records that need a prompt. */
  readonly records: number;
  /** Prompts in all. */
  readonly prompts: number;
  /** Tokens in all, input and output. */
  readonly tokens: number;
  /** Prompts in flight. */
  readonly concurrency: number;
  /** Quotas of the account. */
  readonly limits: PoolLimits;
  /** Seconds a prompt took before; null = never seen. */
  readonly promptSeconds: number | null;
  /** Generated tokens of a prompt. */
  readonly outputTokens: number;
}

/** The expected duration under quotas and concurrency. */
export function durationOf(load: Load): Duration {
  const { records, prompts, tokens, concurrency, limits } = load;
  const promptSeconds = load.promptSeconds ?? FIRST_TOKEN_SECONDS + load.outputTokens / TOKENS_PER_SECOND;
  const working = prompts * promptSeconds;
  const paces: readonly (readonly [PaceLimit, number])[] = [
    ['concurrency', working / concurrency],
    ['requests in flight', limits.inFlight === undefined ? 0 : working / limits.inFlight],
    ['requests per minute', limits.rpm === undefined ? 0 : (prompts / limits.rpm) * 60],
    ['tokens per minute', limits.tpm === undefined ? 0 : (tokens / limits.tpm) * 60],
    ['workflows', records / RECORDS_PER_SECOND],
  ];
  const [limitedBy, slowest] = paces.reduce((most, pace) => (pace[1] > most[1] ? pace : most));
  // The probe goes first, and the last prompt takes as long as any.
  return { seconds: records === 0 ? 0 : slowest + promptSeconds, limitedBy, promptSeconds };
}
