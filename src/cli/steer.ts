import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchHandle } from '../client/handle.js';
import type { BatchSnapshot } from '../client/snapshot.js';
import type { Tempered } from '../client/tempered.js';
import { CONTROL_QUEUE } from '../client/work.js';
import { TemperedError } from '../task/errors.js';
import { loadTask } from '../task/loadTask.js';
import type { PlaceOptions } from './command.js';
import type { Io } from './io.js';
import { withTempered, workerLog } from './place.js';

/** How long a message may take to show in the store; milliseconds. */
const SHOWN_WITHIN_MS = 15_000;

/** Between two looks; milliseconds. */
const LOOK_MS = 150;

/** What a steering command works with. */
export interface Steering {
  /** Server and store. */
  readonly tempered: Tempered;
  /** The batch that was named. */
  readonly batch: BatchHandle;
  /** Queues of the batch no worker polled when the command began. */
  readonly unpolled: readonly string[];
}

/**
 * Finds a batch by its name and steers it. Messages are answered by a worker: when none polls the control queue, one
 * runs in this process for as long as the command takes, without sending prompts. `modules`: task files it shall know.
 */
export async function steer<T>(
  io: Io,
  name: string,
  options: PlaceOptions,
  work: (steering: Steering) => Promise<T>,
  modules: readonly string[] = [],
): Promise<T> {
  return withTempered(io, options, async (tempered) => {
    const batch = await tempered.findBatch(name);
    const unpolled = await tempered.unpolled(batch);
    if (!unpolled.includes(CONTROL_QUEUE) && modules.length === 0) {
      return work({ tempered, batch, unpolled });
    }
    const tasks = await Promise.all(modules.map((file) => loadTask(file)));
    const worker = await tempered.startWorker({ pools: [], tasks, log: workerLog(io) });
    try {
      return await Promise.race([work({ tempered, batch, unpolled }), worker.run.then(() => never<T>())]);
    } finally {
      await worker.shutdown();
    }
  });
}

/** Waits until the store shows what a message changed. Throws `network` when no worker takes it in. */
export async function shown(
  batch: BatchHandle<unknown>,
  changed: (snapshot: BatchSnapshot) => boolean,
): Promise<BatchSnapshot> {
  const until = Date.now() + SHOWN_WITHIN_MS;
  for (;;) {
    const snapshot = await batch.progress();
    if (changed(snapshot)) return snapshot;
    if (Date.now() > until) {
      throw new TemperedError('network', `The message was sent, but no worker has taken it in yet.`, {
        remedy: `It is kept on the server; see \`tempered status ${batch.id}\`, or start a worker: \`tempered dev\`.`,
      });
    }
    await sleep(LOOK_MS);
  }
}

/** What to say when a batch may go on but nobody sends its prompts. */
export function idleNote({ batch, unpolled }: Steering): readonly string[] {
  const queues = unpolled.filter((queue) => queue !== CONTROL_QUEUE);
  if (queues.length === 0) return [];
  return [`No worker polls ${queues.join(', ')}: go on with \`tempered watch ${batch.id}\` or \`tempered dev\`.`];
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}
