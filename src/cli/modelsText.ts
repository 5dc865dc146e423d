import type { ModelRow, ModelTable } from '../client/models.js';
import { count } from '../task/digits.js';
import { table } from './table.js';

type Info = ModelRow['info'];
type Bands = NonNullable<Info['prices']>;

/** Models as a table, and what could not be asked. Pure. */
export function modelsText({ rows, silent }: ModelTable): readonly string[] {
  const cells = rows.map((row) => [
    row.model,
    stateOf(row),
    tokens(row.info.contextTokens),
    tokens(row.info.maxOutputTokens),
    price(row.info.prices, ({ input }) => input),
    price(row.info.prices, ({ output }) => output),
    price(row.info.prices, ({ cacheRead }) => cacheRead),
  ]);
  return [
    ...table(['model', 'state', 'context', 'answer', '$/M in', '$/M out', '$/M cached'], cells),
    ...(rows.length === 0 ? ['No model is known.'] : []),
    ...silent.map(({ provider, message }) => `${provider} could not be asked: ${message}`),
  ];
}

/** All that is known of one model. Pure. */
export function modelText(row: ModelRow): readonly string[] {
  const { info } = row;
  const facts: readonly (readonly [string, string])[] = [
    ['state', stateOf(row)],
    ['context', tokens(info.contextTokens)],
    ['longest answer', tokens(info.maxOutputTokens)],
    ['can', info.capabilities?.join(', ') ?? 'unknown'],
    ['structured output', info.structuredOutput === null ? 'unknown' : info.structuredOutput ? 'yes' : 'no'],
    ['temperature', temperature(info.sampling)],
    ['effort', effort(info)],
    ['smallest cached prefix', tokens(info.minCacheTokens)],
    ['knows the world until', info.knowledgeCutoff ?? 'unknown'],
    ['numbers from', info.source ?? 'unknown'],
  ];
  return [row.model, ...facts.map(([name, value]) => `  ${name.padEnd(24)}${value}`), ...priceText(info)];
}

function stateOf({ listed, loaded }: ModelRow): string {
  if (loaded !== null) return loaded ? 'loaded' : 'not loaded';
  return listed === null ? '' : listed ? 'listed' : 'not listed';
}

function tokens(value: number | null): string {
  return value === null ? 'unknown' : count(value);
}

/** The price of the first band; `+` when longer prompts cost another. */
function price(bands: Info['prices'], of: (band: Bands[number]) => number): string {
  const [first] = bands ?? [];
  return first === undefined ? 'unpriced' : `${of(first)}${(bands ?? []).length > 1 ? '+' : ''}`;
}

function temperature(rule: Info['sampling']): string {
  switch (rule.kind) {
    case 'none':
      return 'none that is known';
    case 'temperature':
      return `${rule.min} to ${rule.max}`;
    case 'temperature-legacy-api':
      return `${rule.min} to ${rule.max}, older API versions only`;
    case 'temperature-without-reasoning':
      return `${rule.min} to ${rule.max}, only with reasoning effort none`;
  }
}

function effort({ effort: rule }: Info): string {
  if (rule === null) return 'none that is known';
  return `${rule.levels.join(', ')}${rule.standard === null ? '' : ` (${rule.standard} when nothing is said)`}`;
}

function priceText({ prices, batchPrices }: Info): readonly string[] {
  if (prices === null) return ['  unpriced: a budget is refused for it; tempered.config can name its prices'];
  const rows = (bands: Bands, label: string) =>
    bands.map(({ upTo, input, output, cacheRead, cacheWrite5m, cacheWrite1h }) => [
      `  ${label}${upTo === null ? (bands.length > 1 ? ', longer' : '') : `, up to ${count(upTo)}`}`,
      ...[input, cacheRead, cacheWrite5m, cacheWrite1h, output].map(String),
    ]);
  const headings = ['  USD per million tokens', 'in', 'cache read', 'write 5 min', 'write 1 h', 'out'];
  return table(headings, [...rows(prices, 'prompts'), ...(batchPrices === null ? [] : rows(batchPrices, 'Batch API'))]);
}
