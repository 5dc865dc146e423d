import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { openStore } from '../../src/store/openStore.js';
import { loaded } from './fixtures.js';

const run = promisify(execFile);
const TOLD = z.object({ sent: z.number() });

/** Runs the writer in a process of its own. */
async function writer(...args: readonly string[]): Promise<{ readonly sent: number }> {
  const jiti = path.join(process.cwd(), 'node_modules/jiti/lib/jiti-cli.mjs');
  const { stdout } = await run(process.execPath, [
    jiti,
    path.join(process.cwd(), 'test/store/writer.child.ts'),
    ...args,
  ]);
  return TOLD.parse(JSON.parse(stdout));
}

/** Several processes on one store. */
export function processContract(url: () => string, freshUrl: () => Promise<string>): void {
  it('is safe for two processes that write at the same time, under one budget', async () => {
    const store = await openStore(url());
    const id = await loaded(store, 600);
    const told = await Promise.all([0, 1].map((first) => writer(url(), id, String(first), '600', '500500')));
    const sent = told.reduce((sum, one) => sum + one.sent, 0);
    expect(sent).toBe(500);
    expect(await store.counters(id)).toMatchObject({
      prompts: 500,
      succeeded: 500,
      spentNano: 500_000,
      reservedNano: 0,
    });
    await store.close();
  });

  it('brings the schema up to date once when processes start at the same time', async () => {
    const target = await freshUrl();
    await Promise.all([writer(target), writer(target), openStore(target).then((store) => store.close())]);
    const store = await openStore(target);
    expect(await store.listBatches(10)).toEqual([]);
    await store.close();
  });
}
