import type { Estimate, ModelEstimate } from '../client/estimate/types.js';
import type { PaceLimit } from '../client/estimate/duration.js';
import { decisionText, EXPLICIT_HELD_BACK } from '../task/cachePlan.js';
import { count } from '../task/digits.js';
import { duration, money, percent, plural } from './format.js';
import { table } from './table.js';

const LIMIT_NAMES: Readonly<Record<PaceLimit, string>> = {
  concurrency: 'concurrency',
  'requests per minute': "the account's requests per minute",
  'tokens per minute': "the account's tokens per minute",
  'input tokens per minute': "the account's input tokens per minute",
  'output tokens per minute': "the account's output tokens per minute",
  'requests in flight': "the account's requests in flight",
  workflows: 'the workflow engine, 55 records a second on two cores',
  worker: 'the worker, 400 prompts a second on two cores',
};

/** An estimate in words: the arithmetic of each model, then the models beside each other. Pure. */
export function estimateText(made: Estimate, command: string): readonly string[] {
  const { items, preset, skipped, estimates } = made;
  const parts = [plural(items, 'record')];
  if (preset > 0) parts.push(`${count(preset)} settled without a prompt`);
  if (skipped.length > 0) parts.push(`${plural(skipped.length, 'bad one')} left out`);
  const models = estimates.flatMap((one) => ['', ...modelText(one, items - preset)]);
  return [
    `${made.task} on ${made.source}: ${parts.join(', ')}`,
    ...models,
    ...(estimates.length < 2 ? [] : ['', ...comparison(estimates)]),
    '',
    ...closing(estimates, command),
  ];
}

function modelText(made: ModelEstimate, records: number): readonly string[] {
  const { usage } = made;
  const prefix = made.prefixTokens === null ? '' : `, ${count(made.prefixTokens)} of them the same for every record`;
  const margin = made.promptTokensMargin === 0 ? '' : ` ± ${count(made.promptTokensMargin)}`;
  const inputs = [`${count(usage.inputTokens)} tokens in`];
  if (usage.cachedInputTokens > 0) inputs.push(`${count(usage.cachedInputTokens)} read from the cache`);
  if (usage.cacheWriteTokens > 0) inputs.push(`${count(usage.cacheWriteTokens)} written to it`);
  return [
    made.model,
    `  prompt     ${count(made.promptTokens)} tokens${margin}${prefix} (${made.tokenBasis}; ${plural(made.sampled, 'record')} sampled)`,
    `  answer     ${count(made.answerTokens)} tokens (${made.answerBasis})`,
    `  prompts    ${made.promptsPerRecord.toFixed(2)} a record × ${count(records)} = ${count(made.promptsPerRecord * records)} (${made.retryBasis})`,
    `  in all     ${inputs.join(', ')}; ${count(usage.outputTokens)} out`,
    `  cost       ${costText(made)}`,
    ...(made.caching === null ? [] : [`  caching    ${decisionText(made.caching)}`]),
    ...explicitText(made),
    ...uncachedText(made),
    ...(made.batchApiUsd === null
      ? []
      : [`  Batch API  ${money(made.batchApiUsd)} at its own price (not offered by \`run\` yet)`]),
    `  time       ${duration(made.seconds)}, limited by ${LIMIT_NAMES[made.limitedBy]}`,
    ...budgetText(made, records),
    ...pilotText(made),
  ];
}

function costText({ cost }: ModelEstimate): string {
  if (cost === null) return 'unpriced: the price of this model is not known';
  return `${money(cost.usd)}, between ${money(cost.lowUsd)} and ${money(cost.highUsd)}`;
}

function explicitText({ explicitCache: cache }: ModelEstimate): readonly string[] {
  if (cache === null) return [];
  if (!cache.made) return [`  explicit   ${EXPLICIT_HELD_BACK}`];
  const sums = `${money(cache.makeUsd)} to make, ${money(cache.storageUsdPerHour)} an hour to keep`;
  return [`  explicit   cache of ${count(cache.tokens)} tokens would be made: ${sums}; billed apart, not in the cost`];
}

function uncachedText({ cost, uncachedUsd }: ModelEstimate): readonly string[] {
  if (cost === null || uncachedUsd === null || uncachedUsd === 0) return [];
  const saved = uncachedUsd - cost.usd;
  const share = `${money(Math.abs(saved))} or ${percent(Math.abs(saved) / uncachedUsd)} ${saved >= 0 ? 'saved' : 'more'} by caching`;
  return [`  uncached   ${money(uncachedUsd)}${Math.abs(saved) < uncachedUsd / 1000 ? '' : `: ${share}`}`];
}

function budgetText({ budget }: ModelEstimate, records: number): readonly string[] {
  if (budget === null) return [];
  const words = { yes: 'is enough', maybe: 'is likely to be enough', no: 'is not enough' }[budget.fits];
  const part = budget.records < records ? `, it pays for about ${plural(budget.records, 'record')}` : '';
  return [`  budget     ${money(budget.usd)} ${words}${part}`];
}

function pilotText({ pilot }: ModelEstimate): readonly string[] {
  if (pilot === null) return [];
  return [`  sample     ${plural(pilot.records, 'record')} run as ${pilot.batchId} for ${money(pilot.costUsd)}`];
}

function comparison(estimates: readonly ModelEstimate[]): readonly string[] {
  const rows = estimates.map((made) => [
    made.model,
    count(made.usage.inputTokens),
    count(made.usage.outputTokens),
    made.cost === null ? 'unpriced' : money(made.cost.usd),
    made.cost === null ? '' : `${money(made.cost.lowUsd)} – ${money(made.cost.highUsd)}`,
    duration(made.seconds),
  ]);
  return table(['model', 'tokens in', 'out', 'cost', 'range', 'time'], rows);
}

function closing(estimates: readonly ModelEstimate[], command: string): readonly string[] {
  const piloted = estimates.some(({ pilot }) => pilot !== null);
  return [
    ...(piloted ? [] : ['No prompt was sent. --sample 20 really runs 20 records and projects from them.']),
    `First prompt: ${command} --dry-run`,
    `Run it:       ${command}${piloted ? ' --reuse (takes the answers of the sample over)' : ''}`,
  ];
}
