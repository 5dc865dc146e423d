import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
  setWorkflowOptions,
  sleep,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { PromptResult } from '../activities/types.js';
import { advance, currentStage, initialState } from '../recovery/ladder.js';
import { RetryState } from '../recovery/retryState.js';
import { stageTable, storyLine } from '../recovery/story.js';
import type { RetryStateData, Step } from '../recovery/types.js';
import { isErrorCategory, type ItemError } from '../task/errors.js';
import { nanoToUsd } from '../task/money.js';
import { background } from './background.js';
import { itemTimeoutError } from './ends.js';
import { retryStateQuery, skipSignal } from './messages.js';
import { functions, prompts, rows } from './proxies.js';
import { promptSummary } from './summaries.js';
import type { ItemInput, ItemResult } from './types.js';
import { versioned } from './versioning.js';

/** Workers lost in a row without one journalled prompt, after which the record itself is the likely cause. */
const MAX_LOST_WORKERS = 10;

/** How the item ended, before its workflow says so. */
interface End {
  readonly step: Extract<Step, { next: 'finish' }>;
  readonly story: readonly PromptResult[];
  /** The outcome is in the store already. */
  readonly written: boolean;
}

/**
 * One record: climbs the ladder until a valid answer or the last prompt. Its state is workflow state, so a crash
 * continues at the stage it was in. Ends Failed when the record failed, so that the UI's list shows it.
 */
export async function item(input: ItemInput): Promise<ItemResult> {
  const climb = new Climb(input);
  setHandler(retryStateQuery, () => climb.state);
  const scope = new CancellationScope({ cancellable: true });
  let givenUp: ItemError | undefined;
  const giveUp = (error: ItemError): void => {
    givenUp ??= error;
    scope.cancel();
  };
  setHandler(skipSignal, () => giveUp(SKIPPED));
  const { itemTimeoutMs } = input.plan;
  if (itemTimeoutMs !== undefined) background(watchTime(itemTimeoutMs, input.since, giveUp));
  let end: End;
  try {
    end = await scope.run(() => climb.run());
    // Whatever its last prompt ended with, also a wait that nobody tries again for it: it was given up.
    if (givenUp !== undefined && !end.written) end = climb.ended('notRun', givenUp);
  } catch (error) {
    if (givenUp === undefined || !isCancellation(error)) throw error;
    end = climb.ended('notRun', givenUp);
  }
  // Most ends need nothing more; a promise costs the workflow thread a stack trace.
  return end.written && !input.postProcess ? told(input.index, end) : close(input, end);
}
setWorkflowOptions(versioned('PINNED'), item);

/** A record with a time limit is given up when that is over, whatever it waits for. */
async function watchTime(
  itemTimeoutMs: number,
  since: number | undefined,
  giveUp: (error: ItemError) => void,
): Promise<void> {
  const left = (since ?? Date.now()) + itemTimeoutMs - Date.now();
  if (left > 0) await sleep(left, { summary: 'time of the record' });
  giveUp(itemTimeoutError(itemTimeoutMs));
}

const SKIPPED: ItemError = {
  category: 'cancelled',
  code: 'skipped',
  message: 'Skipped by a signal to its workflow.',
  retryable: true,
};

class Climb {
  state: RetryStateData;
  private readonly story: PromptResult[] = [];
  private readonly prompt;

  constructor(private readonly input: ItemInput) {
    this.state = input.state ?? initialState(input.plan);
    this.prompt = prompts(input.queue, input.plan.promptTimeoutMs).prompt;
  }

  /** Prompts until the ladder ends. */
  async run(): Promise<End> {
    let lost = 0;
    for (;;) {
      const asked = await this.ask();
      if (asked.kind === 'stopped') return this.ended('notRun', asked.error);
      if (asked.kind === 'broken') return this.ended('failed', asked.error);
      if (asked.kind === 'lost') {
        lost += 1;
        if (lost >= MAX_LOST_WORKERS) return this.ended('failed', asked.error);
        await sleep(Math.min(1_000 * lost, 5_000), { summary: 'a worker was lost; asking again' });
        continue;
      }
      lost = 0;
      this.story.push(asked.result);
      const step = advance(this.input.plan, this.state, asked.result);
      this.state = step.state;
      setCurrentDetails(stageTable(this.story));
      if (step.next === 'finish') return { step, story: this.story, written: true };
    }
  }

  /** An end that no prompt decided; the outcome is still to be written. */
  ended(status: 'notRun' | 'failed', error: ItemError): End {
    return { step: { next: 'finish', state: this.state, status, error }, story: this.story, written: false };
  }

  private async ask(): Promise<Asked> {
    const { batchId, index, plan } = this.input;
    const summary = promptSummary(currentStage(plan, this.state), plan, this.state);
    try {
      const result = await this.prompt.executeWithOptions({ summary }, [{ batchId, index, state: this.state }]);
      return { kind: 'result', result };
    } catch (error) {
      return readFailure(error);
    }
  }
}

type Asked =
  | { readonly kind: 'result'; readonly result: PromptResult }
  | { readonly kind: 'stopped'; readonly error: ItemError }
  /** Our own activity could not even ask; no prompt can change that. */
  | { readonly kind: 'broken'; readonly error: ItemError }
  | { readonly kind: 'lost'; readonly error: ItemError };

/** What a failed `prompt` activity means. Rethrows cancellation and what it does not know. */
function readFailure(error: unknown): Asked {
  if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
  const { cause } = error;
  if (cause instanceof TimeoutFailure) {
    const message = `The worker was lost (${cause.timeoutType}) while the prompt was in flight.`;
    return { kind: 'lost', error: { category: 'unknown', code: 'worker_lost', message, retryable: true } };
  }
  if (cause instanceof ApplicationFailure) {
    const detail: unknown = cause.details?.[0];
    if (cause.type === 'Stopped' && isItemError(detail)) return { kind: 'stopped', error: detail };
    if (isPromptResult(detail)) return { kind: 'result', result: detail };
    const category = isErrorCategory(cause.type) ? cause.type : 'unknown';
    return { kind: 'broken', error: { category, message: cause.message, retryable: false } };
  }
  throw error;
}

// Both come from our own activity, which builds them typed; the check keeps a foreign failure from passing as one.
function isPromptResult(value: unknown): value is PromptResult {
  return typeof value === 'object' && value !== null && 'event' in value && 'promptsUsed' in value;
}
function isItemError(value: unknown): value is ItemError {
  return typeof value === 'object' && value !== null && 'category' in value && 'message' in value;
}

/** Writes what is not written, runs the post-processor, and ends the workflow the way the record ended. */
async function close(input: ItemInput, end: End): Promise<ItemResult> {
  const { batchId, index } = input;
  const { error } = end.step;
  let { status } = end.step;
  if (!end.written && error !== undefined) {
    const summary = `${status}: ${error.category}`;
    status = (await rows.finishItem.executeWithOptions({ summary }, [{ batchId, index, status, error }])) ?? status;
  }
  const more = input.postProcess && status !== 'notRun' ? [await postProcess(input)] : [];
  return told(index, { ...end, step: { ...end.step, status } }, more);
}

/** The workflow's result; throws what a failed record's workflow fails with. `more` follows the story of its prompts. */
function told(index: number, { step, story: prompts }: End, more: readonly string[] = []): ItemResult {
  const { status, state, error } = step;
  RetryState.fromJSON(state, (message, facts) => log.debug(message, { index, ...facts })).clear();
  const story = [...prompts.map((prompt) => storyLine(prompt)), ...more];
  const costUsd = state.costNano === null ? null : nanoToUsd(state.costNano);
  if (status === 'failed') {
    const failure = ApplicationFailure.nonRetryable(error?.message ?? 'failed', error?.category, { story, costUsd });
    // No bug of ours to trace: the page shows the story where a stack would stand.
    failure.stack = '';
    throw failure;
  }
  return { status, story, prompts: state.promptsUsed, costUsd };
}

async function postProcess(input: ItemInput): Promise<string> {
  const { functionQueue } = input;
  try {
    const call = functions(functionQueue).postProcess;
    const { changed } = await call.executeWithOptions({ summary: 'postProcess' }, [input.batchId, input.index]);
    return `postProcess changed ${changed}`;
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return `postProcess failed: ${error.cause?.message ?? error.message}; the outcome stands as it was`;
  }
}
