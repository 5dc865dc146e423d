import type { ItemError } from '../task/errors.js';
import type { Stage, TaskSpec } from '../task/spec.js';
import { addUsage, ZERO_USAGE } from '../task/usage.js';
import { better, hasKept, partialHelps } from './kept.js';
import type { ItemPlan, PromptEvent, PromptReport, RetryStateData, Step } from './types.js';

/** Truncated answers raise the output cap up to this many times its first value. */
const MAX_OUTPUT_RAISE = 8;

/** What an item's workflow must know of its task. */
export function planOf(spec: TaskSpec): ItemPlan {
  const { stages, maxPrompts, promptTimeoutMs, itemTimeoutMs, maxOutputTokens, retryRefusals } = spec;
  const bound = itemTimeoutMs === undefined ? {} : { itemTimeoutMs };
  return { stages, maxPrompts, promptTimeoutMs, ...bound, maxOutputTokens, retryRefusals };
}

/** The state of an item before its first prompt. */
export function initialState(plan: ItemPlan): RetryStateData {
  return {
    stage: 0,
    promptsUsed: 0,
    kept: null,
    keptRef: null,
    issues: [],
    maxOutputTokens: plan.maxOutputTokens,
    usage: ZERO_USAGE,
    costNano: 0,
    user: {},
  };
}

/** The rung the next prompt is asked on. */
export function currentStage(plan: ItemPlan, state: RetryStateData): Stage {
  return plan.stages[state.stage] ?? plan.stages[plan.stages.length - 1] ?? { kind: 'full' };
}

/**
 * What comes after a prompt: the end, or another prompt on this rung or a later one. Pure and total: the workflow and
 * the activity that writes the outcome both ask it and get the same answer.
 */
export function advance(plan: ItemPlan, before: RetryStateData, report: PromptReport): Step {
  const state = accounted(before, report);
  const { event } = report;
  switch (event.kind) {
    case 'valid':
      return { next: 'finish', state, status: 'succeeded' };
    case 'invalid': {
      const judged = { ...state, ...better(keptOf(state), keptOf(event)) };
      return again(plan, climbed(plan, judged), invalidOutput(event.issues));
    }
    case 'error':
      return afterError(plan, state, event.error);
    case 'lost':
      return again(plan, state, event.error);
  }
}

/** The state with the prompt's cost and the user's keys. An unknown cost makes the sum unknown. */
function accounted(state: RetryStateData, report: PromptReport): RetryStateData {
  const { promptsUsed, usage, costNano, user } = report;
  return {
    ...state,
    promptsUsed,
    usage: usage === null ? state.usage : addUsage(state.usage, usage),
    costNano: state.costNano === null || costNano === null ? null : state.costNano + costNano,
    user,
  };
}

function keptOf({ kept, keptRef, issues }: Extract<PromptEvent, { kind: 'invalid' }> | RetryStateData) {
  return { kept, keptRef, issues };
}

function invalidOutput(issues: RetryStateData['issues']): ItemError {
  const [first] = issues;
  const place = first === undefined || first.path.length === 0 ? '' : `${first.path.join('.')}: `;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  const message = first === undefined ? 'the answer is not valid' : `${place}${first.message}${more}`;
  return { category: 'invalid_output', message, retryable: false };
}

function afterError(plan: ItemPlan, state: RetryStateData, error: ItemError): Step {
  switch (error.category) {
    case 'truncated':
      return again(plan, raised(plan, state), error);
    case 'empty':
    case 'invalid_output':
      return again(plan, climbed(plan, state), error);
    case 'refusal':
    case 'safety':
      return plan.retryRefusals ? again(plan, climbed(plan, state), error) : ended(state, error);
    default:
      // The same question may be answered next time; a question that can't be asked never will.
      return error.retryable ? again(plan, state, error) : ended(state, error);
  }
}

/** More room for the answer on the same rung; the next rung when there is no more room to give. */
function raised(plan: ItemPlan, state: RetryStateData): RetryStateData {
  const most = plan.maxOutputTokens * MAX_OUTPUT_RAISE;
  if (state.maxOutputTokens >= most) return climbed(plan, state);
  return { ...state, maxOutputTokens: Math.min(state.maxOutputTokens * 2, most) };
}

/** The next rung that can help; when there is none above, the last one that can. */
function climbed(plan: ItemPlan, state: RetryStateData): RetryStateData {
  const partial = partialHelps(state);
  const helps = (stage: Stage) => stage.kind === 'full' || partial;
  const above = plan.stages.findIndex((stage, i) => i > state.stage && helps(stage));
  const next = above >= 0 ? above : plan.stages.findLastIndex(helps);
  return { ...state, stage: Math.max(next, 0) };
}

/** Another prompt, if one is left. */
function again(plan: ItemPlan, state: RetryStateData, last: ItemError): Step {
  if (state.promptsUsed < plan.maxPrompts) return { next: 'prompt', state };
  const message = `Exceeded max prompts: ${state.promptsUsed}/${plan.maxPrompts}; last: ${last.message}`;
  return ended(state, { ...last, category: spentCategory(last), message, retryable: true });
}

/** An item whose answers were no good ends as `invalid_output`; one that got none keeps the reason why. */
function spentCategory(last: ItemError): ItemError['category'] {
  return last.category === 'empty' ? 'invalid_output' : last.category;
}

/** The end without a whole answer. Valid fields are worth having, unless a person is to look at all of it. */
function ended(state: RetryStateData, error: ItemError): Step {
  const status = hasKept(state) && error.category !== 'review' ? 'partial' : 'failed';
  return { next: 'finish', state, status, error };
}
