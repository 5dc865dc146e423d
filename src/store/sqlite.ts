import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CompiledQuery,
  Kysely,
  SqliteAdapter,
  SqliteDialect,
  SqliteDriver,
  sql,
  type DatabaseConnection,
  type SqliteDatabase,
  type SqliteStatement,
} from 'kysely';
import Database from 'libsql';
import type { Backend, Db, RowsQuery } from './backend.js';
import { decode, type JsonText } from './jsonText.js';
import type { StoreSchema } from './schema.js';
import { cannotOpen, errorCode, explainSqlite } from './storeErrors.js';

/** How long another process may hold the write lock before we give up; milliseconds. */
const BUSY_LIMIT_MS = 10_000;

/** How long a wait for the lock may block this process's event loop: heartbeats must go on. Milliseconds. */
const BLOCKING_WAIT_MS = 100;

/**
 * Pages of the log at which it is moved into the file: 32 MB. Whoever commits then waits for two syncs of the disk, at
 * SQLite's default of 1,000 pages once a second in `inline` mode, and pages written again and again are moved as often.
 */
const CHECKPOINT_PAGES = 8_000;

/** Prepared statements kept; a group of writes uses about a dozen. */
const STATEMENTS_KEPT = 256;

/** libsql as Kysely sees it: keeps prepared statements and explains errors. */
class CachingDatabase implements SqliteDatabase {
  private readonly statements = new Map<string, SqliteStatement>();
  private hasWritten = false;

  constructor(
    private readonly database: Database.Database,
    private readonly file: string,
  ) {}

  get inTransaction(): boolean {
    return this.database.inTransaction;
  }

  prepare(sql: string): SqliteStatement {
    const known = this.statements.get(sql);
    if (known !== undefined) {
      // Moves it to the young end.
      this.statements.delete(sql);
      this.statements.set(sql, known);
      return known;
    }
    const statement = this.explained(() => this.database.prepare(sql));
    const wrapped: SqliteStatement = {
      reader: statement.reader,
      all: (parameters) => this.explained(() => statement.all(parameters)),
      run: (parameters) => {
        this.hasWritten = true;
        return this.explained(() => statement.run(parameters));
      },
      iterate: (parameters) => this.explained(() => statement.iterate(parameters)),
    };
    this.statements.set(sql, wrapped);
    if (this.statements.size > STATEMENTS_KEPT) {
      const oldest = this.statements.keys().next();
      if (oldest.done !== true) this.statements.delete(oldest.value);
    }
    return wrapped;
  }

  close(): void {
    // Who only read leaves the log to those who write: to move it keeps them waiting.
    if (this.hasWritten) this.emptyLog();
    this.statements.clear();
    this.database.close();
  }

  /** Leaves one complete file: libsql itself doesn't empty the log, for statements outlive their database there. */
  private emptyLog(): void {
    try {
      this.database.pragma('wal_checkpoint(TRUNCATE)');
    } catch (error) {
      // What can't be moved now (a full disk, a damaged file) stays in the log, where the next opening finds it.
      if (errorCode(error) === '') throw error;
    }
  }

  private explained<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw explainSqlite(error, this.file);
    }
  }
}

/** Takes the write lock at the start of a transaction and waits for it without blocking this process. */
class ImmediateDriver extends SqliteDriver {
  private readonly known = new WeakSet<DatabaseConnection>();

  constructor(private readonly database: CachingDatabase) {
    super({ database });
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection();
    if (!this.known.has(connection)) {
      this.known.add(connection);
      const execute = connection.executeQuery.bind(connection);
      connection.executeQuery = <Row>(query: CompiledQuery) =>
        this.database.inTransaction ? execute<Row>(query) : whileBusy(() => execute<Row>(query));
    }
    return connection;
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // A full disk has rolled back already.
    if (this.database.inTransaction) await super.rollbackTransaction(connection);
  }
}

/** SQLite's DDL is transactional; Kysely doesn't count on it, but two processes that migrate at once need it. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class ImmediateDialect extends SqliteDialect {
  constructor(private readonly database: CachingDatabase) {
    super({ database });
  }

  override createDriver(): ImmediateDriver {
    return new ImmediateDriver(this.database);
  }

  override createAdapter(): TransactionalAdapter {
    return new TransactionalAdapter();
  }
}

function isBusy(error: unknown): boolean {
  return (
    errorCode(error).startsWith('SQLITE_BUSY') ||
    (error instanceof Error && error.cause !== undefined && isBusy(error.cause))
  );
}

async function whileBusy<T>(work: () => T | Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + BUSY_LIMIT_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > giveUpAt) throw error;
    }
    await sleep(5 + Math.random() * 20);
  }
}

/**
 * As one JSON text of lists: libsql hands over each value of each row by itself, which takes five times as long as to
 * find, write and parse them all, and names in every row as long again.
 */
async function readMany<Row extends object>(
  db: Db,
  query: RowsQuery<Row>,
  columns: readonly (keyof Row & string)[],
): Promise<readonly Row[]> {
  const fields = sql.join(columns.map((column) => sql.ref(column)));
  const { rows } = await sql<{ readonly page: JsonText<readonly (readonly Row[keyof Row & string][])[]> }>`
    select json_group_array(json_array(${fields})) as page from ${query} as many`.execute(db);
  return rows.flatMap(({ page }) => decode(page)).map((values) => named(columns, values));
}

/** A row of its values, in the order of its columns. Trusted as {@link decode} is: the query has just selected these. */
function named<Row extends object>(
  columns: readonly (keyof Row & string)[],
  values: readonly Row[keyof Row & string][],
): Row {
  const blank: (prototype: object) => Row = Object.create;
  const row = blank(Object.prototype);
  for (const [i, column] of columns.entries()) {
    const value = values[i];
    if (value !== undefined) row[column] = value;
  }
  return row;
}

function openFile(file: string): Database.Database {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
  try {
    return new Database(file, { timeout: BLOCKING_WAIT_MS });
  } catch (error) {
    // Opening throws without a code; all that can go wrong here is that the file can't be opened for writing.
    throw cannotOpen(error, file);
  }
}

/** Opens or makes the database file; `:memory:` is a store of this object alone. */
export async function openSqlite(path: string): Promise<Backend> {
  const file = path === ':memory:' ? path : resolve(path);
  try {
    const database = openFile(file);
    // WAL: readers never wait. NORMAL: a killed process loses nothing; a power cut may lose the last moment.
    await whileBusy(() => database.pragma('journal_mode = WAL'));
    database.pragma('synchronous = NORMAL');
    database.pragma('foreign_keys = OFF');
    database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    const caching = new CachingDatabase(database, file);
    return {
      url: `sqlite:${path}`,
      db: new Kysely<StoreSchema>({ dialect: new ImmediateDialect(caching) }),
      traits: { serialType: 'integer', serial: (column) => column.primaryKey().autoIncrement() },
      rowLocks: false,
      now: () => Promise.resolve(Date.now()),
      readMany,
      isDuplicate: (error) => errorCode(error).startsWith('SQLITE_CONSTRAINT'),
    };
  } catch (error) {
    throw explainSqlite(error, file);
  }
}
