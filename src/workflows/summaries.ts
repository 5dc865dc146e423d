import type { ExecutionMode } from '../store/types.js';
import type { ItemPlan, RetryStateData } from '../recovery/types.js';
import { pathText } from '../recovery/paths.js';
import type { Control, PoolPatch } from '../store/types.js';
import { type BatchCache, batchCacheText } from '../task/cachePlan.js';
import { nanoToUsd } from '../task/money.js';
import type { Issue } from '../task/outcome.js';
import type { Stage } from '../task/spec.js';
import type { Range } from './fanout.js';
import { countOf } from './paging.js';
import type { BatchProgress, FailureNote, InlineCounts } from './types.js';

/** Texts people read in the Temporal UI. No user data beyond record ids and names of fields. */

/** Fields named in one summary. The server takes 400 bytes of it, and a timeline shows less. */
const MAX_FIELDS = 4;

/** One line for a `prompt` activity: `partial @0.25: priority, order.id · prompt 4 of 5`. */
export function promptSummary(
  stage: Stage,
  plan: ItemPlan,
  { promptsUsed, issues }: Pick<RetryStateData, 'promptsUsed' | 'issues'>,
): string {
  const asked = stage.kind === 'partial' ? `: ${fieldsText(issues)}` : '';
  const model = stage.model === undefined ? [] : [stage.model];
  return [`${stageName(stage)}${asked}`, ...model, `prompt ${promptsUsed + 1} of ${plan.maxPrompts}`].join(' · ');
}

/** The fields that failed, each once. */
function fieldsText(issues: readonly Issue[]): string {
  const fields = [...new Set(issues.map(({ path }) => pathText(path).slice(0, 40)))];
  const more = fields.length - MAX_FIELDS;
  return `${fields.slice(0, MAX_FIELDS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** `full @0.25`, `partial effort high`, `full`. */
function stageName(stage: Stage): string {
  if (stage.temperature !== undefined) return `${stage.kind} @${stage.temperature}`;
  return stage.effort === undefined ? stage.kind : `${stage.kind} effort ${stage.effort}`;
}

/** What a shard is, for its details. */
export function shardDetails(shard: number, batchId: string, execution: ExecutionMode): string {
  const how =
    execution === 'item'
      ? 'one child workflow per record'
      : 'pages of first prompts, and a child workflow for each record that needs more';
  return `Shard ${shard} of batch \`${batchId}\`: ${how}.`;
}

/** One line for an item: its position, and its id where that says more. */
export function itemSummary(index: number, id: string): string {
  return id === String(index) ? `record ${index}` : `record ${index} · ${id.slice(0, 80)}`;
}

/** One line for a page: `page: records 0..99`, `page: 40 records of 0..99`. */
export function pageSummary(what: string, ranges: readonly Range[]): string {
  const [first, ...others] = ranges;
  if (first === undefined) return what;
  const last = (ranges.at(-1)?.[1] ?? 0) - 1;
  const count = others.length === 0 ? 'records ' : `${countOf(ranges)} records of `;
  return `${what}: ${count}${first[0]}..${last}`;
}

/** What a shard in `inline` mode shows of itself. */
export function inlineDetails({ answeredAtOnce, becameItems }: InlineCounts): string {
  return `${answeredAtOnce} records answered at once, ${becameItems} became workflows.`;
}

/** The last failures in Markdown. */
export function failureDetails(failures: readonly FailureNote[]): string {
  return failures.map((note) => `- record ${note.index}: ${note.category}: ${note.message}`).join('\n');
}

/** The ladder in Markdown, for an item's details. */
export function planDetails(plan: ItemPlan): string {
  const rungs = plan.stages.map((stage, i) => `${i + 1}. ${stageName(stage)}`).join('\n');
  return `${rungs}\n\nAt most ${plan.maxPrompts} prompts of ${plan.promptTimeoutMs / 1000} s each.`;
}

/** A batch's progress as a small Markdown table, and why its prompts are cached or not. */
export function progressDetails(progress: BatchProgress, cache?: BatchCache): string {
  const head =
    '| status | items | succeeded | partial | failed | not run | open shards |\n|---|---|---|---|---|---|---|';
  const { status, items, succeeded, partial, failed, notRun, openShards } = progress;
  const row = `| ${status} | ${items} | ${succeeded} | ${partial} | ${failed} | ${notRun} | ${openShards} |`;
  const why = progress.paused === null ? '' : `\n\nPaused (${progress.paused.reason}): ${progress.paused.message}`;
  const cached = cache === undefined ? '' : `\n\nPrompt cache: ${batchCacheText(cache)}.`;
  return `${head}\n${row}${why}${cached}\n\nCounts of closed shards; \`tempered status\` shows every record.`;
}

/** A change of a pool's quotas in words. */
export function namedLimits(patch: PoolPatch): string {
  return Object.entries(patch)
    .map(([name, limit]) => `${name} ${limit ?? 'none'}`)
    .join(', ');
}

/** One line for a publication: what holds for every prompt from now on. */
export function controlSummary(control: Control): string {
  const { version, stop, paused, concurrency, autoConcurrency, budgetNano, model, deadline, limits, cancelled } =
    control;
  if (stop !== null) return `v${version} stop: ${stop}`;
  const parts = [
    paused === null
      ? `running, ${concurrency}${autoConcurrency === true ? ' (auto)' : ''} in flight`
      : `paused: ${paused.reason}`,
  ];
  if (budgetNano !== null) parts.push(`budget $${nanoToUsd(budgetNano)}`);
  if (model !== null) parts.push(`model ${model.slice(0, 80)}`);
  if (deadline !== null) parts.push(`until ${new Date(deadline).toISOString()}`);
  for (const [name, limit] of Object.entries(limits)) parts.push(`${name} ${limit}`);
  if (cancelled.length > 0) parts.push(`${cancelled.length} cancelled`);
  return `v${version} ${parts.join(' · ')}`;
}
