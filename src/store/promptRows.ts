import { sql } from 'kysely';
import type { ItemError } from '../task/errors.js';
import type { PromptRecord, PromptVerdict } from '../task/outcome.js';
import { nanoToUsd } from '../task/money.js';
import type { Db } from './backend.js';
import { columnsToUsage } from './counterChange.js';
import { decode, decodeNullable, encodeNullable } from './jsonText.js';
import { RowsInsert, RowsSelect } from './rowsStatement.js';
import type { PromptRow } from './schema.js';
import type { JournalRow } from './types.js';

/** What of a row says who was asked and why; but for its state it never changes. */
const SENT_COLUMNS = [
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
  'worst_nano',
] as const;

/** What a settlement brings that an outcome tells. */
const TOLD_COLUMNS = [
  'result',
  'issues',
  'cost_nano',
  'latency_ms',
  'input_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'cache_write_1h_tokens',
  'output_tokens',
  'thinking_tokens',
] as const;

/** What a settlement brings, but for the big columns. */
const LIGHT_SETTLED_COLUMNS = [...TOLD_COLUMNS, 'error', 'cache_savings_nano'] as const;

/** The big columns that activities read. */
const BIG_COLUMNS = ['metadata', 'kept', 'reply'] as const;

const SETTLED_COLUMNS = [...LIGHT_SETTLED_COLUMNS, ...BIG_COLUMNS, 'raw'] as const;

/** What an outcome tells of a prompt, and whose it is: no more, for a million may be read. */
export const RECORDED_COLUMNS = ['idx', 'stage', 'kind', 'variation', 'model', ...TOLD_COLUMNS] as const;

/** A journal row as far as an outcome tells of it. */
export type RecordedPromptRow = Pick<PromptRow, (typeof RECORDED_COLUMNS)[number]>;

/** What activities read: everything but the provider's body. */
export const JOURNAL_COLUMNS = [...SENT_COLUMNS, ...LIGHT_SETTLED_COLUMNS, ...BIG_COLUMNS] as const;

/** A journal row without the provider's body. */
export type JournalColumns = Pick<PromptRow, (typeof JOURNAL_COLUMNS)[number]>;

/** A prompt that is under way: nothing else is known of it. */
export type SentRow = KnownRow & { readonly state: 'sent' };

/** Whether a row's prompt is under way. */
export function isSent(row: KnownRow): row is SentRow {
  return row.state === 'sent';
}

/** A prompt that came to its end, known or not. */
export type EndedRow = PromptRow & { readonly state: 'settled' | 'unknown' };

const insertSent = new RowsInsert<SentRow>('prompts', SENT_COLUMNS);

const settle = new RowsInsert<EndedRow>(
  'prompts',
  [...SENT_COLUMNS, ...SETTLED_COLUMNS],
  sql`on conflict (batch_no, idx, prompt) do update set ${sql.join(
    ['state', ...SETTLED_COLUMNS].map((column) => sql`${sql.ref(column)} = ${sql.ref(`excluded.${column}`)}`),
  )}`,
);

/** Inserts new rows, and writes how others ended. */
export async function putPrompts(trx: Db, rows: readonly (SentRow | EndedRow)[]): Promise<void> {
  await insertSent.execute(
    trx,
    rows.filter((row) => row.state === 'sent'),
  );
  await settle.execute(
    trx,
    rows.filter((row) => row.state !== 'sent'),
  );
}

/** What whoever writes a row must know of how it stands. */
export type KnownRow = Pick<PromptRow, (typeof SENT_COLUMNS)[number] | 'result'>;

/** The rows of items, as far as they must be known. */
export const knownRows = new RowsSelect<KnownRow>('prompts', [...SENT_COLUMNS, 'result']);

/** A prompt whose end nobody knows: its worst case counts as spent. */
export function unknownRow(
  row: Omit<KnownRow, 'result'>,
  result: PromptVerdict | null,
  error: ItemError | null,
): EndedRow {
  return {
    ...row,
    state: 'unknown',
    result,
    issues: null,
    error: encodeNullable(error),
    cost_nano: null,
    cache_savings_nano: 0,
    latency_ms: null,
    input_tokens: null,
    cached_input_tokens: null,
    cache_write_tokens: null,
    cache_write_1h_tokens: null,
    output_tokens: null,
    thinking_tokens: null,
    metadata: null,
    kept: null,
    reply: null,
    raw: null,
  };
}

/** Takes a row out of the journal: the prompt reached no model. */
export async function deletePrompt(trx: Db, row: Pick<PromptRow, 'batch_no' | 'idx' | 'prompt'>): Promise<void> {
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
export function toPromptRecord(row: RecordedPromptRow): PromptRecord {
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
