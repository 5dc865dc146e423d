/** Every workflow id and task queue name is made here, so that a person who reads one knows what it is. */

/** Queue of the batch, shard, item and review workflows and of the activities that keep the store. */
export const CONTROL_QUEUE = 'tempered';

/** Prompts of a pool: one queue per provider, so that a worker without its key never gets them. */
export function poolQueue(provider: string): string {
  return `llm-${provider}`;
}

/** Prompts of a task with functions: only workers that loaded its module poll it. */
export function taskQueue(taskHash: string): string {
  return `task-${taskHash.slice(0, 12)}`;
}

/** `<task>-<taskHash8>-<dataHash8>[-rN]`: the same task on the same data is the same batch. */
export function batchId(taskName: string, taskHash: string, dataHash: string, run = 0): string {
  const base = `${taskName}-${taskHash.slice(0, 8)}-${dataHash.slice(0, 8)}`;
  return run === 0 ? base : `${base}-r${run}`;
}

/** Workflows of a schedule: the server adds the time of each firing. */
export function scheduleWorkflowId(schedule: string): string {
  return `schedule/${schedule}`;
}

/** The batch of a firing: the schedule's name and the time. */
export function scheduledBatchId(workflowId: string): string {
  return workflowId.slice(scheduleWorkflowId('').length).replaceAll(':', '-');
}

/** A shard of a batch. */
export function shardId(batch: string, shard: number): string {
  return `${batch}/s${shard}`;
}

/** One record's workflow. Never reused: a retry of failures is a new batch. */
export function itemId(batch: string, index: number): string {
  return `${batch}/${index}`;
}

/** The workflow that takes a person's answer for a record. */
export function reviewId(batch: string, index: number): string {
  return `${itemId(batch, index)}/review`;
}
