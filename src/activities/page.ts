import { Context } from '@temporalio/activity';
import { z } from 'zod';
import { indicesOf } from '../workflows/paging.js';
import type { ActivityDeps } from './context.js';
import { withHeartbeat } from './heartbeat.js';
import { PageRun } from './pageRun.js';
import type { PageInput, PageResult, PromptActivities } from './types.js';

/** Attempts in a row whose worker was lost, after which each record gets a workflow: one of them is the likely cause. */
const MAX_LOST_WORKERS = 10;

/** What an attempt leaves to the next one. */
const beatSchema = z.object({
  /** Rate limits and refusals in a row. */
  waits: z.number(),
  /** Attempts in a row that did not end in order, this one included. */
  tries: z.number(),
});

/** The `page` activity: the first prompt of each of its records, for a shard in `inline` mode. */
export function createPageActivities(deps: ActivityDeps): Pick<PromptActivities, 'page'> {
  return {
    async page(input: PageInput): Promise<PageResult> {
      const context = Context.current();
      const beat = beatSchema.safeParse(context.info.heartbeatDetails).data ?? { waits: 0, tries: 0 };
      beat.tries += 1;
      return withHeartbeat(
        () => beat,
        async () => {
          if (beat.tries > MAX_LOST_WORKERS) return allUnfinished(deps, input);
          const run = new PageRun(deps, input, context, beat.waits);
          try {
            return await run.execute();
          } finally {
            beat.waits = run.waits;
            beat.tries = 0;
          }
        },
      );
    },
  };
}

async function allUnfinished({ store }: ActivityDeps, { batchId, ranges }: PageInput): Promise<PageResult> {
  const more: PageResult['more'][number][] = [];
  for await (const { record } of store.openRecords(batchId, indicesOf(ranges))) {
    more.push({ index: record.index, id: record.id });
  }
  return { more, left: [], failures: [] };
}
