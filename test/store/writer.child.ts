import { openStore } from '../../src/store/openStore.js';
import { outcome, reservation, settlement } from './fixtures.js';

// A process of its own: opens the store, and works on every second record of a batch.
const [url = '', batchId = '', first = '0', items = '0', budget = '0'] = process.argv.slice(2);
const store = await openStore(url);
const indices = Array.from({ length: Number(items) }, (_, index) => index).filter(
  (index) => index % 2 === Number(first),
);
let sent = 0;

async function one(index: number): Promise<void> {
  const reserved = await store.reserve(reservation(batchId, index, { budgetNano: Number(budget) }));
  if (!reserved.ok) return;
  sent += 1;
  await store.settle(settlement(batchId, index, { costNano: 1_000, outcome: outcome(batchId, index) }));
}

async function lane(): Promise<void> {
  for (let index = indices.shift(); index !== undefined; index = indices.shift()) await one(index);
}

await Promise.all(Array.from({ length: 20 }, lane));
await store.close();
process.stdout.write(JSON.stringify({ sent }));
