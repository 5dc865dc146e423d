import type { ScheduleDescription, ScheduleHandle, ScheduleOverlapPolicy } from '@temporalio/client';
import { TemperedError } from '../../task/errors.js';
import { loadTask } from '../../task/loadTask.js';
import { CONTROL_QUEUE, scheduledBatchId, scheduleWorkflowId } from '../../workflows/ids.js';
import type { scheduled } from '../../workflows/scheduled.js';
import type { ScheduledInput, ScheduledOptions } from '../../workflows/scheduleTypes.js';
import { openDataset } from '../data/index.js';
import type { ClientContext } from '../context.js';
import { temporalClient } from '../temporalPackages.js';
import { inFolder } from './submitFile.js';

/** What happens when the batch of the firing before still runs. */
export type OverlapPolicy = Exclude<ScheduleOverlapPolicy, 'TERMINATE_OTHER' | 'UNSPECIFIED'>;

/** When a schedule fires, and what its batches are like. */
export interface ScheduleOptions extends ScheduledOptions {
  /** Cron expression, such as `0 6 * * *`. */
  readonly cron?: string | undefined;
  /** Milliseconds between firings. */
  readonly everyMs?: number | undefined;
  /** Of the cron expression, such as `Europe/Berlin`. Default UTC. */
  readonly timeZone?: string | undefined;
  /** Default `SKIP`: the firing is left out. */
  readonly overlap?: OverlapPolicy | undefined;
  /** Created, but not firing until `unpause`. */
  readonly paused?: boolean | undefined;
}

/** A schedule. */
export interface ScheduleState {
  /** Its name. */
  readonly schedule: string;
  /** The task's file; null in a list. */
  readonly task: string | null;
  /** The data set's file; null in a list. */
  readonly data: string | null;
  /** Does not fire. */
  readonly paused: boolean;
  /** Why it is paused, or what somebody noted. */
  readonly note: string | null;
  /** Its next firings, ISO times. */
  readonly next: readonly string[];
  /** Batches of its last firings, oldest first. */
  readonly batches: readonly string[];
}

/** Schedules of the Temporal server: each firing runs a task on its data set anew, as a batch of its own. */
export class Schedules {
  constructor(private readonly context: ClientContext) {}

  /**
   * Creates one. The files must lie in this process' folder, and in that of the workers; both are read now to see that
   * they can be. Throws `input` for what can't be used, and for a name that is taken.
   */
  async create(schedule: string, task: string, data: string, options: ScheduleOptions): Promise<void> {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(schedule)) {
      throw new TemperedError('input', `"${schedule}" can't be a schedule's name.`, {
        remedy: 'Use letters, digits, dots, dashes and underscores, 100 at most.',
      });
    }
    const { cron, everyMs, timeZone, overlap = 'SKIP', paused = false, ...rest } = options;
    if ((cron === undefined) === (everyMs === undefined)) {
      throw new TemperedError('input', 'A schedule fires by a cron expression or at an interval.', {
        remedy: 'For example: --cron "0 6 * * *", or --interval 6h',
      });
    }
    const input: ScheduledInput = { task: inFolder(task), data: inFolder(data), options: rest };
    await loadTask(input.task);
    await openDataset(input.data, { onBad: 'skip' });
    const spec = {
      ...(cron === undefined ? {} : { cronExpressions: [cron] }),
      ...(everyMs === undefined ? {} : { intervals: [{ every: everyMs }] }),
      ...(timeZone === undefined ? {} : { timezone: timeZone }),
    };
    const client = await this.context.client();
    await this.explained(schedule, () =>
      client.schedule.create({
        scheduleId: schedule,
        spec,
        action: {
          type: 'startWorkflow',
          workflowType: 'scheduled' satisfies (typeof scheduled)['name'],
          workflowId: scheduleWorkflowId(schedule),
          taskQueue: CONTROL_QUEUE,
          args: [input],
          staticSummary: `${input.task} on ${input.data}`,
        },
        policies: { overlap },
        state: { paused },
      }),
    );
  }

  /** Every schedule of batches, by name. */
  async list(): Promise<readonly ScheduleState[]> {
    const client = await this.context.client();
    const found: ScheduleState[] = [];
    for await (const { scheduleId, action, state, info } of client.schedule.list()) {
      if (action?.workflowType !== 'scheduled') continue;
      found.push({ schedule: scheduleId, task: null, data: null, ...told(state, info) });
    }
    return found.sort((a, b) => (a.schedule < b.schedule ? -1 : 1));
  }

  /** One schedule. Throws `input` when there is none of that name. */
  async describe(schedule: string): Promise<ScheduleState> {
    const { action, state, info } = await this.call(schedule, (handle) => handle.describe());
    const input: unknown = action.args?.[0];
    const files = isInput(input) ? { task: input.task, data: input.data } : { task: null, data: null };
    return { schedule, ...files, ...told(state, info) };
  }

  /** It fires no more, until `unpause`. */
  pause(schedule: string, note?: string): Promise<void> {
    return this.call(schedule, (handle) => handle.pause(note));
  }

  /** It fires again. */
  unpause(schedule: string, note?: string): Promise<void> {
    return this.call(schedule, (handle) => handle.unpause(note));
  }

  /** Fires now, whatever its time and whether it is paused. */
  trigger(schedule: string, overlap?: OverlapPolicy): Promise<void> {
    return this.call(schedule, (handle) => handle.trigger(overlap));
  }

  /** Deletes it; batches that run go on. */
  delete(schedule: string): Promise<void> {
    return this.call(schedule, (handle) => handle.delete());
  }

  private async call<T>(schedule: string, work: (handle: ScheduleHandle) => Promise<T>): Promise<T> {
    const handle = (await this.context.client()).schedule.getHandle(schedule);
    return this.explained(schedule, () => work(handle));
  }

  private async explained<T>(schedule: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw explain(schedule, error);
    }
  }
}

/** gRPC code of a request that can't be: INVALID_ARGUMENT. */
const NOT_VALID: readonly number[] = [3];

/** What the server or its client refuses, as an error a person can act on. */
function explain(schedule: string, error: unknown): unknown {
  const { isGrpcServiceError, ScheduleAlreadyRunning, ScheduleNotFoundError } = temporalClient();
  if (error instanceof ScheduleNotFoundError) {
    const remedy = '`tempered schedule list` shows those there are.';
    return new TemperedError('input', `There is no schedule ${schedule}.`, { remedy, cause: error });
  }
  if (error instanceof ScheduleAlreadyRunning) {
    const remedy = `Choose another name, or delete it first: tempered schedule delete ${schedule}`;
    return new TemperedError('input', `There is a schedule ${schedule} already.`, { remedy, cause: error });
  }
  const refused = isGrpcServiceError(error) && NOT_VALID.includes(error.code) ? error.details : undefined;
  // The client reads cron expressions itself, and throws what JavaScript has for wrong values.
  const words = error instanceof TypeError ? error.message : refused;
  if (words === undefined) return error;
  const remedy = 'A cron expression has five fields, such as "0 6 * * *"; a time zone is named like Europe/Berlin.';
  return new TemperedError('input', `The schedule can't be made: ${words}.`, { remedy, cause: error });
}

function told(
  { paused, note }: Pick<ScheduleDescription['state'], 'paused' | 'note'>,
  { nextActionTimes, recentActions }: Pick<ScheduleDescription['info'], 'nextActionTimes' | 'recentActions'>,
): Pick<ScheduleState, 'paused' | 'note' | 'next' | 'batches'> {
  return {
    paused,
    note: note === undefined || note === '' ? null : note,
    next: nextActionTimes.map((time) => time.toISOString()),
    batches: recentActions.map(({ action }) => scheduledBatchId(action.workflow.workflowId)),
  };
}

function isInput(value: unknown): value is Pick<ScheduledInput, 'task' | 'data'> {
  return typeof value === 'object' && value !== null && 'task' in value && 'data' in value;
}

export type { ScheduledOptions } from '../../workflows/scheduleTypes.js';
