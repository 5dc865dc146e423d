import { type Ask, buildAsk } from '../../src/activities/ask.js';
import { NO_CONTROL } from '../../src/client/preview.js';
import type { ProviderSet } from '../../src/providers/types.js';
import { initialState, planOf } from '../../src/recovery/ladder.js';
import { compileValidator } from '../../src/recovery/validators.js';
import type { AnyTask } from '../../src/task/defineTask.js';
import type { Message } from '../../src/task/spec.js';

/** The first request of a task's record with these turns, in a batch that decided nothing yet. */
export function firstAsk(
  { hash, spec, functions }: AnyTask,
  messages: readonly Message[],
  endpoints: ProviderSet,
  now = new Date(),
): Ask {
  const plan = planOf(spec);
  return buildAsk({
    task: { hash, spec, plan, checkShape: compileValidator({ schema: spec.schema }), functions, module: undefined },
    record: { index: 0, id: '', line: null, input: null, rendered: { messages } },
    state: initialState(plan),
    kept: null,
    control: NO_CONTROL,
    prepared: undefined,
    endpoints,
    now,
  });
}
