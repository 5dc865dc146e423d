import type { BatchHandle } from './handle.js';
import type { StartOptions } from './submit.js';

/** Settings given again for a batch that runs already are sent to it. */
export async function applyOptions(batch: BatchHandle<unknown>, options: StartOptions): Promise<void> {
  const { concurrency, weight, budgetUsd, deadline } = options;
  if (concurrency !== undefined) await batch.setConcurrency(concurrency);
  if (weight !== undefined) await batch.setWeight(weight);
  if (budgetUsd !== undefined) await batch.setBudget(budgetUsd);
  if (deadline !== undefined) await batch.setDeadline(new Date(deadline).toISOString());
}
