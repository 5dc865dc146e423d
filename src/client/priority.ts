import type { Priority } from '@temporalio/common';
import { isInteractive } from '../limits/weight.js';
import type { BatchRow } from '../store/types.js';

/** Records from which a batch may take its time. */
const LARGE = 10_000;

/** Temporal's own words: 1 is first of 5, 3 is usual. */
const KEYS = { small: 2, usual: 3, large: 4 };

/** Bytes a fairness key may have; an id's end tells it from others. */
const KEY_BYTES = 64;

/**
 * The order of a batch's tasks in the server's queues, which its children inherit: small batches first, and batches of a
 * size by their weights. Servers without priority or fairness take no notice.
 */
export function priorityOf({ id, items, options }: Pick<BatchRow, 'id' | 'items' | 'options'>): Priority {
  const size = isInteractive({ items, open: options.open }) ? 'small' : items >= LARGE ? 'large' : 'usual';
  return { priorityKey: KEYS[size], fairnessKey: id.slice(-KEY_BYTES), fairnessWeight: options.weight ?? 1 };
}
