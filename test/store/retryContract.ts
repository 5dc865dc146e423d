import { openStore } from '../../src/store/openStore.js';
import type { Store } from '../../src/store/types.js';
import type { ItemError } from '../../src/task/errors.js';
import { batchRow, loaded, outcome } from './fixtures.js';

const TIMEOUT: ItemError = { category: 'timeout', message: 'It took too long.', retryable: true };

/** What every backend must do for batches that ask again. */
export function retryContract(url: () => string): void {
  describe('retries', () => {
    let store: Store;
    beforeAll(async () => {
      store = await openStore(url());
    });
    afterAll(() => store.close());

    /** A retry of some records of a batch. */
    async function retryOf(root: string, id: string, indices: readonly number[]): Promise<string> {
      const row = batchRow(id);
      await store.createBatch({ ...row, options: { ...row.options, retryOf: root } });
      await store.copyRecords(id, root, indices);
      await store.finishLoading(id);
      return id;
    }

    it('copies records with their ids and prompts, after those that are there', async () => {
      const root = await loaded(store, 1_200);
      const indices = Array.from({ length: 700 }, (_, i) => i + 300);
      const id = `${root}-r1`;
      const row = batchRow(id);
      await store.createBatch(row);
      await store.copyRecords(id, root, [2, 7]);
      await store.copyRecords(id, root, indices);
      await store.finishLoading(id);
      expect(await store.counters(id)).toMatchObject({ items: 702 });
      expect(await store.getRecord(id, 1)).toEqual({ ...(await store.getRecord(root, 7)), index: 1 });
      expect(await store.getRecord(id, 2)).toMatchObject({ id: 'id-300' });
      expect(await store.getRecord(id, 701)).toMatchObject({ id: 'id-999' });
      await expect(store.copyRecords(id, root, [3])).rejects.toMatchObject({ category: 'input' });
    });

    it('finds the retries of a batch, whatever else has such an id', async () => {
      const root = await loaded(store, 3);
      const first = await retryOf(root, `${root}-r1`, [1]);
      await store.createBatch(batchRow(`${root}-r2`));
      const third = await retryOf(root, `${root}-r3`, [1, 2]);
      expect((await store.retriesOf(root)).map(({ id }) => id)).toEqual([first, third]);
      expect(await store.retriesOf(first)).toEqual([]);
      // In a pattern these two would stand for anything.
      expect(await store.retriesOf('%')).toEqual([]);
      expect(await store.retriesOf(`${root.slice(0, -1)}_`)).toEqual([]);
    });

    it('tells the newest success of each record', async () => {
      const root = await loaded(store, 4);
      const first = await retryOf(root, `${root}-r1`, [0, 1, 2]);
      await store.writeOutcome(outcome(first, 0, { output: 'one' }));
      await store.writeOutcome(outcome(first, 1, { output: 'one' }));
      await store.writeOutcome(outcome(first, 2, { status: 'failed', error: TIMEOUT }));
      const second = await retryOf(root, `${root}-r2`, [1, 2]);
      await store.writeOutcome(outcome(second, 0, { output: 'two' }));
      const found = await store.successes([first, second], ['id-0', 'id-1', 'id-2', 'id-3']);
      expect([...found].map(([id, { batchId, outcome: one }]) => [id, batchId, one.output])).toEqual([
        ['id-0', first, 'one'],
        ['id-1', second, 'two'],
      ]);
      expect((await store.successes([], ['id-0'])).size).toBe(0);
      expect((await store.successes([first], [])).size).toBe(0);
    });
  });
}
