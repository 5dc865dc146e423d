import type { BatchStatus } from '../store/types.js';
import type { BatchSnapshot } from './snapshot.js';

/** Tokens of a batch, summed over prompts whose usage is known. */
export interface SummaryUsage {
  /** Whole prompts, cached and cache-written tokens included. */
  readonly inputTokens: number;
  /** Part of `inputTokens` read from the provider's cache. */
  readonly cachedInputTokens: number;
  /** Part of `inputTokens` written to the provider's cache. */
  readonly cacheWriteTokens: number;
  /** Part of `cacheWriteTokens` written for an hour. */
  readonly cacheWrite1hTokens: number;
  /** All generated tokens, thinking included. */
  readonly outputTokens: number;
  /** Part of `outputTokens` spent on thinking, where the provider says. */
  readonly thinkingTokens: number;
  /** Prompts whose usage nobody told: left out of these sums and of the cost. */
  readonly unknownPrompts: number;
}

/** What a batch came to: the object `run --json` prints. */
export interface BatchSummary {
  /** The batch. */
  readonly batchId: string;
  /** Its state. */
  readonly status: BatchStatus;
  /** Records. */
  readonly items: number;
  /** Records with a valid answer. */
  readonly succeeded: number;
  /** Records with some valid fields. */
  readonly partial: number;
  /** Records without an answer. */
  readonly failed: number;
  /** Records that were not asked to the end: skipped, cancelled, past the deadline or budget. */
  readonly notRun: number;
  /** Prompts spent. */
  readonly prompts: number;
  /** Tokens. */
  readonly usage: SummaryUsage;
  /** What prompts with known usage cost; null when a price is not known. */
  readonly costUsd: number | null;
  /** What prompt caching saved, net, before making and storing explicit caches; null when a price is not known. */
  readonly cacheSavingsUsd: number | null;
  /** From the batch's start to its last durable outcome, or until now while it runs; null before its start. */
  readonly seconds: number | null;
  /** Outcomes per second over that time; null before its start. */
  readonly itemsPerSecond: number | null;
  /** The results file; null when none was written. */
  readonly out: string | null;
  /** The batch in Temporal's web UI; null when its address is not known. */
  readonly ui: string | null;
}

/** The summary of a batch as it stands. */
export function summaryOf(snapshot: BatchSnapshot, out: string | null, ui: string | null): BatchSummary {
  const { counters, money, startedAt, finishedAt, asOf, done } = snapshot;
  const seconds = startedAt === null ? null : Math.max(0, (finishedAt ?? asOf) - startedAt) / 1000;
  return {
    batchId: snapshot.batchId,
    status: snapshot.status,
    items: counters.items,
    succeeded: counters.succeeded,
    partial: counters.partial,
    failed: counters.failed,
    notRun: counters.notRun,
    prompts: counters.prompts,
    usage: { ...counters.usage, unknownPrompts: counters.unknownPrompts },
    costUsd: money.spentUsd,
    cacheSavingsUsd: money.cacheSavingsUsd,
    seconds,
    itemsPerSecond: seconds === null || seconds === 0 ? null : done / seconds,
    out,
    ui,
  };
}
