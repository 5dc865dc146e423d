import type { PoolSettings } from '../limits/types.js';
import type { Control, ReserveResult } from '../store/types.js';
import type { ItemError } from '../task/errors.js';
import { usdToNano } from '../task/money.js';
import type { Ask } from './ask.js';
import type { ActivityDeps } from './context.js';
import type { Job } from './job.js';

/** What the money says to a prompt. */
export type MoneyWord =
  | { readonly kind: 'go' }
  /** The record has its outcome already. */
  | { readonly kind: 'ended' }
  /** Prompts in flight may give back enough; nothing spent. */
  | { readonly kind: 'wait'; readonly message: string; readonly waitMs: number }
  /** The batch pauses with this. */
  | { readonly kind: 'pause'; readonly error: ItemError };

/** A prompt that waits for money looks again after this long, and up to half as long more; milliseconds. */
const LOOK_AGAIN_MS = 1_000;

/** Longer than any prompt's own time without a settlement: whoever reserved the money is gone. Milliseconds. */
const GRACE_MS = 60_000;

/** Whether money that prompts in flight have reserved still moves; one per process. */
export class MoneyWatch {
  private readonly seen = new Map<string, { readonly committedNano: number; readonly since: number }>();

  constructor(
    /** Milliseconds since epoch. */
    private readonly now: () => number,
  ) {}

  /** Milliseconds for which a batch's or a pool's committed money has not changed. */
  stillMs(name: string, committedNano: number): number {
    const known = this.seen.get(name);
    if (known?.committedNano === committedNano) return this.now() - known.since;
    this.seen.set(name, { committedNano, since: this.now() });
    return 0;
  }
}

/** Journals the prompt and reserves its worst case, where the batch's budget and its pool's day allow. */
export async function reserveMoney(
  deps: ActivityDeps,
  job: Job,
  ask: Ask,
  { budgetNano }: Control,
  { perDayUsd }: PoolSettings,
): Promise<MoneyWord> {
  const batchId = job.batch.id;
  const { model, stage, kind, variation, worstNano } = ask;
  const pool = deps.pools.poolOf(model);
  const dayNano = perDayUsd === undefined ? null : usdToNano(perDayUsd);
  if (worstNano === null && (budgetNano !== null || dayNano !== null)) {
    const way =
      budgetNano === null ? `tempered set --pool ${pool} --per-day none` : `tempered set ${batchId} --budget none`;
    const message = `The price of ${model} isn't known, so no budget can be kept. Choose another model, or take the budget away with \`${way}\`.`;
    return { kind: 'pause', error: { category: 'budget', message, retryable: true } };
  }
  const { prompt } = job;
  const { index } = job.record;
  const day = deps.pools.dayOf(pool, deps.now());
  const asked = { stage, kind, variation, model, pool, worstNano, budgetNano, day, dayNano };
  const reserved = await deps.store.reserve({ batchId, index, prompt, ...asked });
  if (reserved.ok) return { kind: 'go' };
  if (reserved.needsNano === null) return { kind: 'ended' };
  const name = reserved.limit === 'budget' ? batchId : pool;
  const longest = job.task.plan.promptTimeoutMs + GRACE_MS;
  const { committedNano } = reserved;
  if (committedNano !== null && deps.money.stillMs(name, committedNano) < longest) {
    const message = `waiting for what prompts in flight leave of the ${reserved.limit === 'budget' ? 'budget' : 'day'}`;
    return { kind: 'wait', message, waitMs: Math.round(LOOK_AGAIN_MS * (1 + Math.random() / 2)) };
  }
  return { kind: 'pause', error: usedUp(reserved, batchId, pool) };
}

type Refused = Extract<ReserveResult, { readonly limit: 'budget' | 'day' }>;

function usedUp({ needsNano, limit }: Refused, batchId: string, pool: string): ItemError {
  const usd = (needsNano / 1e9).toFixed(4);
  if (limit === 'budget') {
    const message = `The budget is used up: the next prompt may need $${usd} in all. Raise it with \`tempered set ${batchId} --budget USD\`.`;
    return { category: 'budget', message, retryable: true };
  }
  const message = `Pool ${pool} has spent what it may in a day: the next prompt may need $${usd} in all. Resume when its day is over, or raise it with \`tempered set --pool ${pool} --per-day USD\` and resume.`;
  return { category: 'quota_exhausted', message, retryable: true };
}
