import { BatchBook } from '../../src/activities/context.js';
import { usualWeight } from '../../src/limits/weight.js';
import { openStore } from '../../src/store/openStore.js';
import type { Store } from '../../src/store/types.js';
import { batchRow, records } from '../store/fixtures.js';

describe('batches a worker remembers', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openStore('sqlite::memory:');
    await store.createBatch(batchRow('streamed'));
    await store.finishLoading('streamed');
  });
  afterAll(() => store.close());

  test('weigh by the records that came since another process, or this one, first asked', async () => {
    const books = [new BatchBook(store), new BatchBook(store)];
    const weights = () =>
      Promise.all(
        books.map(async (book) => {
          const { items, options } = await book.get('streamed');
          return usualWeight({ items, open: options.open });
        }),
      );
    expect(await weights()).toEqual([100, 100]);
    await store.addItems('streamed', 'one', records(90));
    expect(await weights()).toEqual([100, 100]);
    await store.addItems('streamed', 'two', records(90, 90));
    expect(await weights()).toEqual([1, 1]);
  });

  test('are read once when they have many records, until they are forgotten', async () => {
    let reads = 0;
    const book = new BatchBook({
      getBatch: (id) => {
        reads += 1;
        return store.getBatch(id);
      },
    });
    await book.get('streamed');
    await book.get('streamed');
    expect(reads).toBe(1);
    book.forget('streamed');
    await book.get('streamed');
    expect(reads).toBe(2);
    await expect(book.get('nobody')).rejects.toMatchObject({ category: 'input' });
  });
});
