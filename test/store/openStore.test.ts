import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'libsql';
import pg from 'pg';
import { openStore } from '../../src/store/openStore.js';
import { explainSqlite } from '../../src/store/storeErrors.js';
import { TemperedError } from '../../src/task/errors.js';
import { startFlakyProxy } from '../support/flakyProxy.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { batchRow, loaded, outcome, records, reservation, settlement } from './fixtures.js';

const folder = mkdtempSync(path.join(tmpdir(), 'tempered-open-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function refusal(url: string): Promise<TemperedError> {
  try {
    await (await openStore(url)).close();
  } catch (error) {
    if (error instanceof TemperedError) return error;
    throw error;
  }
  throw new Error(`${url} opened`);
}

const holding = (part: string): unknown => expect.stringContaining(part);

/** What libsql throws. */
function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test('an address of another kind', async () => {
  for (const url of ['mysql://host/db', 'sqlite:', 'store.db']) {
    expect(await refusal(url)).toMatchObject({
      category: 'input',
      options: { remedy: holding('sqlite:PATH') },
    });
  }
});

describe('SQLite', () => {
  const at = (...names: readonly string[]): string => path.join(folder, ...names);

  it('makes file and folder, and keeps what was stored', async () => {
    const url = `sqlite:${at('deep', 'folder', 'store.db')}`;
    const first = await openStore(url);
    const id = await loaded(first, 3);
    await first.close();
    const second = await openStore(url);
    expect(second.url).toBe(url);
    expect(await second.getBatch(id)).toMatchObject({ items: 3, status: 'ready' });
    await second.close();
  });

  it('refuses a file that is no database, and leaves it as it is', async () => {
    writeFileSync(at('notes.txt'), 'just some notes, not a database at all'.repeat(100));
    expect(await refusal(`sqlite:${at('notes.txt')}`)).toMatchObject({
      category: 'input',
      message: holding('not a Tempered store'),
    });
    expect(existsSync(`${at('notes.txt')}-wal`)).toBe(false);
  });

  it('says when the file is damaged', async () => {
    const url = `sqlite:${at('damaged.db')}`;
    const store = await openStore(url);
    const id = await loaded(store, 2_000);
    await store.close();
    const file = openSync(at('damaged.db'), 'r+');
    for (let page = 2; page < 60; page += 1) writeSync(file, Buffer.alloc(4_096, 0x5a), 0, 4_096, page * 4_096);
    closeSync(file);
    const work = async (): Promise<void> => {
      const damaged = await openStore(url);
      try {
        await damaged.getRecord(id, 1);
        await damaged.pending(id, 0, 2_000);
      } finally {
        await damaged.close();
      }
    };
    await expect(work()).rejects.toMatchObject({
      category: 'server_error',
      message: holding('is damaged'),
    });
  });

  it('refuses a path through a file, and a folder', async () => {
    writeFileSync(at('file'), '');
    mkdirSync(at('a-folder'));
    expect(await refusal(`sqlite:${at('file', 'store.db')}`)).toMatchObject({ category: 'permission' });
    expect(await refusal(`sqlite:${at('a-folder')}`)).toMatchObject({ category: 'permission' });
  });

  it('says when folder or file are read-only', async () => {
    mkdirSync(at('locked'), { mode: 0o555 });
    const store = await openStore(`sqlite:${at('readonly.db')}`);
    await store.close();
    // Root may write anywhere: look at it as somebody else.
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65_534);
    try {
      for (const url of [`sqlite:${at('locked', 'new', 'store.db')}`, `sqlite:${at('locked', 'store.db')}`]) {
        expect(await refusal(url)).toMatchObject({ category: 'permission' });
      }
      if (root) expect(await refusal(`sqlite:${at('readonly.db')}`)).toMatchObject({ category: 'permission' });
    } finally {
      if (root) process.seteuid?.(0);
    }
  });

  it('refuses a store made by a newer version', async () => {
    const url = `sqlite:${at('newer.db')}`;
    await (await openStore(url)).close();
    const database = new Database(at('newer.db'));
    database.exec("insert into tempered_migration (name, timestamp) values ('9999-later', '2099-01-01')");
    database.close();
    expect(await refusal(url)).toMatchObject({ category: 'input', message: holding('newer version') });
  });

  it('waits while another program writes', async () => {
    const url = `sqlite:${at('busy.db')}`;
    const store = await openStore(url);
    const id = await loaded(store, 1);
    const other = new Database(at('busy.db'));
    other.exec('begin immediate');
    setTimeout(() => other.exec('commit'), 400);
    await store.updateBatch(id, { status: 'running' });
    expect(await store.reserve(reservation(id, 0))).toEqual({ ok: true });
    other.close();
    await store.close();
  });

  it('explains a full disk and a lock that is never given up', () => {
    const full = new Database(at('full.db'));
    full.exec('create table t (x)');
    full.pragma('max_page_count = 4');
    const error = thrown(() => full.exec('insert into t select zeroblob(100000)'));
    expect(explainSqlite(error, 'full.db')).toMatchObject({
      category: 'server_error',
      message: holding('disk is full'),
      options: { remedy: holding('Free some space') },
    });
    full.exec('begin immediate');
    const other = new Database(at('full.db'), { timeout: 1 });
    expect(
      explainSqlite(
        thrown(() => other.exec('begin immediate')),
        'full.db',
      ),
    ).toMatchObject({ category: 'overloaded' });
    other.close();
    full.close();
    const strange = new Error('something else');
    expect(explainSqlite(strange, 'full.db')).toBe(strange);
  });

  it('keeps everything when a process dies without closing', async () => {
    const url = `sqlite:${at('crash.db')}`;
    const store = await openStore(url);
    const id = await loaded(store, 2);
    await store.reserve(reservation(id, 0));
    await store.settle(settlement(id, 0, { outcome: outcome(id, 0) }));
    const second = await openStore(url);
    expect(await second.counters(id)).toMatchObject({ succeeded: 1, spentNano: 700 });
    await second.close();
    await store.close();
  });

  it('takes over a loading batch whose loader is gone, and turns the old loader away', async () => {
    const url = `sqlite:${at('loading.db')}`;
    const gone = await openStore(url);
    await gone.createBatch(batchRow('b'));
    await gone.appendRecords('b', records(5));
    const database = new Database(at('loading.db'));
    database.exec('update batches set touched_at = touched_at - 14000');
    const next = await openStore(url);
    expect(await next.createBatch(batchRow('b'))).toBe('exists');
    database.exec('update batches set touched_at = touched_at - 1001');
    database.close();
    expect(await next.createBatch(batchRow('b'))).toBe('created');
    expect(await next.getBatch('b')).toMatchObject({ items: 0, status: 'loading' });
    await expect(gone.appendRecords('b', records(1, 5))).rejects.toThrow('not being loaded by this process');
    await next.appendRecords('b', records(2));
    await next.finishLoading('b');
    expect(await next.getBatch('b')).toMatchObject({ items: 2, status: 'ready' });
    await gone.close();
    await next.close();
  });
});

describe('PostgreSQL', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(async () => {
    await postgres.stop();
  });

  it('names what is wrong with an address, never its password', async () => {
    const wrong = new URL(postgres.url);
    wrong.password = 'hunter2';
    const database = new URL(postgres.url);
    database.pathname = '/nothere';
    const port = new URL(postgres.url);
    port.port = '1';
    const refusals = [
      [wrong, 'authentication'],
      [database, 'input'],
      [port, 'network'],
    ] as const;
    for (const [url, category] of refusals) {
      const error = await refusal(url.toString());
      expect(error.category).toBe(category);
      expect(error.options.remedy).toBeDefined();
      for (const secret of ['hunter2', new URL(postgres.url).password, 'p@ss'])
        expect(error.explanation).not.toContain(secret);
    }
    const broken = await refusal('postgres://user:secret@[host/db');
    expect(broken.explanation).not.toContain('secret');
    const store = await openStore(`${postgres.url}?application_name=test`);
    expect(store.url).toMatch(/^postgres:\/\/postgres@127\.0\.0\.1:\d+\/postgres/);
    await store.close();
  });

  it('names a user who may not write', async () => {
    const admin = new pg.Client({ connectionString: postgres.url });
    await admin.connect();
    await admin.query("create role reader login password 'reader'");
    await admin.query('create database readonly');
    await admin.end();
    const url = new URL(postgres.url);
    url.username = 'reader';
    url.password = 'reader';
    url.pathname = '/readonly';
    expect(await refusal(url.toString())).toMatchObject({ category: 'permission' });
  });

  it('loses no answer that was paid for while the database is away for a moment', async () => {
    const proxy = await startFlakyProxy(Number(new URL(postgres.url).port));
    const url = new URL(postgres.url);
    url.port = String(proxy.port);
    const store = await openStore(url.toString());
    const id = await loaded(store, 2);
    await store.reserve(reservation(id, 0));
    proxy.breakDown();
    const settled = store.settle(settlement(id, 0, { outcome: outcome(id, 0) }));
    await expect(store.counters(id)).rejects.toMatchObject({ category: 'network' });
    setTimeout(() => proxy.heal(), 300);
    await settled;
    expect(await store.counters(id)).toMatchObject({ succeeded: 1, spentNano: 700, reservedNano: 0 });
    await store.close();
    await proxy.close();
  });
});
