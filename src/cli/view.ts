import type { BatchSnapshot } from '../client/snapshot.js';
import { count } from '../task/digits.js';
import { clock, cut, money, oneLine, percent, perSecond } from './format.js';
import type { Speed } from './rates.js';
import type { Paint } from './terminal.js';

/** What the panel and the plain lines show. */
export interface ViewState {
  /** How far the batch is. */
  readonly snapshot: BatchSnapshot;
  /** How fast. */
  readonly speed: Speed;
  /** What holds it back now, by name; null = nothing does. */
  readonly limiter: string | null;
}

const BAR_WIDTH = 24;

/** The live panel's lines, none wider than `width`. Pure. */
export function panelLines(state: ViewState, width: number, paint: Paint): readonly string[] {
  const { snapshot } = state;
  const { counters } = snapshot;
  const rows: readonly (readonly [label: string, text: string])[] = [
    ['records', recordsText(snapshot)],
    ['stages', stagesText(snapshot)],
    ['tokens', tokensText(state)],
    ['money', moneyText(state)],
    ['time', timeText(state)],
    ['limited by', state.limiter ?? 'nothing'],
  ];
  const share = counters.items === 0 ? 0 : snapshot.done / counters.items;
  const filled = Math.floor(share * BAR_WIDTH);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
  const head = cut(`${snapshot.batchId}  ${snapshot.status}`, width);
  return [
    paint.bold(head),
    paint.green(cut(`  ${bar} ${percent(share)}`, width)),
    ...rows.map(([label, text]) => cut(`  ${label.padEnd(11)}${text}`, width)),
  ];
}

/** One line for logs, its parts always in the same order. Pure. */
export function plainLine(state: ViewState): string {
  const { snapshot } = state;
  return [
    snapshot.status,
    recordsText(snapshot),
    stagesText(snapshot),
    tokensText(state),
    moneyText(state),
    timeText(state),
    ...(state.limiter === null ? [] : [`limited by ${state.limiter}`]),
  ].join(' | ');
}

function recordsText({ counters, done, autoConcurrency, concurrency }: BatchSnapshot): string {
  const parts = [`${count(done)}/${count(counters.items)} done`, `${count(counters.failed)} failed`];
  if (counters.partial > 0) parts.push(`${count(counters.partial)} partial`);
  if (counters.notRun > 0) parts.push(`${count(counters.notRun)} not run`);
  return [
    ...parts,
    `${count(counters.inFlight)} in flight${autoConcurrency ? ` of ${count(concurrency)} (auto)` : ''}`,
  ].join(', ');
}

function stagesText({ counters }: BatchSnapshot): string {
  const stages = Object.entries(counters.stages).map(([stage, { valid, invalid, error }]) => {
    const total = valid + invalid + error;
    return `${stage}: ${count(valid)} of ${count(total)} valid`;
  });
  return stages.length === 0 ? 'no prompt answered yet' : stages.join(' > ');
}

function tokensText({ snapshot, speed }: ViewState): string {
  const { inputTokens, cachedInputTokens, outputTokens } = snapshot.counters.usage;
  const cached = cachedInputTokens === 0 ? '' : ` (${percent(cachedInputTokens / inputTokens)} cached)`;
  const rate = speed.tokensPerMinute === null ? '' : `, ${count(speed.tokensPerMinute)}/min`;
  return `${count(inputTokens)} in${cached}, ${count(outputTokens)} out${rate}`;
}

function moneyText({ snapshot, speed }: ViewState): string {
  const { spentUsd, unknownUsd, budgetUsd } = snapshot.money;
  if (spentUsd === null) return 'unpriced';
  const parts = [`${money(spentUsd)} spent`];
  if (unknownUsd > 0) parts.push(`up to ${money(unknownUsd)} unknown`);
  if (speed.projectedUsd !== null) parts.push(`${money(speed.projectedUsd)} projected`);
  if (budgetUsd !== null) parts.push(`budget ${money(budgetUsd)}`);
  return parts.join(', ');
}

function timeText({ snapshot, speed }: ViewState): string {
  const { startedAt, asOf } = snapshot;
  const parts = [startedAt === null ? 'not started' : `${clock((asOf - startedAt) / 1000)} since start`];
  if (speed.perSecond !== null) parts.push(perSecond(speed.perSecond));
  if (speed.etaSeconds !== null) parts.push(`ETA ${clock(speed.etaSeconds)}`);
  return parts.join(', ');
}

/** What a pause means for a person, in one line. */
export function pauseText({ paused, reason }: BatchSnapshot): string {
  return oneLine(paused?.message ?? reason ?? 'paused');
}
