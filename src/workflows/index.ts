/** The workflows a worker runs; the bundle's entry. */
export { batch } from './batch.js';
export { item } from './item.js';
export { review } from './review.js';
export { scheduled } from './scheduled.js';
export { shard } from './shard.js';
