import type { Expression, Kysely, Transaction } from 'kysely';
import type { MigrationTraits } from './migrations.js';
import type { StoreSchema } from './schema.js';

/** A query runs on the database itself or inside a transaction. */
export type Db = Kysely<StoreSchema> | Transaction<StoreSchema>;

/** A query for rows, as Kysely builds it. */
export type RowsQuery<Row> = Expression<Row> & { execute(): Promise<Row[]> };

/** What differs between SQLite and PostgreSQL; everything else is written once, in Kysely. */
export interface Backend {
  /** For people: never holds a password. */
  readonly url: string;
  /** Queries throw `TemperedError`, except for a broken unique constraint, see {@link isDuplicate}. */
  readonly db: Kysely<StoreSchema>;
  /** How its tables are made. */
  readonly traits: MigrationTraits;
  /** Whether rows read for a change need `FOR UPDATE`. SQLite has one writer at a time anyway. */
  readonly rowLocks: boolean;
  /** The clock all processes on this store share; milliseconds since epoch. */
  now(db: Db): Promise<number>;
  /** The rows of a query for many, in its order; `columns` are all it selects. */
  readMany<Row extends object>(
    db: Db,
    query: RowsQuery<Row>,
    columns: readonly (keyof Row & string)[],
  ): Promise<readonly Row[]>;
  /** True for the error of a broken unique constraint. */
  isDuplicate(error: unknown): boolean;
}
