import { sql } from 'kysely';
import type { OutcomeStatus, PromptVerdict } from '../task/outcome.js';
import type { Usage } from '../task/usage.js';
import type { Db } from './backend.js';
import { RowsInsert, RowsStatement } from './rowsStatement.js';
import type { CountersTable, PromptRow, StageCountsTable, UsageColumns } from './schema.js';

/** A column of the counters that is a sum over rows. */
export type CounterColumn = Exclude<keyof CountersTable, 'batch_no'>;

type StageSums = Omit<StageCountsTable, 'batch_no' | 'stage'>;

type EndedPrompt = { readonly state: 'settled' | 'unknown' } & Pick<
  PromptRow,
  'stage' | 'result' | 'worst_nano' | 'cost_nano' | 'cache_savings_nano' | keyof UsageColumns<number>
>;

/** What of a journal row the counters depend on. */
export type CountedPrompt = { readonly state: 'sent'; readonly worst_nano: number | null } | EndedPrompt;

/** Columns as usage; null when nobody told. */
export function columnsToUsage(columns: UsageColumns<number | null>): Usage | null {
  if (columns.input_tokens === null) return null;
  return {
    inputTokens: columns.input_tokens,
    cachedInputTokens: columns.cached_input_tokens ?? 0,
    cacheWriteTokens: columns.cache_write_tokens ?? 0,
    cacheWrite1hTokens: columns.cache_write_1h_tokens ?? 0,
    outputTokens: columns.output_tokens ?? 0,
    thinkingTokens: columns.thinking_tokens ?? 0,
  };
}

/** The counter an outcome is counted in. */
function statusColumn(status: OutcomeStatus): 'succeeded' | 'partial' | 'failed' | 'not_run' {
  return status === 'notRun' ? 'not_run' : status;
}

/** The funnel's column for a prompt's verdict. */
function verdictColumn(verdict: PromptVerdict | null): keyof StageSums {
  return verdict === 'valid' || verdict === 'invalid' ? verdict : 'error';
}

function zeroSums(): Record<CounterColumn, number> {
  return {
    items: 0,
    succeeded: 0,
    partial: 0,
    failed: 0,
    not_run: 0,
    prompts: 0,
    input_tokens: 0,
    cached_input_tokens: 0,
    cache_write_tokens: 0,
    cache_write_1h_tokens: 0,
    output_tokens: 0,
    thinking_tokens: 0,
    in_flight: 0,
    unknown_prompts: 0,
    unpriced_prompts: 0,
    spent_nano: 0,
    unknown_nano: 0,
    reserved_nano: 0,
    cache_savings_nano: 0,
    outcome_seq: 0,
  };
}

const NONE = zeroSums();

const COUNTERS = Object.keys(NONE).filter((name): name is CounterColumn => name in NONE);

const addToCounters = new RowsStatement((db) =>
  sql`update counters set ${sql.join(
    COUNTERS.map((column) => sql`${sql.ref(column)} = ${sql.ref(column)} + ${0}`),
  )} where batch_no = ${0}`.compile(db),
);

const addToStages = new RowsInsert<StageCountsTable>(
  'stage_counts',
  ['batch_no', 'stage', 'valid', 'invalid', 'error'],
  sql`on conflict (batch_no, stage) do update set valid = stage_counts.valid + excluded.valid,
    invalid = stage_counts.invalid + excluded.invalid, error = stage_counts.error + excluded.error`,
);

/**
 * What a transaction changes in one batch's counters. Counters are always the sum of what the rows contribute, so a
 * changed row is taken out as it was and put in as it is.
 */
export class CounterChange {
  /** Added to each column. */
  readonly sums = zeroSums();
  private readonly stages = new Map<number, Record<keyof StageSums, number>>();

  /** Counts a journal row in (`sign` 1) or out (-1). */
  countPrompt(row: CountedPrompt, sign: 1 | -1): void {
    const { sums } = this;
    if (row.state === 'sent') {
      sums.in_flight += sign;
      sums.reserved_nano += sign * (row.worst_nano ?? 0);
      return;
    }
    sums.prompts += sign;
    sums.spent_nano += sign * (row.cost_nano ?? row.worst_nano ?? 0);
    sums.cache_savings_nano += sign * row.cache_savings_nano;
    if (row.cost_nano === null) this.countUnknownCost(row, sign);
    sums.input_tokens += sign * (row.input_tokens ?? 0);
    sums.cached_input_tokens += sign * (row.cached_input_tokens ?? 0);
    sums.cache_write_tokens += sign * (row.cache_write_tokens ?? 0);
    sums.cache_write_1h_tokens += sign * (row.cache_write_1h_tokens ?? 0);
    sums.output_tokens += sign * (row.output_tokens ?? 0);
    sums.thinking_tokens += sign * (row.thinking_tokens ?? 0);
    this.countStage(row.stage, verdictColumn(row.result), sign);
  }

  private countUnknownCost(row: EndedPrompt, sign: 1 | -1): void {
    const { sums } = this;
    sums.unknown_nano += sign * (row.worst_nano ?? 0);
    if (row.input_tokens === null) sums.unknown_prompts += sign;
    if (row.input_tokens !== null || row.worst_nano === null) sums.unpriced_prompts += sign;
  }

  /** Counts prompts of a rung. */
  countStage(stage: number, verdict: keyof StageSums, count: number): void {
    const counts = this.stages.get(stage) ?? { valid: 0, invalid: 0, error: 0 };
    counts[verdict] += count;
    this.stages.set(stage, counts);
  }

  /** Counts outcomes in or out. */
  countOutcomes(status: OutcomeStatus, count: number): void {
    this.sums[statusColumn(status)] += count;
  }

  /** Writes the change. The caller holds the batch's lock. */
  async write(trx: Db, batchNo: number): Promise<void> {
    const { sums } = this;
    await addToCounters.execute(trx, 1, [...COUNTERS.map((column) => sums[column]), batchNo]);
    await addToStages.execute(
      trx,
      [...this.stages].map(([stage, counts]) => ({ batch_no: batchNo, stage, ...counts })),
    );
  }
}
