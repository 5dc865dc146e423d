import type { Client } from '@temporalio/client';
import { hasEnded } from '../worker/workerName.js';
import { CONTROL_QUEUE } from '../workflows/ids.js';
import { notAnswering, reached } from './temporalErrors.js';
import { within } from './within.js';

/** A worker asks for work again within 60 s; one not heard of for longer is gone. Milliseconds. */
const FRESH_MS = 70_000;

/** Longest wait for the server's answer; milliseconds. Without it, a server that is away is asked again for 17 s. */
const ANSWER_MS = 5_000;

/**
 * Those of `queues` that no live worker polls. The control queue is asked for workflow tasks, the others for activities.
 * Throws `network` when the server does not answer.
 */
export async function unpolled(client: Client, queues: readonly string[]): Promise<readonly string[]> {
  const ask = () =>
    Promise.all(queues.map((queue) => isPolled(client, queue, queue === CONTROL_QUEUE ? 'workflow' : 'activity')));
  const polled = await reached(() =>
    within(ANSWER_MS, ask(), () => notAnswering(`no word within ${ANSWER_MS / 1000} s`)),
  );
  return queues.filter((_, i) => polled[i] === false);
}

/** True when a live worker polls `queue` for this kind of task. A worker of this machine must also still exist. */
async function isPolled(client: Client, queue: string, kind: 'workflow' | 'activity'): Promise<boolean> {
  const { namespace } = client.options;
  const { default: proto } = await import('@temporalio/proto');
  const { TASK_QUEUE_TYPE_WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY } = proto.temporal.api.enums.v1.TaskQueueType;
  const taskQueueType = kind === 'workflow' ? TASK_QUEUE_TYPE_WORKFLOW : TASK_QUEUE_TYPE_ACTIVITY;
  const request = { namespace, taskQueue: { name: queue }, taskQueueType };
  const { pollers } = await client.connection.workflowService.describeTaskQueue(request);
  return pollers.some(({ lastAccessTime, identity }) => {
    const at = Number(lastAccessTime?.seconds ?? 0) * 1000;
    return Date.now() - at < FRESH_MS && isAlive(identity ?? '');
  });
}

/** Identities are `pid@host`; of other machines only the poll itself tells. */
function isAlive(identity: string): boolean {
  const at = identity.indexOf('@');
  const pid = Number(identity.slice(0, at));
  return at < 0 || !Number.isInteger(pid) || !hasEnded(identity.slice(at + 1), pid);
}
