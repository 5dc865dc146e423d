import { sql } from 'kysely';
import type { OutcomeStatus, PromptVerdict } from '../task/outcome.js';
import type { Usage } from '../task/usage.js';
import type { Db } from './backend.js';
import type { CountersTable, PromptRow, StageCountsTable, UsageColumns } from './schema.js';

/** A column of the counters that is a sum over rows. */
export type CounterColumn = Exclude<keyof CountersTable, 'batch_no'>;

type StageSums = Omit<StageCountsTable, 'batch_no' | 'stage'>;

/** What of a journal row the counters depend on. */
export type CountedPrompt = Pick<
  PromptRow,
  'state' | 'stage' | 'result' | 'worst_nano' | 'cost_nano' | 'cache_savings_nano' | keyof UsageColumns<number>
>;

/** Known usage as columns; all null when nobody told. */
export function usageToColumns(usage: Usage | null): UsageColumns<number | null> {
  return {
    input_tokens: usage?.inputTokens ?? null,
    cached_input_tokens: usage?.cachedInputTokens ?? null,
    cache_write_tokens: usage?.cacheWriteTokens ?? null,
    cache_write_1h_tokens: usage?.cacheWrite1hTokens ?? null,
    output_tokens: usage?.outputTokens ?? null,
    thinking_tokens: usage?.thinkingTokens ?? null,
  };
}

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

  private countUnknownCost(row: CountedPrompt, sign: 1 | -1): void {
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
    await trx
      .updateTable('counters')
      .set((eb) => ({
        items: eb('items', '+', sums.items),
        succeeded: eb('succeeded', '+', sums.succeeded),
        partial: eb('partial', '+', sums.partial),
        failed: eb('failed', '+', sums.failed),
        not_run: eb('not_run', '+', sums.not_run),
        prompts: eb('prompts', '+', sums.prompts),
        input_tokens: eb('input_tokens', '+', sums.input_tokens),
        cached_input_tokens: eb('cached_input_tokens', '+', sums.cached_input_tokens),
        cache_write_tokens: eb('cache_write_tokens', '+', sums.cache_write_tokens),
        cache_write_1h_tokens: eb('cache_write_1h_tokens', '+', sums.cache_write_1h_tokens),
        output_tokens: eb('output_tokens', '+', sums.output_tokens),
        thinking_tokens: eb('thinking_tokens', '+', sums.thinking_tokens),
        in_flight: eb('in_flight', '+', sums.in_flight),
        unknown_prompts: eb('unknown_prompts', '+', sums.unknown_prompts),
        unpriced_prompts: eb('unpriced_prompts', '+', sums.unpriced_prompts),
        spent_nano: eb('spent_nano', '+', sums.spent_nano),
        unknown_nano: eb('unknown_nano', '+', sums.unknown_nano),
        reserved_nano: eb('reserved_nano', '+', sums.reserved_nano),
        cache_savings_nano: eb('cache_savings_nano', '+', sums.cache_savings_nano),
        outcome_seq: eb('outcome_seq', '+', sums.outcome_seq),
      }))
      .where('batch_no', '=', batchNo)
      .execute();
    const rows = [...this.stages].map(([stage, counts]) => ({ batch_no: batchNo, stage, ...counts }));
    if (rows.length === 0) return;
    await trx
      .insertInto('stage_counts')
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(['batch_no', 'stage']).doUpdateSet({
          valid: sql`stage_counts.valid + excluded.valid`,
          invalid: sql`stage_counts.invalid + excluded.invalid`,
          error: sql`stage_counts.error + excluded.error`,
        }),
      )
      .execute();
  }
}
