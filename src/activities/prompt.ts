import type { Context } from '@temporalio/activity';
import type { ActivityDeps } from './context.js';
import { withHeartbeat } from './heartbeat.js';
import { openJob } from './job.js';
import { type PromptEnd, PromptRun } from './promptRun.js';
import { promptFailure, UnsentError, unsentFailure } from './signals.js';
import type { PromptActivities, PromptInput, PromptResult } from './types.js';

/** Outputs up to this many bytes are returned to history, so that the UI shows them; bigger ones stay in the store. */
const MAX_OUTPUT_BYTES = 64 * 1024;

/** The `prompt` activity: one prompt of one record, for the workflow that decides what comes next. */
export function createPromptActivities(deps: ActivityDeps): Pick<PromptActivities, 'prompt'> {
  return {
    async prompt(input: PromptInput): Promise<PromptResult> {
      let waits = 0;
      return withHeartbeat(
        () => waits,
        async (context) => {
          waits = earlierWaits(context);
          const run = new PromptRun(deps, await openJob(deps, input), {
            signal: context.cancellationSignal,
            probe: input.probe === true,
            warn: (message) => void context.log.warn(message, { index: input.index }),
          });
          try {
            return toldToWorkflow(await run.execute(waits));
          } catch (error) {
            if (!(error instanceof UnsentError)) throw error;
            waits = waitsAfter(error);
            throw unsentFailure(error.why);
          }
        },
      );
    },
  };
}

/** Rate limits and refusals in a row before this attempt, as the last attempt's heartbeat told. */
function earlierWaits(context: Context): number {
  const details: unknown = context.info.heartbeatDetails;
  return typeof details === 'number' ? details : 0;
}

function waitsAfter({ why }: UnsentError): number {
  return why.kind === 'wait' ? why.waits : 0;
}

function toldToWorkflow({ result, output }: PromptEnd): PromptResult {
  const { event, verdict } = result;
  if (event.kind === 'error' || event.kind === 'lost') throw promptFailure(event.error, result);
  const shown = verdict === 'valid' && Buffer.byteLength(JSON.stringify(output)) <= MAX_OUTPUT_BYTES;
  return shown ? { ...result, output } : result;
}
