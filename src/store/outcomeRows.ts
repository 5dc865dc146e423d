import type { ItemError } from '../task/errors.js';
import type { Json } from '../task/json.js';
import { nanoToUsd } from '../task/money.js';
import type { Outcome } from '../task/outcome.js';
import { addUsage, ZERO_USAGE } from '../task/usage.js';
import { columnsToUsage } from './counterChange.js';
import { decode, encode, encodeNullable, type JsonText } from './jsonText.js';
import { toPromptRecord, type RecordedPromptRow } from './promptRows.js';
import { RowsInsert, RowsSelect } from './rowsStatement.js';
import type { OutcomeRow } from './schema.js';
import type { NewOutcome } from './types.js';

/** An outcome row ready to be written. */
export type NewOutcomeRow = OutcomeRow;

/** An outcome row with its record's id, and input when asked for. */
export type JoinedOutcome = OutcomeRow & { readonly id: string; readonly input?: JsonText<Json> };

/** PostgreSQL's text can't hold U+0000, which a provider's message may contain. */
function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

/** An error in columns. */
export function errorColumns(
  error: ItemError | null,
): Pick<OutcomeRow, 'error_category' | 'error_code' | 'error_message' | 'error_retryable'> {
  return {
    error_category: error?.category ?? null,
    error_code: error?.code === undefined ? null : storable(error.code),
    error_message: error === null ? null : storable(error.message),
    error_retryable: error === null ? null : Number(error.retryable),
  };
}

/** A new outcome as a row. */
export function outcomeRow(outcome: NewOutcome, batchNo: number, seq: number): NewOutcomeRow {
  const error = errorColumns(outcome.error);
  return {
    batch_no: batchNo,
    idx: outcome.index,
    seq,
    status: outcome.status,
    error_category: error.error_category,
    error_code: error.error_code,
    error_message: error.error_message,
    error_retryable: error.error_retryable,
    workflow_id: outcome.workflowId,
    run_id: outcome.runId,
    metadata: encodeNullable(outcome.metadata),
    output: encode(outcome.output),
  };
}

/** All columns. */
export const OUTCOME_COLUMNS = [
  'batch_no',
  'idx',
  'seq',
  'status',
  'error_category',
  'error_code',
  'error_message',
  'error_retryable',
  'workflow_id',
  'run_id',
  'metadata',
  'output',
] as const;

/** Inserts outcomes that don't exist yet. */
export const newOutcomes = new RowsInsert<NewOutcomeRow>('outcomes', OUTCOME_COLUMNS);

/** The items among some that have their outcome. */
export const endedItems = new RowsSelect<Pick<OutcomeRow, 'idx'>>('outcomes', ['idx']);

function toError(row: OutcomeRow): ItemError | undefined {
  if (row.error_category === null) return undefined;
  return {
    category: row.error_category,
    ...(row.error_code === null ? {} : { code: row.error_code }),
    message: row.error_message ?? '',
    retryable: row.error_retryable === 1,
  };
}

/** The outcome as users see it, from its row and the item's journal in order. */
export function toOutcome(row: JoinedOutcome, prompts: readonly RecordedPromptRow[]): Outcome {
  const error = toError(row);
  const priced = prompts.map((prompt) => prompt.cost_nano);
  const nano = priced.reduce((sum, cost) => (sum === null || cost === null ? null : sum + cost), 0);
  return {
    index: row.idx,
    id: row.id,
    status: row.status,
    output: decode(row.output),
    ...(error === undefined ? {} : { error }),
    prompts: prompts.map(toPromptRecord),
    usage: prompts.reduce((sum, prompt) => addUsage(sum, columnsToUsage(prompt) ?? ZERO_USAGE), ZERO_USAGE),
    costUsd: nano === null ? null : nanoToUsd(nano),
    workflowId: row.workflow_id,
    runId: row.run_id,
    ...(row.metadata === null ? {} : { metadata: decode(row.metadata) }),
    ...(row.input === undefined ? {} : { input: decode(row.input) }),
  };
}
