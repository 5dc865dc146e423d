import { sql } from 'kysely';
import { ZERO_USAGE } from '../task/usage.js';
import type { Backend } from './backend.js';
import { columnsToUsage } from './counterChange.js';
import type { SpendRow, Store } from './types.js';

/** The part of the store that adds money up over batches. */
export type SpendStore = Pick<Store, 'spendByBatch' | 'spendByModel'>;

/** Usage columns, summed in the database. */
const TOKEN_SUMS = {
  input_tokens: sql<number>`coalesce(sum(prompts.input_tokens), 0)`,
  cached_input_tokens: sql<number>`coalesce(sum(prompts.cached_input_tokens), 0)`,
  cache_write_tokens: sql<number>`coalesce(sum(prompts.cache_write_tokens), 0)`,
  cache_write_1h_tokens: sql<number>`coalesce(sum(prompts.cache_write_1h_tokens), 0)`,
  output_tokens: sql<number>`coalesce(sum(prompts.output_tokens), 0)`,
  thinking_tokens: sql<number>`coalesce(sum(prompts.thinking_tokens), 0)`,
} as const;

/** Money over batches of `backend`. */
export function createSpendStore({ db }: Backend): SpendStore {
  return {
    spendByBatch: (from, to) => byBatch(db, from, to),
    spendByModel: (from, to, batchId) => byModel(db, from, to, batchId),
  };
}

async function byBatch(db: Backend['db'], from: number, to: number): ReturnType<Store['spendByBatch']> {
  const rows = await db
    .selectFrom('batches')
    .innerJoin('counters', 'counters.batch_no', 'batches.no')
    .selectAll('counters')
    .select(['batches.id', 'batches.task_name', 'batches.created_at'])
    .where('batches.created_at', '>=', from)
    .where('batches.created_at', '<', to)
    .orderBy('batches.created_at')
    .execute();
  return rows.map((row): SpendRow => {
    const { id, task_name: service, created_at: at, spent_nano, unknown_nano } = row;
    return {
      batchId: id,
      service,
      at,
      model: null,
      prompts: row.prompts,
      unknownPrompts: row.unknown_prompts,
      unpricedPrompts: row.unpriced_prompts,
      usage: columnsToUsage(row) ?? ZERO_USAGE,
      knownNano: spent_nano - unknown_nano,
      unknownNano: unknown_nano,
      savingsNano: row.cache_savings_nano,
    };
  });
}

async function byModel(
  db: Backend['db'],
  from: number,
  to: number,
  batchId: string | undefined,
): ReturnType<Store['spendByModel']> {
  const rows = await db
    .selectFrom('prompts')
    .innerJoin('batches', 'batches.no', 'prompts.batch_no')
    .select(['batches.id', 'batches.task_name', 'batches.created_at', 'prompts.model'])
    .select((eb) => eb.fn.countAll<number>().as('prompts'))
    .select(sql<number>`sum(case when cost_nano is null and input_tokens is null then 1 else 0 end)`.as('unknown'))
    .select(
      sql<number>`sum(case when cost_nano is null and (input_tokens is not null or worst_nano is null) then 1 else 0 end)`.as(
        'unpriced',
      ),
    )
    .select(sql<number>`coalesce(sum(prompts.cost_nano), 0)`.as('known_nano'))
    .select(
      sql<number>`coalesce(sum(case when prompts.cost_nano is null then prompts.worst_nano end), 0)`.as('unknown_nano'),
    )
    .select(sql<number>`coalesce(sum(prompts.cache_savings_nano), 0)`.as('savings_nano'))
    .select([
      TOKEN_SUMS.input_tokens.as('input_tokens'),
      TOKEN_SUMS.cached_input_tokens.as('cached_input_tokens'),
      TOKEN_SUMS.cache_write_tokens.as('cache_write_tokens'),
      TOKEN_SUMS.cache_write_1h_tokens.as('cache_write_1h_tokens'),
      TOKEN_SUMS.output_tokens.as('output_tokens'),
      TOKEN_SUMS.thinking_tokens.as('thinking_tokens'),
    ])
    .where('batches.created_at', '>=', from)
    .where('batches.created_at', '<', to)
    .where('prompts.state', '!=', 'sent')
    .$if(batchId !== undefined, (query) => query.where('batches.id', '=', batchId ?? ''))
    .groupBy(['batches.id', 'batches.task_name', 'batches.created_at', 'prompts.model'])
    .orderBy('batches.created_at')
    .execute();
  return rows.map((row): SpendRow => ({
    batchId: row.id,
    service: row.task_name,
    at: row.created_at,
    model: row.model,
    prompts: row.prompts,
    unknownPrompts: row.unknown,
    unpricedPrompts: row.unpriced,
    usage: columnsToUsage(row) ?? ZERO_USAGE,
    knownNano: row.known_nano,
    unknownNano: row.unknown_nano,
    savingsNano: row.savings_nano,
  }));
}
