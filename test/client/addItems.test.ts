import { chunksOf, type ItemChunk } from '../../src/client/addItems.js';
import { containing } from '../support/match.js';

async function all(chunks: AsyncIterable<ItemChunk>): Promise<ItemChunk[]> {
  const list: ItemChunk[] = [];
  for await (const chunk of chunks) list.push(chunk);
  return list;
}

const records = (count: number) => Array.from({ length: count }, (_, i) => ({ id: i }));

test('a message carries at most 500 records, and none is lost', async () => {
  const chunks = await all(chunksOf(records(1_201), 'mine'));
  expect(chunks.map(({ items }) => items.length)).toEqual([500, 500, 201]);
  expect(chunks.flatMap(({ items }) => items)).toEqual(records(1_201));
});

test('a message carries at most 256 KiB', async () => {
  const big = Array.from({ length: 5 }, () => 'x'.repeat(100_000));
  const chunks = await all(chunksOf(big, 'mine'));
  expect(chunks.map(({ items }) => items.length)).toEqual([2, 2, 1]);
  for (const { items } of chunks) expect(Buffer.byteLength(JSON.stringify(items))).toBeLessThanOrEqual(256 * 1024);
});

test("chunks have the caller's key and their number", async () => {
  const chunks = await all(chunksOf(records(501), 'upload-7'));
  expect(chunks.map(({ clientKey }) => clientKey)).toEqual(['upload-7/0', 'upload-7/1']);
});

test('without a key the same records have the same keys, other records others', async () => {
  const keys = async (count: number) => (await all(chunksOf(records(count), undefined))).map((one) => one.clientKey);
  expect(await keys(3)).toEqual(await keys(3));
  expect(await keys(3)).not.toEqual(await keys(4));
});

test('a record too big for a message is refused by number, with another way', async () => {
  const chunks = all(chunksOf(['small', 'x'.repeat(300_000)], 'mine'));
  await expect(chunks).rejects.toMatchObject({
    category: 'input',
    message: containing('Record 2 has 300,003 bytes'),
    explanation: containing('Start a batch'),
  });
});

test('what JSON would lose in silence is refused by number and place', async () => {
  await expect(all(chunksOf([{ a: 1 }, { a: { b: Number.NaN } }], 'mine'))).rejects.toThrow(
    /Record 2 can't be written as JSON: NaN at a\.b/,
  );
});
