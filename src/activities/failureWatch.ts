import type { Control, FailureGroup, PauseState, Store } from '../store/types.js';
import type { ErrorCategory } from '../task/errors.js';
import { exceeds, type FailureCount, type MaxFailures } from '../task/maxFailures.js';
import type { Counters } from '../task/outcome.js';
import type { ActivityDeps } from './context.js';
import { haltBatch, tellHalt } from './faults.js';

/** Ends that say nothing of the prompt: a person wanted them, or is wanted, or the record was never asked. */
const NOT_COUNTED: readonly ErrorCategory[] = ['review', 'cancelled', 'deadline', 'budget', 'input'];

/** Causes a pause names. */
const NAMED_GROUPS = 3;

/** Within this time a workflow has made a halt its own; milliseconds. */
const HALT_TOLD_MS = 5_000;

/** Batches whose halts are remembered. */
const KEPT = 200;

/** Characters of the biggest group's example. */
const EXAMPLE_CHARS = 200;

/**
 * Reads control rows, and with them whether a batch has more failures than it may: then pauses it before the next
 * prompt. Every prompt of every execution mode reads the row before it starts, so nothing else is asked.
 */
export function watchFailures(
  deps: Pick<ActivityDeps, 'store' | 'client' | 'batches' | 'now'>,
): Pick<Store, 'readControl'> {
  const { store, batches } = deps;
  const halts = new HaltWatch(deps);
  return {
    async readControl(batchId) {
      const control = await store.readControl(batchId);
      if (control?.halted === true) await halts.look(batchId, control);
      if (control?.paused !== null || control.stop !== null) return control;
      const { maxFailures } = (await batches.get(batchId)).options;
      if (maxFailures === undefined) return control;
      const pause = await pauseFor(deps, batchId, control, maxFailures);
      if (pause === null) return control;
      await haltBatch(deps, batchId, control, pause);
      return store.readControl(batchId);
    },
  };
}

/** A halt whose worker died before it told the workflow is told by whoever sees that it got old. */
class HaltWatch {
  private readonly toldAt = new Map<string, number>();

  constructor(private readonly deps: Pick<ActivityDeps, 'client' | 'now'>) {}

  async look(batchId: string, { paused, version }: Control): Promise<void> {
    const now = this.deps.now();
    const since = Math.max(paused?.since ?? now, this.toldAt.get(batchId) ?? 0);
    if (paused === null || now - since < HALT_TOLD_MS) return;
    this.toldAt.set(batchId, now);
    await tellHalt(this.deps, batchId, { pause: paused, atVersion: version });
    // One that was told twice is taken once: the version says so.
    if (this.toldAt.size > KEPT) this.toldAt.clear();
  }
}

/** The pause a batch should take now; null = it may go on. */
async function pauseFor(
  { store, now }: Pick<ActivityDeps, 'store' | 'now'>,
  batchId: string,
  { forgiven = { failures: 0, asked: 0 } }: Control,
  limit: MaxFailures,
): Promise<PauseState | null> {
  const since = ({ failures, asked }: FailureCount) => ({
    failures: failures - forgiven.failures,
    asked: asked - forgiven.asked,
  });
  // The counters tell most of the time; which failures count takes a look at all of them.
  const counters = await store.counters(batchId);
  if (!exceeds(since(counted(counters, counters.failed + counters.partial)), limit)) return null;
  const groups = countedGroups(await store.failureGroups(batchId));
  const { failures, asked } = since(counted(counters, sizeOf(groups)));
  if (!exceeds({ failures, asked }, limit)) return null;
  const again = forgiven.asked === 0 ? '' : ' since it went on';
  const message = [
    `${failures} of ${asked} records failed${again}, more than maxFailures ${limit} allows: ${causes(groups)}`,
    `Look: \`tempered results ${batchId} --failed\`.`,
    `Then choose another model with \`tempered set ${batchId} --model\`, count anew with \`tempered resume ${batchId}\`,`,
    `or \`tempered cancel ${batchId}\` and mend the task.`,
  ].join(' ');
  return { reason: 'failures', message, since: now() };
}

/** What of a batch's records counts for `maxFailures` now. */
export async function failureCount(
  store: Pick<Store, 'counters' | 'failureGroups'>,
  batchId: string,
): Promise<FailureCount> {
  const [counters, groups] = await Promise.all([store.counters(batchId), store.failureGroups(batchId)]);
  return counted(counters, sizeOf(countedGroups(groups)));
}

/** Answers taken over or given by `before` were not asked for: a valid prompt stands for each that was. */
function counted({ stages }: Counters, failures: number): FailureCount {
  const answered = Object.values(stages).reduce((sum, { valid }) => sum + valid, 0);
  return { failures, asked: answered + failures };
}

function countedGroups(groups: readonly FailureGroup[]): readonly FailureGroup[] {
  return groups.filter(({ category }) => !NOT_COUNTED.includes(category));
}

function sizeOf(groups: readonly FailureGroup[]): number {
  return groups.reduce((sum, { count }) => sum + count, 0);
}

function causes(groups: readonly FailureGroup[]): string {
  const named = groups.slice(0, NAMED_GROUPS).map(({ category, code, count }) => `${count} × ${code ?? category}`);
  const example = (groups[0]?.message ?? '').slice(0, EXAMPLE_CHARS).replace(/[.!?]?$/, '.');
  return `${named.join(', ')}, such as: ${example}`;
}
