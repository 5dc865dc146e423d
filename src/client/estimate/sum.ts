import type { ModelInfo } from '../../models/types.js';
import type { AnyTask } from '../../task/defineTask.js';
import type { CacheDecision } from '../../task/cachePlan.js';
import type { PoolLimits } from '../../task/spec.js';
import { DEFAULT_CONCURRENCY } from '../../workflows/settings.js';
import { durationOf } from './duration.js';
import type { Expectation } from './expect.js';
import type { Population } from './population.js';
import { project, projectUsage, projectUsd, type SampledRecord, type Whole } from './project.js';
import type { EstimateOptions, ModelEstimate, MoneyRange } from './types.js';

/** What an estimate is added up from. */
export interface Parts {
  /** The task, with the model that is estimated. */
  readonly task: AnyTask;
  /** What is known of the model. */
  readonly info: ModelInfo;
  /** The data. */
  readonly population: Pick<Population, 'items' | 'preset' | 'bytes'>;
  /** What was asked for. */
  readonly options: EstimateOptions;
  /** Quotas its prompts will have. */
  readonly limits: PoolLimits;
  /** What answers and retries are like. */
  readonly expected: Expectation;
  /** The sample. */
  readonly records: readonly SampledRecord[];
  /** What is paid once, however many records there are; nano-dollars. */
  readonly onceNano: number;
  /** How tokens were counted. */
  readonly tokenBasis: string;
  /** Share by which the count may be off. */
  readonly uncertainty: number;
  /** Tokens of the static prefix; null = not told apart. */
  readonly prefixTokens: number | null;
  /** Whether the prefix is cached, and why; null = not known before a run. */
  readonly caching: CacheDecision | null;
  /** The explicit cache, if there would be one. */
  readonly explicitCache: ModelEstimate['explicitCache'];
}

/** Adds an estimate up. Pure. */
export function sumUp(parts: Parts): ModelEstimate {
  const { task, info, population, options, expected, records } = parts;
  const whole: Whole = { records: population.items - population.preset, bytes: population.bytes };
  const usage = projectUsage(records, whole);
  const tokens = project(records, whole, ({ prompts: [first] }) => first?.usage.inputTokens ?? 0);
  const each = (total: number): number => (whole.records === 0 ? 0 : Math.round(total / whole.records));
  const pace = durationOf({
    records: whole.records,
    prompts: whole.records * (1 + expected.extraPrompts),
    usage,
    execution: options.execution ?? 'item',
    concurrency: options.concurrency ?? DEFAULT_CONCURRENCY,
    limits: parts.limits,
    promptSeconds: expected.seconds,
    outputTokens: expected.outputTokens,
  });
  const cost = rangeOf(parts, whole);
  return {
    model: task.spec.model,
    sampled: records.length,
    tokenBasis: parts.tokenBasis,
    prefixTokens: parts.prefixTokens,
    caching: parts.caching,
    explicitCache: parts.explicitCache,
    promptTokens: each(tokens.mean),
    promptTokensMargin: each(tokens.margin),
    answerTokens: Math.round(expected.outputTokens),
    answerBasis: expected.answerBasis,
    promptsPerRecord: 1 + expected.extraPrompts,
    retryBasis: expected.retryBasis,
    usage,
    cost,
    uncachedUsd: projectUsd(info, records, whole, 'uncached')?.mean ?? null,
    batchApiUsd: projectUsd(info, records, whole, 'batchApi')?.mean ?? null,
    seconds: pace.seconds,
    limitedBy: pace.limitedBy,
    budget: budgetOf(options.budgetUsd, cost, whole.records),
    pilot: null,
  };
}

/** The likely cost, and how far sampling error and the doubts about the guesses carry it. */
function rangeOf({ info, records, onceNano, expected, uncertainty }: Parts, whole: Whole): MoneyRange | null {
  const total = projectUsd(info, records, whole, 'cached', onceNano);
  const input = projectUsd(info, records.map(withoutAnswers), whole, 'cached', onceNano);
  if (total === null || input === null) return null;
  const { mean: usd, margin } = total;
  const doubts =
    input.mean * uncertainty +
    (usd - input.mean) * expected.answerOff +
    (usd / (1 + expected.extraPrompts)) * expected.retriesOff;
  return { usd, lowUsd: Math.max(0, usd - margin - doubts), highUsd: usd + margin + doubts };
}

function withoutAnswers(record: SampledRecord): SampledRecord {
  const prompts = record.prompts.map((prompt) => ({ ...prompt, usage: { ...prompt.usage, outputTokens: 0 } }));
  return { ...record, prompts };
}

function budgetOf(usd: number | undefined, cost: MoneyRange | null, records: number): ModelEstimate['budget'] {
  if (usd === undefined || cost === null) return null;
  const fits = usd >= cost.highUsd ? 'yes' : usd >= cost.usd ? 'maybe' : 'no';
  const paid = cost.usd === 0 ? records : Math.floor((usd / cost.usd) * records);
  return { usd, fits, records: Math.min(records, paid) };
}
