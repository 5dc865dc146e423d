import { sql, type ColumnDefinitionBuilder, type Kysely, type Migration } from 'kysely';

/** How the backends differ when tables are made. */
export interface MigrationTraits {
  /** Makes a column a primary key numbered by the database. */
  readonly serial: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
  /** Type of such a column. */
  readonly serialType: 'integer' | 'bigint';
}

const USAGE_COLUMNS = [
  'input_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'cache_write_1h_tokens',
  'output_tokens',
  'thinking_tokens',
];

const COUNTER_COLUMNS = [
  'items',
  'succeeded',
  'partial',
  'failed',
  'not_run',
  'prompts',
  ...USAGE_COLUMNS,
  'in_flight',
  'unknown_prompts',
  'unpriced_prompts',
  'spent_nano',
  'unknown_nano',
  'reserved_nano',
  'cache_savings_nano',
  'outcome_seq',
];

/** A not-null column. */
function required(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder {
  return column.notNull();
}

/** A not-null column that starts at 0. */
function counter(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder {
  return column.notNull().defaultTo(0);
}

async function createBatchTables(db: Kysely<unknown>, traits: MigrationTraits): Promise<void> {
  await db.schema
    .createTable('tasks')
    .addColumn('hash', 'text', (column) => column.primaryKey().notNull())
    .addColumn('spec', 'text', required)
    .execute();
  await db.schema
    .createTable('batches')
    .addColumn('no', traits.serialType, traits.serial)
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('task_hash', 'text', required)
    .addColumn('task_name', 'text', required)
    .addColumn('data_hash', 'text', required)
    .addColumn('source', 'text', required)
    .addColumn('status', 'text', required)
    .addColumn('status_reason', 'text')
    .addColumn('options', 'text', required)
    .addColumn('prepared', 'text')
    .addColumn('created_at', 'bigint', required)
    .addColumn('started_at', 'bigint')
    .addColumn('finished_at', 'bigint')
    .addColumn('loader', 'text', required)
    .addColumn('touched_at', 'bigint', required)
    .execute();
  const counters = db.schema
    .createTable('counters')
    .addColumn('batch_no', 'bigint', (column) => column.primaryKey().notNull());
  await COUNTER_COLUMNS.reduce((table, name) => table.addColumn(name, 'bigint', counter), counters).execute();
  await db.schema
    .createTable('stage_counts')
    .addColumn('batch_no', 'bigint', required)
    .addColumn('stage', 'integer', required)
    .addColumn('valid', 'bigint', counter)
    .addColumn('invalid', 'bigint', counter)
    .addColumn('error', 'bigint', counter)
    .addPrimaryKeyConstraint('stage_counts_key', ['batch_no', 'stage'])
    .execute();
  await db.schema
    .createTable('added_keys')
    .addColumn('batch_no', 'bigint', required)
    .addColumn('client_key', 'text', required)
    .addColumn('from_idx', 'integer', required)
    .addColumn('to_idx', 'integer', required)
    .addPrimaryKeyConstraint('added_keys_key', ['batch_no', 'client_key'])
    .execute();
  await db.schema
    .createTable('control')
    .addColumn('batch_no', 'bigint', (column) => column.primaryKey().notNull())
    .addColumn('version', 'bigint', required)
    .addColumn('body', 'text', required)
    .addColumn('halt', 'text')
    .addColumn('halt_version', 'bigint')
    .execute();
}

async function createRecordTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('records')
    .addColumn('batch_no', 'bigint', required)
    .addColumn('idx', 'integer', required)
    .addColumn('id', 'text', required)
    .addColumn('line', 'bigint')
    .addColumn('record_hash', 'text', required)
    .addColumn('input', 'text', required)
    .addColumn('rendered', 'text')
    .addPrimaryKeyConstraint('records_key', ['batch_no', 'idx'])
    .addUniqueConstraint('records_id', ['batch_no', 'id'])
    .execute();
  await db.schema
    .createTable('outcomes')
    .addColumn('batch_no', 'bigint', required)
    .addColumn('idx', 'integer', required)
    .addColumn('seq', 'bigint', required)
    .addColumn('status', 'text', required)
    .addColumn('error_category', 'text')
    .addColumn('error_code', 'text')
    .addColumn('error_message', 'text')
    .addColumn('error_retryable', 'integer')
    .addColumn('workflow_id', 'text')
    .addColumn('run_id', 'text')
    .addColumn('metadata', 'text')
    .addColumn('output', 'text', required)
    .addPrimaryKeyConstraint('outcomes_key', ['batch_no', 'idx'])
    .execute();
  await db.schema.createIndex('outcomes_seq').on('outcomes').columns(['batch_no', 'seq']).execute();
  // Partial: a batch without failures pays nothing for it.
  await db.schema
    .createIndex('outcomes_error')
    .on('outcomes')
    .columns(['batch_no', 'error_category', 'error_code', 'idx'])
    .where(sql.ref('error_category'), 'is not', null)
    .execute();
}

async function createPromptTable(db: Kysely<unknown>): Promise<void> {
  const head = db.schema
    .createTable('prompts')
    .addColumn('batch_no', 'bigint', required)
    .addColumn('idx', 'integer', required)
    .addColumn('prompt', 'integer', required)
    .addColumn('stage', 'integer', required)
    .addColumn('kind', 'text', required)
    .addColumn('variation', 'text', required)
    .addColumn('model', 'text', required)
    .addColumn('pool', 'text', required)
    .addColumn('state', 'text', required)
    .addColumn('result', 'text')
    .addColumn('issues', 'text')
    .addColumn('error', 'text')
    .addColumn('worst_nano', 'bigint')
    .addColumn('cost_nano', 'bigint')
    .addColumn('cache_savings_nano', 'bigint', counter)
    .addColumn('latency_ms', 'bigint');
  // The big columns are last: SQLite reads a row's overflow pages only as far as it needs.
  await USAGE_COLUMNS.reduce((table, name) => table.addColumn(name, 'bigint'), head)
    .addColumn('metadata', 'text')
    .addColumn('kept', 'text')
    .addColumn('reply', 'text')
    .addColumn('raw', 'text')
    .addPrimaryKeyConstraint('prompts_key', ['batch_no', 'idx', 'prompt'])
    .execute();
}

async function createPoolTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('pools')
    .addColumn('pool', 'text', (column) => column.primaryKey().notNull())
    .addColumn('requests', 'double precision', required)
    .addColumn('tokens', 'double precision', required)
    .addColumn('filled_at', 'bigint', required)
    .addColumn('cooldown_until', 'bigint', counter)
    .execute();
  await db.schema
    .createTable('pool_leases')
    .addColumn('pool', 'text', required)
    .addColumn('worker', 'text', required)
    .addColumn('granted', 'integer', required)
    .addColumn('in_flight', 'integer', required)
    .addColumn('wanted', 'integer', required)
    .addColumn('rpm', 'double precision')
    .addColumn('tpm', 'double precision')
    .addColumn('in_flight_limit', 'integer')
    .addColumn('expires_at', 'bigint', required)
    .addPrimaryKeyConstraint('pool_leases_key', ['pool', 'worker'])
    .execute();
}

/** Pools learn input and output apart, rates after overloads, and what was set live or told by the provider. */
async function widenPools(db: Kysely<unknown>): Promise<void> {
  const nullable = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column;
  const columns = [
    ['input_tokens', 'double precision', counter],
    ['output_tokens', 'double precision', counter],
    ['rate_rpm', 'double precision', nullable],
    ['rate_full_rpm', 'double precision', counter],
    ['rate_at', 'bigint', counter],
    ['settings', 'text', nullable],
    ['told', 'text', nullable],
  ] as const;
  // One at a time: SQLite adds no two columns in one statement.
  for (const [name, type, build] of columns) {
    await db.schema.alterTable('pools').addColumn(name, type, build).execute();
  }
  // Leases live for seconds; nothing is lost with the old ones.
  await db.schema.dropTable('pool_leases').execute();
  await db.schema
    .createTable('pool_leases')
    .addColumn('pool', 'text', required)
    .addColumn('worker', 'text', required)
    .addColumn('granted', 'integer', required)
    .addColumn('in_flight', 'integer', required)
    .addColumn('wanted', 'integer', required)
    .addColumn('body', 'text', required)
    .addColumn('expires_at', 'bigint', required)
    .addPrimaryKeyConstraint('pool_leases_key', ['pool', 'worker'])
    .execute();
}

/** Money of a pool by day, and the day each prompt is charged to. */
async function countDays(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('prompts').addColumn('day', 'integer').execute();
  await db.schema
    .createTable('pool_days')
    .addColumn('pool', 'text', required)
    .addColumn('day', 'integer', required)
    .addColumn('spent_nano', 'bigint', counter)
    .addColumn('reserved_nano', 'bigint', counter)
    .addPrimaryKeyConstraint('pool_days_key', ['pool', 'day'])
    .execute();
}

/** Endpoints that fail. */
async function createCircuits(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('circuits')
    .addColumn('endpoint', 'text', (column) => column.primaryKey().notNull())
    .addColumn('failures', 'integer', required)
    .addColumn('open_until', 'bigint', required)
    .addColumn('probe_until', 'bigint', required)
    .addColumn('failed_probes', 'integer', required)
    .addColumn('reason', 'text')
    .execute();
}

/** Every migration, oldest first; names sort in that order. One that was released is never changed. */
export function migrations(traits: MigrationTraits): Record<string, Migration> {
  return {
    '0001-first': {
      async up(db: Kysely<unknown>) {
        await createBatchTables(db, traits);
        await createRecordTables(db);
        await createPromptTable(db);
        await createPoolTables(db);
      },
    },
    '0002-pools': { up: widenPools },
    '0003-pool-days': { up: countDays },
    '0004-circuits': { up: createCircuits },
  };
}
