import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CostKey, CostRow, Costs } from '../../client/costs.js';
import { count } from '../../task/digits.js';
import { type CommandHost, type PlaceOptions, withPlace } from '../command.js';
import { EXIT } from '../exit.js';
import { money } from '../format.js';
import { withTempered } from '../place.js';
import { table } from '../table.js';

interface Options extends PlaceOptions {
  readonly by?: CostKey;
  readonly since?: Date;
  readonly rise?: number;
}

const KEYS: readonly CostKey[] = ['day', 'week', 'service', 'model', 'batch'];

/** Adds `costs`. */
export function addCosts(program: Command, host: CommandHost): void {
  withPlace(program.command('costs'))
    .description('what the batches of a store cost, and what rose; works while the server is down')
    .addOption(new Option('--by <what>', 'what is told apart (default: day)').choices(KEYS))
    .option('--since <when>', 'batches started from here on: 7d, 12h or an ISO date (default: 30d)', since)
    .option('--rise <share>', 'flag a rise over the period before above this share (default: 0.25)', share)
    .action((options: Options) =>
      host.run(options.json === true, (io) =>
        withTempered(io, options, async (tempered) => {
          const { by, since: from, rise } = options;
          const costs = await tempered.costs({ by, since: from, rise });
          for (const line of costsText(costs)) io.say(line);
          io.result(costs);
          return EXIT.ok;
        }),
      ),
    );
}

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

function since(text: string): Date {
  const [, amount, unit = ''] = /^(\d+)([hdw])$/.exec(text) ?? [];
  if (amount !== undefined) return new Date(Date.now() - Number(amount) * (UNIT_MS[unit] ?? 0));
  const time = /^\d{4}-/.test(text) ? new Date(text) : new Date(Number.NaN);
  if (!Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('It wants a time back such as 12h, 7d or 4w, or an ISO date.');
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It wants a share such as 0.25.');
}

function costsText({ by, rows, total, since: from, rise }: Costs): readonly string[] {
  if (rows.length === 0) return [`No batch was started since ${from}.`];
  const cells = rows.map((row) => [row.key, ...cellsOf(row)]);
  const flagged = rows.filter(({ rose }) => rose);
  return [
    ...table(
      [by, 'prompts', 'tokens in', 'cached', 'written', 'out', 'thinking', 'cost', 'saved', 'before', 'change'],
      [...cells, ['all', ...cellsOf(total)]],
    ),
    ...unknownText(total),
    ...flagged.map(({ key }) => `${key} rose by more than ${Math.round(rise * 100)} % over the period before.`),
  ];
}

function cellsOf(row: Omit<CostRow, 'key'>): readonly string[] {
  const { usage, change, beforeUsd } = row;
  return [
    count(row.prompts),
    count(usage.inputTokens),
    count(usage.cachedInputTokens),
    count(usage.cacheWriteTokens),
    count(usage.outputTokens),
    count(usage.thinkingTokens),
    money(row.costUsd),
    money(row.savingsUsd),
    beforeUsd === null ? '' : money(beforeUsd),
    change === null ? '' : `${change >= 0 ? '+' : ''}${Math.round(change * 100)} %${row.rose ? ' ▲' : ''}`,
  ];
}

function unknownText({ unknownPrompts, unknownUsd }: Costs['total']): readonly string[] {
  if (unknownPrompts === 0) return [];
  return [`Beside it, ${count(unknownPrompts)} prompts whose usage nobody told: up to ${money(unknownUsd)}.`];
}
