import { Kysely, PostgresDialect, PostgresDriver, sql, type CompiledQuery, type DatabaseConnection } from 'kysely';
import pg from 'pg';
import { TemperedError } from '../task/errors.js';
import type { Backend, Db } from './backend.js';
import type { StoreSchema } from './schema.js';
import { errorCode, explainPostgres } from './storeErrors.js';

/** Connections of one process: the group writer, the gate, and a few readers. */
const CONNECTIONS = 6;

/** How long a connection may take; milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;

/** 64-bit integers and sums of them. */
const BIGINT_OIDS: readonly number[] = [20, 1700];

/** Integers of the store stay below 2^53 (nine million dollars in nano-dollars), so plain numbers hold them. */
function safeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} in the store is too big to count with`);
  return value;
}

/** The address without its password. */
function publicUrl(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new TemperedError('input', 'The address of the PostgreSQL store is not a URL.', {
      remedy: 'Write postgres://USER:PASSWORD@HOST:PORT/DATABASE, special characters percent-encoded.',
    });
  }
  parsed.password = '';
  parsed.searchParams.delete('password');
  return parsed.toString();
}

/** Runs `work` with its errors explained. */
async function explained<T>(work: () => Promise<T>, url: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainPostgres(error, url);
  }
}

/** Kysely's driver with errors explained, for connecting and for every query. */
class ExplainingDriver extends PostgresDriver {
  private readonly known = new WeakSet<DatabaseConnection>();

  constructor(
    pool: pg.Pool,
    private readonly url: string,
  ) {
    super({ pool });
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await explained(() => super.acquireConnection(), this.url);
    if (!this.known.has(connection)) {
      this.known.add(connection);
      const execute = connection.executeQuery.bind(connection);
      connection.executeQuery = <Row>(query: CompiledQuery) => explained(() => execute<Row>(query), this.url);
    }
    return connection;
  }
}

class ExplainingDialect extends PostgresDialect {
  constructor(
    private readonly pool: pg.Pool,
    private readonly url: string,
  ) {
    super({ pool });
  }

  override createDriver(): ExplainingDriver {
    return new ExplainingDriver(this.pool, this.url);
  }
}

/** The database's clock: worker machines' clocks may differ. */
async function databaseTime(db: Db): Promise<number> {
  const { rows } = await sql<{ readonly now: number }>`
    select (extract(epoch from clock_timestamp()) * 1000)::bigint as now`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('PostgreSQL did not tell the time');
  return row.now;
}

/** A pool of connections to the database at `url`. Connects with the first query. */
export function openPostgres(url: string): Backend {
  const shown = publicUrl(url);
  const types = new pg.TypeOverrides();
  for (const oid of BIGINT_OIDS) types.setTypeParser(oid, safeNumber);
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'tempered',
    types,
  });
  // A connection that breaks between two queries says so by an event, which would end the process. It leaves the pool
  // by itself: the next query fails with the reason, or makes a new one.
  const ignore = (): undefined => undefined;
  pool.on('error', ignore);
  pool.on('connect', (client) => client.on('error', ignore));
  return {
    url: shown,
    db: new Kysely<StoreSchema>({ dialect: new ExplainingDialect(pool, shown) }),
    traits: {
      serialType: 'bigint',
      serial: (column) => column.primaryKey().generatedAlwaysAsIdentity(),
    },
    rowLocks: true,
    now: databaseTime,
    readMany: (_db, query) => query.execute(),
    isDuplicate: (error) => errorCode(error) === '23505',
  };
}
