import { parseModelRef } from '../models/modelRef.js';
import type { ProviderSet } from '../providers/types.js';
import type { BatchRow, BatchStatus, Control, PauseState, Store } from '../store/types.js';
import type { BatchCache } from '../task/cachePlan.js';
import { TemperedError } from '../task/errors.js';
import { nanoToUsd } from '../task/money.js';
import type { Counters } from '../task/outcome.js';
import type { TaskSpec } from '../task/spec.js';
import { poolQueue, taskQueue } from '../workflows/ids.js';

/** Money of a batch; USD. */
export interface MoneySoFar {
  /** What prompts with known usage cost. Null when a price is not known. */
  readonly spentUsd: number | null;
  /** Most that prompts whose usage nobody told may have cost; charged against the budget. */
  readonly unknownUsd: number;
  /** Worst case of the prompts in flight. */
  readonly reservedUsd: number;
  /**
   * What cache reads saved, net of what cache writes cost extra, before making and storing explicit caches. Null when a
   * price is not known.
   */
  readonly cacheSavingsUsd: number | null;
  /** The limit in force; null = none. */
  readonly budgetUsd: number | null;
}

/** How far a batch is, read from the store: it can be had while the Temporal server is down. */
export interface BatchSnapshot {
  /** The batch. */
  readonly batchId: string;
  /** Name of its task. */
  readonly taskName: string;
  /** Hash of its task. */
  readonly taskHash: string;
  /** What its data was: a path or `data`. */
  readonly source: string;
  /** The batch whose records it asks again; null = it is no retry. */
  readonly retryOf: string | null;
  /** Its state. */
  readonly status: BatchStatus;
  /** Why it is paused or stopped, for a person. */
  readonly reason: string | null;
  /** The pause in force; null = not paused. */
  readonly paused: PauseState | null;
  /** How its prompts are cached, and the arithmetic; null = not at all, or it has not begun. */
  readonly cache: BatchCache | null;
  /** The model asked now, `provider/model`; a stage may name another. */
  readonly model: string;
  /** Queue that prompts wait in. */
  readonly queue: string;
  /** Prompts that may be in flight now. */
  readonly concurrency: number;
  /** That follows how the endpoint takes it (`auto`). */
  readonly autoConcurrency: boolean;
  /** Counts, tokens and stages. */
  readonly counters: Counters;
  /** Records that have their outcome. */
  readonly done: number;
  /** Money. */
  readonly money: MoneySoFar;
  /** Milliseconds since epoch; null = not yet. */
  readonly startedAt: number | null;
  /** Time of the last durable outcome, once it has ended; milliseconds since epoch. */
  readonly finishedAt: number | null;
  /** When this was read; milliseconds since epoch. */
  readonly asOf: number;
}

/** What is known of models, for whether a batch without prompts has a price. */
type Models = Pick<ProviderSet, 'modelInfo'>;

/** Reads how far a batch is. Throws `input` when the store does not know it. */
export async function readSnapshot(store: Store, batchId: string, models: Models): Promise<BatchSnapshot> {
  const row = await store.getBatch(batchId);
  if (row === undefined) throw new TemperedError('input', `The store ${store.url} knows no batch ${batchId}.`);
  return snapshotOf(store, row, models);
}

/** How far the batch of a row is. */
export async function snapshotOf(store: Store, row: BatchRow, models: Models): Promise<BatchSnapshot> {
  const [counters, control, spec] = await Promise.all([
    store.counters(row.id),
    store.readControl(row.id),
    store.getTask(row.taskHash),
  ]);
  const taskModel = spec?.model ?? '';
  const model = control?.model ?? taskModel;
  const { succeeded, partial, failed, notRun } = counters;
  return {
    batchId: row.id,
    taskName: row.taskName,
    taskHash: row.taskHash,
    source: row.source,
    retryOf: row.options.retryOf ?? null,
    status: row.status,
    reason: row.statusReason,
    paused: control?.paused ?? null,
    cache: control?.cache ?? null,
    model,
    queue: spec === undefined ? '' : promptQueue(row.taskHash, spec),
    concurrency: control?.concurrency ?? row.options.concurrency,
    autoConcurrency: (control ?? row.options).autoConcurrency === true,
    counters,
    done: succeeded + partial + failed + notRun,
    money: moneyOf(counters, isPriced(model, models), control ?? row.options),
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    asOf: Date.now(),
  };
}

/** Queue that prompts of a task wait in: its own when it has functions, else its provider's. */
export function promptQueue(taskHash: string, { functions, model }: TaskSpec): string {
  return functions.length > 0 ? taskQueue(taskHash) : poolQueue(parseModelRef(model).provider);
}

function moneyOf(counters: Counters, priced: boolean, { budgetNano }: Pick<Control, 'budgetNano'>): MoneySoFar {
  const { spentNano, unknownNano, reservedNano, cacheSavingsNano } = counters;
  const unpriced = counters.unpricedPrompts > 0 || (counters.prompts === 0 && !priced);
  return {
    spentUsd: unpriced ? null : nanoToUsd(spentNano - unknownNano),
    unknownUsd: nanoToUsd(unknownNano),
    reservedUsd: nanoToUsd(reservedNano),
    cacheSavingsUsd: unpriced ? null : nanoToUsd(cacheSavingsNano),
    budgetUsd: budgetNano === null ? null : nanoToUsd(budgetNano),
  };
}

function isPriced(model: string, models: Models): boolean {
  return model !== '' && models.modelInfo(parseModelRef(model), new Date()).prices !== null;
}
