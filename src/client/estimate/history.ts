import type { Store } from '../../store/types.js';
import type { PromptRecord } from '../../task/outcome.js';
import type { Usage } from '../../task/usage.js';

/** Batches looked at for earlier runs of a task. */
const BATCHES = 200;

/** Outcomes read of them. */
const OUTCOMES = 1000;

/** One record that was answered before. */
export interface PastRecord {
  /** The batch it was in. */
  readonly batchId: string;
  /** Its position there. */
  readonly index: number;
  /** Its prompts, in order. */
  readonly prompts: readonly PromptRecord[];
}

/** What earlier batches of the same task came to. */
export interface History {
  /** Records with at least one prompt. */
  readonly records: readonly PastRecord[];
  /** Batches they are from, newest first. */
  readonly batches: readonly string[];
}

/** Means over records that were asked before. */
export interface PastMeans {
  /** Records they are made of. */
  readonly records: number;
  /** Prompts after the first, for each record. */
  readonly extraPrompts: number;
  /** Generated tokens of a first prompt, thinking included. */
  readonly outputTokens: number;
  /** The same of a later prompt. */
  readonly laterOutputTokens: number;
  /** Share of later prompts that ask only for what failed. */
  readonly partialShare: number;
  /** Size of a later prompt as a multiple of the record's first. */
  readonly laterInput: number;
  /** From request to whole answer; seconds. */
  readonly seconds: number;
}

/** Earlier records of a task with its own model, newest batches first; only of `batchId` when it is given. */
export async function readHistory(
  store: Store,
  task: { readonly hash: string; readonly model: string },
  batchId?: string,
): Promise<History> {
  const rows = (await store.listBatches(BATCHES)).filter(
    (row) => row.taskHash === task.hash && (batchId === undefined || row.id === batchId),
  );
  const records: PastRecord[] = [];
  const batches: string[] = [];
  for (const { id } of rows) {
    const before = records.length;
    for await (const { index, prompts } of store.outcomes(id)) {
      if (records.length >= OUTCOMES) break;
      if (prompts[0]?.model === task.model) records.push({ batchId: id, index, prompts });
    }
    if (records.length > before) batches.push(id);
  }
  return { records, batches };
}

/** What a history teaches; null when there is none with known tokens. */
export function meansOf({ records }: Pick<History, 'records'>): PastMeans | null {
  const firsts = records.flatMap(({ prompts: [first] }) => first?.usage ?? []);
  if (firsts.length === 0) return null;
  const others = records.flatMap(({ prompts }) => prompts.slice(1));
  const later = others.flatMap(({ usage }) => usage ?? []);
  const partial = others.filter(({ kind }) => kind === 'partial').length;
  const timed = records.flatMap(({ prompts }) => prompts.flatMap(({ latencyMs }) => latencyMs ?? []));
  const outputTokens = mean(firsts, ({ outputTokens: tokens }) => tokens);
  return {
    records: records.length,
    extraPrompts: others.length / records.length,
    partialShare: others.length === 0 ? 0 : partial / others.length,
    outputTokens,
    laterOutputTokens: later.length === 0 ? outputTokens : mean(later, ({ outputTokens: tokens }) => tokens),
    laterInput: later.length === 0 ? 1 : mean(later, inputOf) / mean(firsts, inputOf),
    seconds: timed.length === 0 ? 1 : mean(timed, (ms) => ms) / 1000,
  };
}

function inputOf({ inputTokens }: Usage): number {
  return inputTokens;
}

function mean<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((sum, value) => sum + of(value), 0) / values.length;
}
