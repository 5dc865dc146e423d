import { Migrator, type MigrationProvider } from 'kysely';
import { TemperedError } from '../task/errors.js';
import type { Backend } from './backend.js';
import { migrations } from './migrations.js';

const TABLE = 'tempered_migration';

/** Names of the migrations that were run. */
async function madeMigrations({ db }: Backend): Promise<readonly string[]> {
  const tables = await db.introspection.getTables();
  if (!tables.some((table) => table.name === TABLE)) return [];
  const rows = await db.withTables<{ [TABLE]: { readonly name: string } }>().selectFrom(TABLE).select('name').execute();
  return rows.map((row) => row.name);
}

/** Brings the schema up to date. Processes that start at once wait for each other. Throws for a newer schema. */
export async function migrate(backend: Backend): Promise<void> {
  const known = migrations(backend.traits);
  const made = await madeMigrations(backend);
  const newer = made.filter((name) => known[name] === undefined);
  if (newer.length > 0) {
    throw new TemperedError('input', `${backend.url} was made by a newer version of Tempered (${newer.join(', ')}).`, {
      remedy: 'Update Tempered, or name another store with --store or TEMPERED_STORE.',
    });
  }
  // Kysely's own look at it takes the write lock, and as long as opening the file.
  if (Object.keys(known).every((name) => made.includes(name))) return;
  const provider: MigrationProvider = { getMigrations: () => Promise.resolve(known) };
  const migrator = new Migrator({
    db: backend.db,
    provider,
    migrationTableName: TABLE,
    migrationLockTableName: `${TABLE}_lock`,
  });
  const { error } = await migrator.migrateToLatest();
  if (error instanceof Error) throw error;
  if (error !== undefined) throw new Error(`${backend.url} could not be brought up to date`, { cause: error });
}
