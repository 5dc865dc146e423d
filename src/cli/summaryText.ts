import type { BatchHandle } from '../client/handle.js';
import type { BatchSnapshot } from '../client/snapshot.js';
import type { BatchSummary } from '../client/summary.js';
import { count } from '../task/digits.js';
import { duration, money, oneLine, percent, perSecond, plural } from './format.js';
import { remedyFor } from './remedies.js';

/** What the session that ends knows beside the batch's own figures. */
export interface SessionFacts {
  /** Spent before this command began; USD; null = not told apart. */
  readonly earlierUsd: number | null;
  /** Answers taken over from earlier batches. */
  readonly reused: number;
}

/** The words a run ends with: counts, failures by cause with what fixes them, tokens, money, where things are. */
export async function summaryText(
  batch: BatchHandle<unknown>,
  summary: BatchSummary,
  facts: SessionFacts,
): Promise<readonly string[]> {
  const snapshot = await batch.progress();
  return [
    '',
    headline(summary),
    `  ${countsText(summary)}`,
    ...(await failureLines(batch, summary)),
    `  prompts   ${count(summary.prompts)}`,
    `  tokens    ${tokensText(summary)}`,
    `  money     ${moneyText(snapshot, summary, facts)}`,
    ...(summary.out === null ? [] : [`  results   ${summary.out}`]),
    ...(summary.ui === null ? [] : [`  web UI    ${summary.ui}`]),
  ];
}

function headline({ batchId, status, items, seconds, itemsPerSecond }: BatchSummary): string {
  const time = seconds === null ? '' : ` in ${duration(seconds)}`;
  const rate = itemsPerSecond === null || itemsPerSecond === 0 ? '' : ` (${perSecond(itemsPerSecond)})`;
  return `Batch ${batchId} ${status}: ${plural(items, 'record')}${time}${rate}.`;
}

function countsText({ items, succeeded, partial, failed, notRun }: BatchSummary): string {
  const parts = [`${count(succeeded)} succeeded`, `${count(partial)} partial`, `${count(failed)} failed`];
  if (notRun > 0) parts.push(`${count(notRun)} not run`);
  const open = items - succeeded - partial - failed - notRun;
  if (open > 0) parts.push(`${count(open)} still to do`);
  return parts.join(', ');
}

async function failureLines(batch: BatchHandle<unknown>, summary: BatchSummary): Promise<readonly string[]> {
  if (summary.failed + summary.partial + summary.notRun === 0) return [];
  const groups = await batch.failures();
  return groups.flatMap(({ category, code, count: n, examples, message }) => {
    const name = code === null ? category : `${category}/${code}`;
    const remedy = remedyFor(category, batch.id, examples[0] ?? 0);
    return [
      `    ${count(n)} × ${name}, such as record ${examples.join(', ')}: ${oneLine(message).slice(0, 200)}`,
      ...(remedy === null ? [] : [`      ${remedy}`]),
    ];
  });
}

function tokensText({ usage }: BatchSummary): string {
  const { inputTokens, cachedInputTokens, outputTokens, unknownPrompts } = usage;
  const cached = cachedInputTokens === 0 ? '' : ` (${percent(cachedInputTokens / inputTokens)} from cache)`;
  const unknown = unknownPrompts === 0 ? '' : `; ${plural(unknownPrompts, 'prompt')} of unknown size`;
  return `${count(inputTokens)} in${cached}, ${count(outputTokens)} out${unknown}`;
}

function moneyText({ money: sums }: BatchSnapshot, summary: BatchSummary, facts: SessionFacts): string {
  const { spentUsd, unknownUsd, cacheSavingsUsd } = sums;
  const reused = facts.reused === 0 ? '' : `, ${plural(facts.reused, 'answer')} taken over`;
  if (spentUsd === null) return `unpriced: the price of a model is not known${reused}`;
  const earlier = facts.earlierUsd;
  const parts =
    earlier === null
      ? [`${money(spentUsd)} spent`]
      : [`${money(spentUsd - earlier)} this session`, `${money(earlier)} earlier`];
  const asked = summary.succeeded - facts.reused;
  const saved = asked > 0 ? `, about ${money((spentUsd / asked) * facts.reused)} saved` : '';
  if (facts.reused > 0) parts.push(`${plural(facts.reused, 'answer')} taken over${saved}`);
  if (cacheSavingsUsd !== null && cacheSavingsUsd !== 0) parts.push(`${money(cacheSavingsUsd)} saved by caching`);
  if (unknownUsd > 0) parts.push(`and up to ${money(unknownUsd)} for prompts whose usage nobody told`);
  return parts.join(', ');
}
