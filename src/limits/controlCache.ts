import type { Control, Store } from '../store/types.js';
import { TemperedError } from '../task/errors.js';
import { CONTROL_STALE_MS } from './bounds.js';

/** Batches remembered; the oldest is forgotten first. */
const KEPT = 1_000;

/** Control rows, read at most twice a second per batch. */
export interface ControlCache {
  /** The control row, at most 500 ms stale. Callers at the same time share one read. Throws before the first publication. */
  read(batchId: string): Promise<Control>;
  /** The control row when it was read less than 500 ms ago: nothing to wait for. */
  known(batchId: string): Control | undefined;
  /** The next `read` asks the store: something changed. */
  forget(batchId: string): void;
}

interface Entry {
  readonly at: number;
  readonly control: Promise<Control>;
  /** What it said; undefined = it is being read. */
  word: Control | undefined;
}

async function readFresh(store: Pick<Store, 'readControl'>, batchId: string): Promise<Control> {
  const control = await store.readControl(batchId);
  if (control !== undefined) return control;
  throw new TemperedError('unknown', `Batch "${batchId}" has not published how it runs.`, {
    remedy: 'Its workflow does that first; look at it in the Temporal UI.',
  });
}

/** A cache over `store`. */
export function createControlCache(
  store: Pick<Store, 'readControl'>,
  options: {
    /** Milliseconds since epoch. Default `Date.now`. */
    readonly now?: () => number;
  } = {},
): ControlCache {
  const now = options.now ?? Date.now;
  const entries = new Map<string, Entry>();

  function fetch(batchId: string): Promise<Control> {
    const control = readFresh(store, batchId);
    const entry: Entry = { at: now(), control, word: undefined };
    entries.delete(batchId);
    entries.set(batchId, entry);
    if (entries.size > KEPT) {
      const oldest = entries.keys().next();
      if (oldest.done !== true) entries.delete(oldest.value);
    }
    control.then(
      (word) => {
        entry.word = word;
      },
      // A failed read isn't remembered; every caller of it gets the error.
      () => {
        if (entries.get(batchId) === entry) entries.delete(batchId);
      },
    );
    return control;
  }

  function fresh(batchId: string): Entry | undefined {
    const entry = entries.get(batchId);
    return entry !== undefined && now() - entry.at < CONTROL_STALE_MS ? entry : undefined;
  }

  return {
    read: (batchId) => fresh(batchId)?.control ?? fetch(batchId),
    known: (batchId) => fresh(batchId)?.word,
    forget(batchId) {
      entries.delete(batchId);
    },
  };
}
