import { existsSync } from 'node:fs';
import path from 'node:path';
import { openData } from '../../src/client/spool.js';

async function values(data: Parameters<typeof openData>[0], limit?: number) {
  const opened = await openData(data, { onBad: 'fail', limit });
  const list = [];
  for await (const { value } of opened.dataset.records()) list.push(value);
  await opened.close();
  return { list, hash: opened.dataset.hash };
}

async function* later(records: readonly unknown[]) {
  for (const record of records) yield await Promise.resolve(record);
}

test('lists and async iterables are read alike, and the same content has the same hash', async () => {
  const records = [{ id: 'a', text: 'ä\n"quoted"' }, 'plain', 3, null, [1, 2]];
  const list = await values(records);
  const iterated = await values(later(records));
  expect(list.list).toEqual(records);
  expect(iterated).toEqual(list);
  expect((await values([...records, 4])).hash).not.toBe(list.hash);
});

test('a limit takes the first records only, without reading on', async () => {
  let read = 0;
  async function* endless() {
    for (;;) yield await Promise.resolve({ n: (read += 1) });
  }
  expect((await values(endless(), 3)).list).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  expect(read).toBeLessThanOrEqual(4);
});

test('what was written aside is removed', async () => {
  const opened = await openData([{ a: 1 }], { onBad: 'fail' });
  const folder = path.dirname(opened.dataset.source);
  expect(existsSync(folder)).toBe(true);
  await opened.close();
  expect(existsSync(folder)).toBe(false);
});

test('no records and records that are no JSON are refused', async () => {
  await expect(openData([], { onBad: 'fail' })).rejects.toMatchObject({ category: 'input' });
  await expect(openData([{ a: 1 }, { when: new Map() }], { onBad: 'fail' })).rejects.toThrow(
    /Record 2 .* a Map at when/,
  );
});
