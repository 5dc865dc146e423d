import type { BatchRow, Control } from '../store/types.js';
import { parseModelRef } from '../models/modelRef.js';
import { TemperedError } from '../task/errors.js';
import { nanoToUsd } from '../task/money.js';
import type { Counters } from '../task/outcome.js';
import type { TaskSpec } from '../task/spec.js';
import { CONTROL_QUEUE, poolQueue, taskQueue } from '../workflows/ids.js';
import type { BatchInput } from '../workflows/types.js';
import { openedCaching } from './batchCache.js';
import { type ActivityDeps, batchPlan } from './context.js';
import { failureCount } from './failureWatch.js';
import { registerBatch } from './registerBatch.js';
import type { BatchActivities, BatchTotals, OpenedBatch, OpenedCaching } from './types.js';

/** Records looked through at once for the first one without an outcome. */
const PENDING_PAGE = 500;

/** Activities that keep a batch's row. */
export function createBatchActivities(deps: ActivityDeps): BatchActivities {
  const { store, pools, notifier, now, providers } = deps;
  return {
    async openBatch(batchId: string, input: BatchInput): Promise<OpenedBatch> {
      const row = (await store.getBatch(batchId)) ?? (await registerBatch(deps, batchId, input));
      const spec = await store.getTask(row.taskHash);
      if (spec === undefined) throw new TemperedError('input', `The store knows no task ${row.taskHash}.`);
      if (row.startedAt === null) await store.updateBatch(batchId, { startedAt: now(), status: 'running' });
      const { listeners } = notifier;
      const told = listeners.length === 0 ? {} : { listeners };
      const caching = openedCaching(deps, row, spec, await store.counters(batchId));
      return { ...opened(row, spec, caching), providers: providers.names, ...told };
    },

    async publishControl(batchId, control) {
      await store.publishControl(batchId, await withForgiven(store, batchId, control));
      if (control.stop !== null) return;
      const { paused } = control;
      await store.updateBatch(batchId, {
        status: paused === null ? 'running' : 'paused',
        statusReason: paused === null ? null : paused.message,
      });
    },

    async setPoolLimits(batchId, model, patch) {
      const taskHash = (await store.getBatch(batchId))?.taskHash;
      const spec = taskHash === undefined ? undefined : await store.getTask(taskHash);
      const used = model ?? spec?.model;
      if (used === undefined) throw new TemperedError('input', `The store knows no batch ${batchId}.`);
      return store.setPool(pools.poolOf(used), patch);
    },

    async firstPending(batchId, from) {
      const items = (await store.getBatch(batchId))?.items ?? 0;
      for (let at = from; at < items; at += PENDING_PAGE) {
        const [first] = await store.pending(batchId, at, Math.min(at + PENDING_PAGE, items));
        if (first !== undefined) return first.index;
      }
      return null;
    },

    async finishBatch(batchId, status, reason) {
      await store.updateBatch(batchId, { status, statusReason: reason, finishedAt: now() });
      return totals(await store.counters(batchId));
    },
  };
}

/** Failures before a pause for them was ended, or before the model was changed, count no more for `maxFailures`. */
async function withForgiven(store: ActivityDeps['store'], batchId: string, control: Control): Promise<Control> {
  const before = await store.readControl(batchId);
  if (before === undefined) return control;
  const resumed = before.paused?.reason === 'failures' && control.paused === null;
  const forgiven = resumed || before.model !== control.model ? await failureCount(store, batchId) : before.forgiven;
  return forgiven === undefined ? control : { ...control, forgiven };
}

function opened(row: BatchRow, spec: TaskSpec, caching: OpenedCaching | undefined): OpenedBatch {
  const own = taskQueue(row.taskHash);
  const has = (name: TaskSpec['functions'][number]) => spec.functions.includes(name);
  const needsModule = spec.functions.length > 0;
  return {
    taskHash: row.taskHash,
    taskName: row.taskName,
    model: spec.model,
    plan: batchPlan(row.options, spec),
    items: row.items,
    queue: needsModule ? own : poolQueue(parseModelRef(spec.model).provider),
    functionQueue: needsModule || spec.rendersInCode === true ? own : CONTROL_QUEUE,
    hasPrepare: has('prepare'),
    hasCleanup: has('cleanup'),
    hasPostProcess: has('postProcess'),
    ...(caching === undefined ? {} : { caching }),
  };
}

function totals(counters: Counters): BatchTotals {
  const { items, succeeded, partial, failed, notRun, prompts, spentNano, unknownNano } = counters;
  const costUsd = counters.unpricedPrompts > 0 ? null : nanoToUsd(spentNano - unknownNano);
  return { items, succeeded, partial, failed, notRun, prompts, costUsd };
}
