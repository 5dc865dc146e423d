import type { Issue, PromptVerdict, StageKind, Variation } from '../task/outcome.js';
import { nanoToUsd } from '../task/money.js';
import type { Usage } from '../task/usage.js';
import { pathText } from './paths.js';
import type { PromptEvent } from './types.js';

/** One prompt, as people read it in the Temporal UI. */
export interface StoryRow {
  /** 1-based rung of the ladder. */
  readonly stage: number;
  /** What was asked for. */
  readonly kind: StageKind;
  /** What made it differ. */
  readonly variation: Variation;
  /** `provider/model` that was asked. */
  readonly model: string;
  /** How it ended. */
  readonly verdict: PromptVerdict;
  /** What came of it, with issues or error. */
  readonly event: PromptEvent;
  /** Null when the provider never told. */
  readonly usage: Usage | null;
  /** Nano-dollars; null when unknown. */
  readonly costNano: number | null;
}

/** Issues named in one row, and characters of one row's text: the table is read at a glance. */
const MAX_ISSUES = 3;
const MAX_CHARS = 160;

/** A small Markdown table of the prompts so far. */
export function stageTable(rows: readonly StoryRow[]): string {
  const head =
    '| # | stage | asked | variation | result | what was wrong | tokens | cost |\n|---|---|---|---|---|---|---|---|';
  const lines = rows.map((row, i) => {
    const cells = [
      i + 1,
      row.stage,
      row.kind,
      variationText(row),
      row.verdict,
      wrong(row.event),
      tokens(row.usage),
      cost(row),
    ];
    return `| ${cells.map((cell) => inCell(String(cell))).join(' | ')} |`;
  });
  return [head, ...lines].join('\n');
}

/** One prompt in one line: `stage 2 partial @0.25 -> invalid (age: must be a number) · 420 in, 60 out · $0.000126`. */
export function storyLine(row: StoryRow): string {
  // Read as JSON, where double quotes are escaped.
  const said = wrong(row.event).replaceAll('"', "'");
  const head = `stage ${row.stage} ${row.kind} ${variationText(row)}`.trim();
  return `${head} -> ${row.verdict}${said === '' ? '' : ` (${said})`} · ${tokens(row.usage)} · ${cost(row)}`;
}

function variationText({ variation }: StoryRow): string {
  const { temperature, effort, reworded, model } = variation;
  const parts = [
    temperature === undefined ? [] : [`@${temperature}`],
    effort === undefined ? [] : [`effort ${effort}`],
    reworded === true ? ['reworded'] : [],
    model === undefined ? [] : [model],
  ];
  return parts.flat().join(', ');
}

function wrong(event: PromptEvent): string {
  switch (event.kind) {
    case 'valid':
      return '';
    case 'invalid':
      return shortened(issuesText(event.issues));
    case 'error':
    case 'lost':
      return shortened(event.error.message);
  }
}

function issuesText(issues: readonly Issue[]): string {
  const named = issues.slice(0, MAX_ISSUES).map(({ path, message }) => `${pathText(path)}: ${message}`);
  const more = issues.length - named.length;
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join('; ');
}

function shortened(text: string): string {
  return text.length <= MAX_CHARS ? text : `${text.slice(0, MAX_CHARS - 1)}…`;
}

function tokens(usage: Usage | null): string {
  return usage === null ? 'tokens unknown' : `${usage.inputTokens} in, ${usage.outputTokens} out`;
}

function cost({ costNano }: StoryRow): string {
  return costNano === null ? 'unpriced' : `$${nanoToUsd(costNano).toFixed(6)}`;
}

/** A table's cell is one line, and a bar in it would be a border. */
function inCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
}
