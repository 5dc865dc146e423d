import type { Priority } from '@temporalio/common';
import type { BatchRow } from '../store/types.js';

/** Records up to which somebody probably waits for the batch, and from which it may take its time. */
const SMALL = 100;
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
  const size = items <= SMALL && !options.open ? 'small' : items >= LARGE ? 'large' : 'usual';
  return { priorityKey: KEYS[size], fairnessKey: id.slice(-KEY_BYTES), fairnessWeight: options.weight ?? 1 };
}
