import { TemperedError } from '../task/errors.js';
import type { Backend } from './backend.js';
import { createBatchStore } from './batches.js';
import { createCircuitStore } from './circuits.js';
import { createControlStore } from './control.js';
import { createGroupedWriter } from './groupedWriter.js';
import { createJournalStore } from './journal.js';
import { createLoadingStore } from './loading.js';
import { migrate } from './migrate.js';
import { createOutcomeStore } from './outcomes.js';
import { createSpendStore } from './spend.js';
import { createPoolStore } from './pools.js';
import { createRetryStore } from './retries.js';
import type { Store } from './types.js';

/** Loads the driver that is needed, and not the other. */
async function openBackend(url: string): Promise<Backend> {
  if (/^postgres(ql)?:/.test(url)) {
    const { openPostgres } = await import('./postgres.js');
    return openPostgres(url);
  }
  if (url.startsWith('sqlite:') && url !== 'sqlite:') {
    const { openSqlite } = await import('./sqlite.js');
    return openSqlite(url.slice('sqlite:'.length));
  }
  throw new TemperedError('input', 'The address of the store is neither sqlite: nor postgres:.', {
    remedy: 'Write sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE.',
  });
}

/**
 * Opens the store at `url`: `sqlite:path` (relative to the working folder; file and folder are made), `sqlite::memory:`
 * (this object alone), or `postgres://…`. Brings the schema up to date. Throws `TemperedError` when it can't be had:
 * read-only folder, full disk, damaged or foreign file, wrong password, no server, made by a newer version.
 */
export async function openStore(url: string): Promise<Store> {
  const backend = await openBackend(url);
  try {
    await migrate(backend);
  } catch (error) {
    await backend.db.destroy();
    throw error;
  }
  const writer = createGroupedWriter(backend);
  const batches = createBatchStore(backend);
  return {
    url: backend.url,
    ...batches,
    ...createRetryStore(backend, batches.getBatch),
    ...createLoadingStore(backend),
    ...createJournalStore(backend, writer),
    ...createOutcomeStore(backend),
    ...createControlStore(backend),
    ...createPoolStore(backend),
    ...createCircuitStore(backend),
    ...createSpendStore(backend),
    async close() {
      await writer.drain();
      await backend.db.destroy();
    },
  };
}
