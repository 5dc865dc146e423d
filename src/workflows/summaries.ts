import type { ItemPlan } from '../recovery/types.js';
import type { Stage } from '../task/spec.js';
import type { BatchProgress } from './types.js';

/** Texts people read in the Temporal UI. No user data beyond record ids. */

/** One line for a `prompt` activity: `partial @0.25 · prompt 4 of 5`. */
export function promptSummary(stage: Stage, plan: ItemPlan, promptsUsed: number): string {
  const parts = [stageName(stage), `prompt ${promptsUsed + 1} of ${plan.maxPrompts}`];
  if (stage.model !== undefined) parts.splice(1, 0, stage.model);
  return parts.join(' · ');
}

/** `full @0.25`, `partial effort high`, `full`. */
export function stageName(stage: Stage): string {
  if (stage.temperature !== undefined) return `${stage.kind} @${stage.temperature}`;
  return stage.effort === undefined ? stage.kind : `${stage.kind} effort ${stage.effort}`;
}

/** One line for an item: its position, and its id where that says more. */
export function itemSummary(index: number, id: string): string {
  return id === String(index) ? `record ${index}` : `record ${index} · ${id.slice(0, 80)}`;
}

/** The ladder in Markdown, for an item's details. */
export function planDetails(plan: ItemPlan): string {
  const rungs = plan.stages.map((stage, i) => `${i + 1}. ${stageName(stage)}`).join('\n');
  return `${rungs}\n\nAt most ${plan.maxPrompts} prompts of ${plan.promptTimeoutMs / 1000} s each.`;
}

/** A batch's progress as a small Markdown table. */
export function progressDetails(progress: BatchProgress): string {
  const head =
    '| status | items | succeeded | partial | failed | not run | open shards |\n|---|---|---|---|---|---|---|';
  const { status, items, succeeded, partial, failed, notRun, openShards } = progress;
  const row = `| ${status} | ${items} | ${succeeded} | ${partial} | ${failed} | ${notRun} | ${openShards} |`;
  const why = progress.paused === null ? '' : `\n\nPaused (${progress.paused.reason}): ${progress.paused.message}`;
  return `${head}\n${row}${why}\n\nCounts of closed shards; \`tempered status\` shows every record.`;
}
