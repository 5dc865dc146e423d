// The barest Temporal program of the shape of a batch: parents that keep children in flight, one activity each.
import { condition, executeChild, proxyActivities } from '@temporalio/workflow';

/** One record. `queue` is where the activity runs. */
export function bareItem(index, queue) {
  const { ask } = proxyActivities({ taskQueue: queue, startToCloseTimeout: '1 minute' });
  return ask(index);
}

/** The records `from..to-1`, `concurrency` at once. */
export async function bareShard(from, to, concurrency, queue) {
  let inFlight = 0;
  let done = 0;
  for (let index = from; index < to; index += 1) {
    await condition(() => inFlight < concurrency);
    inFlight += 1;
    void executeChild(bareItem, { workflowId: `bare/${index}`, args: [index, queue] }).then(() => {
      inFlight -= 1;
      done += 1;
    });
  }
  await condition(() => done === to - from);
  return done;
}
