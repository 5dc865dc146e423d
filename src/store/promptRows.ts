import type { PromptRecord } from '../task/outcome.js';
import { nanoToUsd } from '../task/money.js';
import type { Db } from './backend.js';
import { columnsToUsage } from './counterChange.js';
import { decode, decodeNullable } from './jsonText.js';
import type { PromptRow } from './schema.js';
import type { JournalRow } from './types.js';

/** Rows written with one statement: far from both databases' limits of parameters. */
const ROWS_PER_STATEMENT = 100;

/** Everything but the big columns. */
export const LIGHT_PROMPT_COLUMNS = [
  'batch_no',
  'idx',
  'prompt',
  'stage',
  'kind',
  'variation',
  'model',
  'pool',
  'day',
  'state',
  'result',
  'issues',
  'error',
  'worst_nano',
  'cost_nano',
  'cache_savings_nano',
  'latency_ms',
  'input_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'cache_write_1h_tokens',
  'output_tokens',
  'thinking_tokens',
] as const;

/** A journal row without its big columns. */
export type LightPromptRow = Pick<PromptRow, (typeof LIGHT_PROMPT_COLUMNS)[number]>;

/** What activities read: everything but the provider's body. */
export const JOURNAL_COLUMNS = [...LIGHT_PROMPT_COLUMNS, 'metadata', 'kept', 'reply'] as const;

/** A journal row without the provider's body. */
export type JournalColumns = Pick<PromptRow, (typeof JOURNAL_COLUMNS)[number]>;

/** `rows` in slices. */
export function* slices<T>(rows: readonly T[], size = ROWS_PER_STATEMENT): Generator<readonly T[]> {
  for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size);
}

/** Inserts rows, or replaces what a settlement brings. */
export async function putPrompts(trx: Db, rows: readonly PromptRow[]): Promise<void> {
  for (const slice of slices(rows)) {
    await trx
      .insertInto('prompts')
      .values(slice)
      .onConflict((conflict) =>
        conflict.columns(['batch_no', 'idx', 'prompt']).doUpdateSet((eb) => ({
          state: eb.ref('excluded.state'),
          result: eb.ref('excluded.result'),
          issues: eb.ref('excluded.issues'),
          error: eb.ref('excluded.error'),
          cost_nano: eb.ref('excluded.cost_nano'),
          cache_savings_nano: eb.ref('excluded.cache_savings_nano'),
          latency_ms: eb.ref('excluded.latency_ms'),
          input_tokens: eb.ref('excluded.input_tokens'),
          cached_input_tokens: eb.ref('excluded.cached_input_tokens'),
          cache_write_tokens: eb.ref('excluded.cache_write_tokens'),
          cache_write_1h_tokens: eb.ref('excluded.cache_write_1h_tokens'),
          output_tokens: eb.ref('excluded.output_tokens'),
          thinking_tokens: eb.ref('excluded.thinking_tokens'),
          metadata: eb.ref('excluded.metadata'),
          kept: eb.ref('excluded.kept'),
          reply: eb.ref('excluded.reply'),
          raw: eb.ref('excluded.raw'),
        })),
      )
      .execute();
  }
}

/** Takes a row out of the journal: the prompt reached no model. */
export async function deletePrompt(trx: Db, row: LightPromptRow): Promise<void> {
  await trx
    .deleteFrom('prompts')
    .where('batch_no', '=', row.batch_no)
    .where('idx', '=', row.idx)
    .where('prompt', '=', row.prompt)
    .execute();
}

/** A row as activities read it. */
export function toJournalRow(row: JournalColumns): JournalRow {
  return {
    prompt: row.prompt,
    stage: row.stage,
    kind: row.kind,
    variation: decode(row.variation),
    model: row.model,
    state: row.state,
    result: row.result,
    issues: decodeNullable(row.issues) ?? [],
    error: decodeNullable(row.error),
    kept: decodeNullable(row.kept),
    usage: columnsToUsage(row),
    costNano: row.cost_nano,
    worstNano: row.worst_nano,
    latencyMs: row.latency_ms,
    reply: decodeNullable(row.reply),
    metadata: decodeNullable(row.metadata),
  };
}

/** A row as it stands in the outcome. One that nobody ever settled has the result `unknown`. */
export function toPromptRecord(row: LightPromptRow): PromptRecord {
  const issues = decodeNullable(row.issues) ?? [];
  return {
    stage: row.stage,
    kind: row.kind,
    variation: decode(row.variation),
    model: row.model,
    result: row.result ?? 'unknown',
    ...(issues.length > 0 ? { issues } : {}),
    usage: columnsToUsage(row),
    costUsd: row.cost_nano === null ? null : nanoToUsd(row.cost_nano),
    latencyMs: row.latency_ms,
  };
}
