import type { BatchRow, Store } from '../store/types.js';
import { didYouMean } from '../task/nearest.js';
import { TemperedError } from '../task/errors.js';

/** Batches looked through for a prefix: newest first. */
const LOOKED_THROUGH = 1_000;

/** The batch of an id, a unique prefix of one, or `latest`. Throws `input` when none or several fit. */
export async function findBatch(store: Store, name: string): Promise<BatchRow> {
  const exact = await store.getBatch(name);
  if (exact !== undefined) return exact;
  const rows = await store.listBatches(LOOKED_THROUGH);
  const [newest] = rows;
  if (newest === undefined) {
    throw new TemperedError('input', `There is no batch in ${store.url}.`, {
      remedy: 'Start one with `tempered run TASK DATA`, or name its store with --store or TEMPERED_STORE.',
    });
  }
  if (name === 'latest') return newest;
  const found = rows.filter((row) => row.id.startsWith(name));
  const [only, second] = found;
  if (only !== undefined && second === undefined) return only;
  if (only !== undefined) {
    const ids = found.slice(0, 5).map((row) => row.id);
    throw new TemperedError('input', `"${name}" begins the id of ${found.length} batches: ${ids.join(', ')}.`, {
      remedy: 'Write more of the id.',
    });
  }
  const near = didYouMean(
    name,
    rows.map((row) => row.id),
  );
  throw new TemperedError('input', `No batch "${name}" in ${store.url}.${near}`, {
    remedy: '`tempered status` lists the batches of a store.',
  });
}
