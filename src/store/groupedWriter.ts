import { setTimeout as sleep } from 'node:timers/promises';
import { TemperedError } from '../task/errors.js';
import type { Backend } from './backend.js';
import { Group, type ItemInGroup, type ItemKey } from './group.js';

/** How long the first write of a group waits for company; milliseconds. */
const LINGER_MS = 1;

/** Writes in one transaction at most. */
const MAX_GROUP = 200;

/** How long a write outlives a lost database before it fails; milliseconds. An answer that was paid for waits in it. */
const LOST_LIMIT_MS = 20_000;

/** A write about one item: looks at the item's state and changes it, or throws before it changes anything. */
type Decide<T> = (item: ItemInGroup) => T;

interface Member {
  readonly key: ItemKey;
  /** Decides in the group; returns what tells the caller after the commit. */
  readonly decide: (item: ItemInGroup) => () => void;
  readonly reject: (error: unknown) => void;
}

/** Collects writes of many callers into few transactions; each caller gets its own result. */
export interface GroupedWriter {
  /** Resolves with what `decide` returned, once that is durable. */
  write<T>(key: ItemKey, decide: Decide<T>): Promise<T>;
  /** Resolves when nothing is under way any more. */
  drain(): Promise<void>;
}

/** A transient failure: the same group may pass in a moment. */
function isTransient(error: unknown): boolean {
  return error instanceof TemperedError && (error.category === 'network' || error.category === 'overloaded');
}

async function commit(backend: Backend, members: readonly Member[]): Promise<void> {
  const after: (() => void)[] = [];
  await backend.db.transaction().execute(async (trx) => {
    const group = await Group.load(
      trx,
      backend,
      members.map((member) => member.key),
    );
    for (const member of members) {
      try {
        after.push(member.decide(group.item(member.key)));
      } catch (error) {
        after.push(() => {
          member.reject(error);
        });
      }
    }
    await group.flush();
  });
  for (const tell of after) tell();
}

/** Repeats a group while the database is away: every write is idempotent, also when its commit got through unheard. */
async function commitPatiently(backend: Backend, members: readonly Member[]): Promise<void> {
  const giveUpAt = performance.now() + LOST_LIMIT_MS;
  for (let wait = 100; ; wait = Math.min(wait * 2, 2_000)) {
    try {
      await commit(backend, members);
      return;
    } catch (error) {
      if (!isTransient(error) || performance.now() + wait > giveUpAt) throw error;
    }
    await sleep(wait);
  }
}

/** One bad value must not take its company down: a group the database refuses is tried member by member. */
async function run(backend: Backend, members: readonly Member[]): Promise<void> {
  try {
    await commitPatiently(backend, members);
  } catch (error) {
    if (members.length === 1 || error instanceof TemperedError) {
      for (const member of members) member.reject(error);
      return;
    }
    for (const member of members) await run(backend, [member]);
  }
}

/** A writer over `backend`: one transaction at a time; what comes meanwhile makes the next one. */
export function createGroupedWriter(backend: Backend): GroupedWriter {
  const queue: Member[] = [];
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    await sleep(LINGER_MS);
    while (queue.length > 0) await run(backend, queue.splice(0, MAX_GROUP));
    working = undefined;
  }

  return {
    write: (key, decide) =>
      new Promise((resolve, reject) => {
        queue.push({
          key,
          decide: (item) => {
            const value = decide(item);
            return () => {
              resolve(value);
            };
          },
          reject,
        });
        working ??= work();
      }),
    drain: () => working ?? Promise.resolve(),
  };
}
