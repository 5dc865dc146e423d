import { createHash } from 'node:crypto';
import { nanoToUsd } from '../task/money.js';
import type { ActivityDeps } from './context.js';
import type { NotifyActivities } from './types.js';

/** Activities that tell the outside world what became of a batch. */
export function createNotifyActivities({ store, notifier }: ActivityDeps): NotifyActivities {
  return {
    async notify(listener, notice) {
      const { batchId, event, number, at, status, reason } = notice;
      const { items, succeeded, partial, failed, notRun, prompts, ...money } = await store.counters(batchId);
      const row = await store.getBatch(batchId);
      const id = createHash('sha256')
        .update(JSON.stringify([batchId, event, number]))
        .digest('hex')
        .slice(0, 32);
      const costUsd = money.unpricedPrompts > 0 ? null : nanoToUsd(money.spentNano - money.unknownNano);
      const data = { batchId, task: row?.taskName ?? '', status, reason };
      const counts = { items, succeeded, partial, failed, notRun, prompts, costUsd };
      const type = event === 'finish' ? 'batch.finished' : 'batch.paused';
      const body = { type, timestamp: new Date(at).toISOString(), data: { ...data, ...counts } };
      await notifier.tell(listener, { id: `msg_${id}`, batchId, body });
    },
  };
}
