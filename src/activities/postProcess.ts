import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { z } from 'zod';
import { PAGE_BOUND_MS } from '../limits/bounds.js';
import type { Store } from '../store/types.js';
import { thrownText } from '../task/errors.js';
import type { PostProcessResult } from '../task/functions.js';
import type { Outcome } from '../task/outcome.js';
import { indicesOf, toRanges } from '../workflows/paging.js';
import type { FailureNote } from '../workflows/types.js';
import type { ActivityDeps, WorkerTask } from './context.js';
import { withHeartbeat } from './heartbeat.js';
import { inLanes } from './lanes.js';
import { reviewError } from './reviewError.js';
import type { PageInput, ProcessedPage } from './types.js';

/** Calls for one outcome, and the wait between them in milliseconds: as for an item's own workflow. */
const MAX_TRIES = 3;
const RETRY_MS = 1_000;

/** Failures a page tells its shard. */
const FAILURE_NOTES = 3;

/** What a post-processor changed. */
type Change = 'nothing' | 'output' | 'review';

/** Runs a task's post-processor on an outcome and stores its change. */
export async function processOutcome(
  { store }: ActivityDeps,
  task: WorkerTask,
  batchId: string,
  outcome: Outcome,
): Promise<Change> {
  const said = await task.functions.postProcess?.(outcome);
  return apply(store, batchId, outcome, said);
}

/** See `FunctionActivities.postProcessPage`. A repeated page leaves out what the last attempt had done. */
export async function postProcessPage(deps: ActivityDeps, page: PageInput): Promise<ProcessedPage> {
  const context = Context.current();
  const done = new Set(z.array(z.number()).safeParse(context.info.heartbeatDetails).data ?? []);
  const failures: FailureNote[] = [];
  const until = deps.now() + PAGE_BOUND_MS;
  return withHeartbeat(
    () => [...done],
    async () => {
      const { batchId, lanes } = page;
      const task = await deps.tasks.get((await deps.batches.get(batchId)).taskHash);
      const waiting = indicesOf(page.ranges).filter((index) => !done.has(index));
      await inLanes(waiting.values(), {
        lanes,
        goOn: () => deps.now() < until && !deps.closing.aborted && !context.cancellationSignal.aborted,
        work: async (index) => {
          const failure = await tried(deps, task, batchId, index);
          if (failure !== undefined && failures.length < FAILURE_NOTES) failures.push(failure);
          done.add(index);
        },
      });
      context.cancellationSignal.throwIfAborted();
      return { left: toRanges(waiting.filter((index) => !done.has(index))), failures };
    },
  );
}

/** A few tries, then the outcome stands as it was. A record that was asked nothing has nothing to process. */
async function tried(
  deps: ActivityDeps,
  task: WorkerTask,
  batchId: string,
  index: number,
): Promise<FailureNote | undefined> {
  for (let tries = 1; ; tries += 1) {
    try {
      const outcome = await deps.store.getOutcome(batchId, index);
      if (outcome !== undefined && outcome.status !== 'notRun') await processOutcome(deps, task, batchId, outcome);
      return undefined;
    } catch (error) {
      if (tries >= MAX_TRIES) {
        const message = `postProcess failed: ${thrownText(error)}; the outcome stands as it was`;
        return { index, category: 'unknown', message: message.slice(0, 300) };
      }
    }
    await sleep(RETRY_MS);
  }
}

async function apply(
  store: Store,
  batchId: string,
  { index, output }: Outcome,
  said: PostProcessResult,
): Promise<Change> {
  if (said === undefined) return 'nothing';
  if ('output' in said) {
    await store.replaceOutcome(batchId, index, { status: 'succeeded', output: said.output, error: null });
    return 'output';
  }
  const error = reviewError(said.review);
  await store.replaceOutcome(batchId, index, { status: 'failed', output, error });
  return 'review';
}
