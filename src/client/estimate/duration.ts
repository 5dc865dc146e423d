import type { PoolLimits } from '../../task/spec.js';
import type { Usage } from '../../task/usage.js';

/** How records run. */
export type Execution = 'item' | 'inline';

/**
 * Records a second that one embedded server and one worker carry at a model that answers at once, measured on two
 * cores (`npm run bench:peers`): each record a workflow, or pages of first prompts.
 */
const RECORDS_PER_SECOND: Readonly<Record<Execution, number>> = { item: 55, inline: 400 };

/** Seconds a hosted model takes to begin, and tokens it writes a second: assumed while nothing was measured. */
const FIRST_TOKEN_SECONDS = 0.8;
const TOKENS_PER_SECOND = 80;

/** What sets the pace of a run. */
export type PaceLimit =
  | 'concurrency'
  | 'requests per minute'
  | 'tokens per minute'
  | 'input tokens per minute'
  | 'output tokens per minute'
  | 'requests in flight'
  | 'workflows'
  | 'worker';

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
  /** Tokens in all. */
  readonly usage: Pick<Usage, 'inputTokens' | 'cachedInputTokens' | 'outputTokens'>;
  /** How records run: only the first prompts of `inline` need no workflow. */
  readonly execution: Execution;
  /** Prompts in flight. */
  readonly concurrency: number;
  /** Quotas of the account and the task. */
  readonly limits: PoolLimits;
  /** Seconds a prompt took before; null = never seen. */
  readonly promptSeconds: number | null;
  /** Generated tokens of a prompt. */
  readonly outputTokens: number;
}

/** The expected duration under quotas and concurrency. */
export function durationOf(load: Load): Duration {
  const { records, prompts, usage, concurrency, limits, execution } = load;
  const promptSeconds = load.promptSeconds ?? FIRST_TOKEN_SECONDS + load.outputTokens / TOKENS_PER_SECOND;
  const working = prompts * promptSeconds;
  const perMinute = (amount: number, limit: number | undefined): number =>
    limit === undefined ? 0 : (amount / limit) * 60;
  const workflows = execution === 'item' ? records : prompts - records;
  const paces: readonly (readonly [PaceLimit, number])[] = [
    ['concurrency', working / concurrency],
    ['requests in flight', limits.inFlight === undefined ? 0 : working / limits.inFlight],
    ['requests per minute', perMinute(prompts, limits.rpm)],
    ['tokens per minute', perMinute(usage.inputTokens + usage.outputTokens, limits.tpm)],
    // Where input is counted apart, what is read from a cache is left out (Anthropic).
    ['input tokens per minute', perMinute(usage.inputTokens - usage.cachedInputTokens, limits.inputTpm)],
    ['output tokens per minute', perMinute(usage.outputTokens, limits.outputTpm)],
    ['workflows', workflows / RECORDS_PER_SECOND.item],
    ['worker', prompts / RECORDS_PER_SECOND.inline],
  ];
  const [limitedBy, slowest] = paces.reduce((most, pace) => (pace[1] > most[1] ? pace : most));
  // The probe goes first, and the last prompt takes as long as any.
  return { seconds: records === 0 ? 0 : slowest + promptSeconds, limitedBy, promptSeconds };
}
