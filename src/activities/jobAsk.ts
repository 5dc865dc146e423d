import type { Control } from '../store/types.js';
import { type Ask, buildAsk } from './ask.js';
import { cachingOf } from './caching.js';
import type { ActivityDeps } from './context.js';
import type { Job } from './job.js';

/** The request of a job as its batch's settings and messages want it. Throws as {@link buildAsk} does. */
export function askOf(deps: ActivityDeps, job: Job, control: Control, warn: (line: string) => void): Ask {
  const { batch, task, record, state, kept } = job;
  // The batch counted when it began: records that were settled before send no prompt.
  const told = control.cache === undefined ? {} : { prompts: control.cache.decision.reads + 1 };
  return buildAsk({
    task,
    record,
    state,
    kept,
    control,
    prepared: batch.prepared,
    endpoints: deps.providers,
    cache: { ...cachingOf(batch, task.spec, deps.optimizing), ...told, warn },
    now: new Date(deps.now()),
  });
}
