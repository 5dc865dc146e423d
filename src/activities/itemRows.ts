import { Context } from '@temporalio/activity';
import type { JournalRow } from '../store/types.js';
import type { Json } from '../task/json.js';
import { toRanges } from '../workflows/paging.js';
import type { ActivityDeps } from './context.js';
import type { ItemActivities, ItemEnd } from './types.js';

/** Activities that keep the rows of shards and items. */
export function createItemActivities({ store }: ActivityDeps): ItemActivities {
  return {
    async openShard(batchId, from, to) {
      const pending = await store.pending(batchId, from, to);
      return { indices: pending.map((record) => record.index), ids: pending.map((record) => record.id) };
    },

    async openPages(batchId, from, to) {
      return toRanges((await store.pending(batchId, from, to)).map((record) => record.index));
    },

    closeShard: (batchId, from, to, error) => store.closeRange(batchId, from, to, error),

    async finishItem({ batchId, index, status, error }: ItemEnd) {
      const journal = await store.journal(batchId, index);
      const kept = lastKept(journal);
      const { workflowExecution } = Context.current().info;
      const ended = journal.length === 0 ? status : kept === null ? 'failed' : 'partial';
      const written = await store.writeOutcome({
        batchId,
        index,
        status: ended,
        output: kept,
        error,
        workflowId: workflowExecution?.workflowId ?? null,
        runId: workflowExecution?.runId ?? null,
        metadata: null,
      });
      return written ? ended : ((await store.getOutcome(batchId, index))?.status ?? ended);
    },
  };
}

/** Valid fields of the newest prompt that had any. */
function lastKept(journal: readonly JournalRow[]): Json {
  return journal.findLast((row) => row.kept !== null)?.kept ?? null;
}
