import type { CacheDecision } from '../../task/cachePlan.js';
import type { Usage } from '../../task/usage.js';
import type { SkippedRecord } from '../load.js';
import type { PaceLimit } from './duration.js';

/** How an estimate is made. */
export interface EstimateOptions {
  /** Models to compare, `provider/model`. Default: the task's own. */
  readonly models?: readonly string[] | undefined;
  /**
   * Really run this many records, drawn at random, as a batch of their own, and project from what they cost. Costs
   * money. The whole run can take their answers over with `reuse`. Default: nothing is run.
   */
  readonly sample?: number | undefined;
  /** Money limit to compare with, and to keep while sampling; USD. */
  readonly budgetUsd?: number | undefined;
  /** Prompts in flight the run would have. Default 50. */
  readonly concurrency?: number | undefined;
  /** How records would run. Default `item`. */
  readonly execution?: 'item' | 'inline' | undefined;
  /** Only the first records. */
  readonly limit?: number | undefined;
  /** Field that holds each record's id. Default `id`. */
  readonly idField?: string | undefined;
  /** A record that can't be used ends the estimate (`fail`, default) or is left out (`skip`). */
  readonly onBadInput?: 'fail' | 'skip' | undefined;
  /**
   * Let Anthropic or Gemini count a few dozen prompts, where a key is set: free of charge, but the prompts are sent
   * there. Default true; false keeps everything on this machine.
   */
  readonly askProvider?: boolean | undefined;
}

/** A sum of money with the range it is thought to lie in; USD. */
export interface MoneyRange {
  /** The most likely. */
  readonly usd: number;
  /** Its lower end: sampling error and doubts about token counts, answers and retries together. */
  readonly lowUsd: number;
  /** Its upper end. */
  readonly highUsd: number;
}

/** What a run with one model is expected to come to. Money is null where a price is not known. */
export interface ModelEstimate {
  /** `provider/model`. */
  readonly model: string;
  /** Records the figures are projected from. */
  readonly sampled: number;
  /** How tokens were counted, for people. */
  readonly tokenBasis: string;
  /** Tokens of the part that is the same for every record: instructions and schema. Null: not told apart. */
  readonly prefixTokens: number | null;
  /** Whether that part is cached, and why; null: not known before a run. */
  readonly caching: CacheDecision | null;
  /** The cache a run would make on purpose beside it (Gemini); null: none, or not known before a run. */
  readonly explicitCache: ExplicitCacheEstimate | null;
  /** Tokens of a whole first prompt, on average. */
  readonly promptTokens: number;
  /** Half the width of its 95 % confidence interval. */
  readonly promptTokensMargin: number;
  /** Generated tokens of a first prompt. */
  readonly answerTokens: number;
  /** Where that comes from. */
  readonly answerBasis: string;
  /** Prompts a record is expected to need, retries included. */
  readonly promptsPerRecord: number;
  /** Where that comes from. */
  readonly retryBasis: string;
  /** Tokens of the whole run. */
  readonly usage: Usage;
  /** The run as it is configured, caching and retries included. */
  readonly cost: MoneyRange | null;
  /** The same without prompt caching. */
  readonly uncachedUsd: number | null;
  /** First prompts at the price of the provider's Batch API, retries at the usual one. Null too where it has none. */
  readonly batchApiUsd: number | null;
  /** Expected time from start to last outcome; seconds. */
  readonly seconds: number;
  /** What sets the pace. */
  readonly limitedBy: PaceLimit;
  /** How the budget compares; null without one, or without a price. */
  readonly budget: BudgetCheck | null;
  /** The batch that was run for it; null = nothing was. */
  readonly pilot: PilotRun | null;
}

/** A cache that a run would make on purpose. What it costs is billed apart from prompts, and is in no other figure. */
export interface ExplicitCacheEstimate {
  /** Whether it would be made; false: it would pay, but what it costs is in no budget, and nobody asked for it. */
  readonly made: boolean;
  /** Its tokens. */
  readonly tokens: number;
  /** What making it costs; USD; null = price not known. Nothing where a fitting one is found. */
  readonly makeUsd: number | null;
  /** What keeping it costs an hour; USD; null = price not known. */
  readonly storageUsdPerHour: number | null;
}

/** A budget beside an estimate. */
export interface BudgetCheck {
  /** The budget. */
  readonly usd: number;
  /** `yes`: the upper end of the range fits; `maybe`: only the likely cost does; `no`: it does not. */
  readonly fits: 'yes' | 'maybe' | 'no';
  /** Records it is likely to pay for. */
  readonly records: number;
}

/** Records that were really run. */
export interface PilotRun {
  /** Their batch. */
  readonly batchId: string;
  /** How many. */
  readonly records: number;
  /** What they cost; null when a price is not known. */
  readonly costUsd: number | null;
}

/** What a run of a task over a data set is expected to come to. */
export interface Estimate {
  /** The task. */
  readonly task: string;
  /** The data. */
  readonly source: string;
  /** Records that would be loaded. */
  readonly items: number;
  /** Of these, settled without a prompt. */
  readonly preset: number;
  /** Bad records that would be left out. */
  readonly skipped: readonly SkippedRecord[];
  /** One for each model, in the order they were asked for. */
  readonly estimates: readonly ModelEstimate[];
}
