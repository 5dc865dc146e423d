import { openStore } from '../../src/store/openStore.js';
import type { Store } from '../../src/store/types.js';
import { loaded, reservation, settlement } from './fixtures.js';

/** Money added up over batches, the same on both backends. */
export function spendContract(url: () => string): void {
  describe('spend', () => {
    let store: Store;
    beforeAll(async () => {
      store = await openStore(url());
    });
    afterAll(() => store.close());

    it('adds up by batch from the counters and by model from the journal, to the same sums', async () => {
      const id = await loaded(store, 4);
      for (const [index, model] of ['a/one', 'a/one', 'b/two'].entries()) {
        await store.reserve(reservation(id, index, { model }));
        await store.settle(settlement(id, index));
      }
      await store.reserve(reservation(id, 3, { model: 'b/two' }));
      await store.markUnknown(id, 3, 1, { category: 'unknown', message: 'lost', retryable: true });
      const of = (rows: Awaited<ReturnType<Store['spendByBatch']>>) => rows.filter(({ batchId }) => batchId === id);
      const [whole] = of(await store.spendByBatch(0, Number.MAX_SAFE_INTEGER));
      const models = of(await store.spendByModel(0, Number.MAX_SAFE_INTEGER));
      expect(await store.spendByModel(0, Number.MAX_SAFE_INTEGER, id)).toEqual(models);
      expect(models.map(({ model, prompts }) => [model, prompts]).sort()).toEqual([
        ['a/one', 2],
        ['b/two', 2],
      ]);
      const keys = ['prompts', 'unknownPrompts', 'unpricedPrompts', 'knownNano', 'unknownNano', 'savingsNano'] as const;
      for (const key of keys) expect(models.reduce((sum, row) => sum + row[key], 0)).toBe(whole?.[key]);
      const input = models.reduce((sum, row) => sum + row.usage.inputTokens, 0);
      expect(input).toBe(whole?.usage.inputTokens);
      const counters = await store.counters(id);
      expect(whole).toMatchObject({ prompts: counters.prompts, usage: counters.usage, service: 'tickets' });
    });

    it('knows only the time that was asked for', async () => {
      await loaded(store, 1);
      expect(await store.spendByBatch(0, 1_700_000_000_000)).toEqual([]);
      expect(await store.spendByModel(0, 1_700_000_000_000)).toEqual([]);
    });
  });
}
