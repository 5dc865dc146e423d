import {
  CancellationScope,
  ChildWorkflowFailure,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  ParentClosePolicy,
  patched,
} from '@temporalio/workflow';
import type { OpenedBatch } from '../activities/types.js';
import type { StopReason } from '../limits/types.js';
import type { ExecutionMode, RangeCounts } from '../store/types.js';
import { endError, type EndReason } from './ends.js';
import {
  MAX_SHARD_ITEMS,
  nextShardSize,
  openShardTarget,
  type Range,
  shares,
  type Supply,
  takeRange,
  waiting,
} from './fanout.js';
import { itemId, shardId } from './ids.js';
import { setShareSignal, skipSignal, stopSignal, yieldSignal } from './messages.js';
import { MAX_INLINE_SHARD_RECORDS, UNBROKEN_SHARD_RECORDS } from './paging.js';
import { rows } from './proxies.js';
import { shard } from './shard.js';
import { shardDetails } from './summaries.js';
import type { BatchCarry, FailureNote, ShardResult } from './types.js';

/** Failures the query `failures` shows. */
const FAILURE_NOTES = 50;

/** Records closed by one statement. */
const CLOSE_CHUNK = 10_000;

/** Before anything was counted. */
export const NO_COUNTS: RangeCounts = { succeeded: 0, partial: 0, failed: 0, notRun: 0 };

interface OpenShard {
  readonly number: number;
  share: number;
  /** Its last item was started: it only waits for the tail. */
  drained: boolean;
}

/** The batch's open shards and the records still to hand out. */
export class Shards {
  /** Counts of closed shards. */
  counts: RangeCounts;
  /** Records no shard has. */
  supply: Supply;
  /** The last failures, newest last. */
  readonly failures: FailureNote[];
  private readonly open = new Map<number, OpenShard>();

  constructor(
    private readonly batchId: string,
    /** The batch as its rows say. */
    readonly opened: OpenedBatch,
    /** How its records run. */
    private readonly execution: ExecutionMode,
    start: {
      readonly supply: Supply;
      readonly counts: RangeCounts;
      readonly nextShard: number;
      readonly failures: readonly FailureNote[];
    },
  ) {
    this.failures = [...start.failures];
    this.supply = start.supply;
    this.counts = start.counts;
    this.nextShard = start.nextShard;
  }

  /** Number of the next shard. */
  nextShard: number;

  /** What a continue-as-new carries over. */
  carry(): Pick<BatchCarry, 'cursor' | 'items' | 'returned' | 'nextShard' | 'counts' | 'failures'> {
    const { cursor, items, returned } = this.supply;
    return { cursor, items, returned, nextShard: this.nextShard, counts: this.counts, failures: this.failures };
  }

  /** Shards whose workflow runs. */
  get openCount(): number {
    return this.open.size;
  }

  /** Records no shard has. */
  get waiting(): number {
    return waiting(this.supply);
  }

  /** Places free for a new shard at this concurrency. */
  freePlaces(concurrency: number): number {
    return openShardTarget(concurrency) - this.active().length;
  }

  /** Opens the next shard; its end is counted when it comes. */
  openNext(concurrency: number): void {
    const places = Math.max(1, this.freePlaces(concurrency));
    const taken = takeRange(this.supply, nextShardSize(this.waiting, places, this.maxRecords));
    if (taken === undefined) return;
    this.supply = taken.rest;
    const number = this.nextShard;
    this.nextShard += 1;
    const entry: OpenShard = { number, share: 1, drained: false };
    this.open.set(number, entry);
    // The new shard counts itself: the last of a batch gets all that is left, not half of it.
    const share = shares(concurrency, this.places(concurrency))[this.active().length - 1] ?? 1;
    entry.share = share;
    void this.run(number, taken.range, share).finally(() => {
      this.open.delete(number);
    });
  }

  private get maxRecords(): number {
    if (this.execution !== 'inline') return MAX_SHARD_ITEMS;
    return patched('long-shards') ? MAX_INLINE_SHARD_RECORDS : UNBROKEN_SHARD_RECORDS;
  }

  /** A shard has started its last item: its place is free. */
  drained(number: number): void {
    const found = this.open.get(number);
    if (found !== undefined) found.drained = true;
  }

  /** Gives every active shard its share of `concurrency`; those that have it already hear nothing. */
  async rebalance(concurrency: number): Promise<void> {
    const active = this.active();
    const wanted = shares(concurrency, this.places(concurrency));
    await Promise.all(
      active.map(async (one, i) => {
        const share = wanted[i] ?? 1;
        if (one.share === share) return;
        one.share = share;
        await this.tell(shardId(this.batchId, one.number), (handle) => handle.signal(setShareSignal, share));
      }),
    );
  }

  /** Ends one item now, if it runs. */
  async skip(index: number): Promise<void> {
    await this.tell(itemId(this.batchId, index), (handle) => handle.signal(skipSignal));
  }

  /** Tells every open shard to give back what it has not started. */
  async yieldAll(): Promise<void> {
    await Promise.all(
      [...this.open.keys()].map((n) => this.tell(shardId(this.batchId, n), (handle) => handle.signal(yieldSignal))),
    );
  }

  /** Tells every open shard to start nothing more; `cut` aborts what is in flight too. */
  async stopAll(reason: StopReason, cut: boolean): Promise<void> {
    await Promise.all(
      [...this.open.keys()].map((n) =>
        this.tell(shardId(this.batchId, n), async (handle) => {
          await handle.signal(stopSignal, reason);
          if (cut) await handle.cancel();
        }),
      ),
    );
  }

  /** When every shard has ended early: gives each record of the batch that has no outcome its final one. */
  async closeAll(reason: StopReason): Promise<void> {
    this.counts = NO_COUNTS;
    for (let from = 0; from < this.supply.items; from += CLOSE_CHUNK) {
      await this.closeRange(from, Math.min(from + CLOSE_CHUNK, this.supply.items), reason);
    }
  }

  private async closeRange(from: number, to: number, reason: EndReason): Promise<void> {
    const summary = `close ${from}..${to - 1}: ${reason}`;
    this.add(await rows.closeShard.executeWithOptions({ summary }, [this.batchId, from, to, endError(reason)]));
  }

  private active(): OpenShard[] {
    return [...this.open.values()].filter((one) => !one.drained);
  }

  /** Shards the concurrency is divided by: all places while records wait, then only those that are active. */
  private places(concurrency: number): number {
    const active = Math.max(1, this.active().length);
    return this.waiting > 0 ? Math.max(active, openShardTarget(concurrency)) : active;
  }

  private async run(number: number, [from, to]: Range, share: number): Promise<void> {
    const { plan, queue, functionQueue, hasPostProcess } = this.opened;
    const inline = this.execution === 'inline';
    try {
      const input = { batchId: this.batchId, shard: number, from, to, share, plan, queue, functionQueue };
      const result = await executeChild(shard, {
        workflowId: shardId(this.batchId, number),
        args: [{ ...input, postProcess: hasPostProcess, ...(inline ? { execution: this.execution } : {}) }],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        workflowTaskTimeout: '5 s',
        staticSummary: `records ${from}..${to - 1} of ${this.opened.taskName}`,
        staticDetails: shardDetails(number, this.batchId, this.execution),
      });
      this.took(result, to);
    } catch (error) {
      await this.gone(error, from, to);
    }
  }

  private took(result: ShardResult, to: number): void {
    this.add(result.counts);
    if (result.next < to) this.supply = { ...this.supply, returned: [...this.supply.returned, [result.next, to]] };
    this.failures.push(...result.failures);
    this.failures.splice(0, Math.max(0, this.failures.length - FAILURE_NOTES));
  }

  /** A cancelled shard has closed its range itself; a terminated or failed one has not. */
  private async gone(error: unknown, from: number, to: number): Promise<void> {
    if (isCancellation(error)) return;
    if (!(error instanceof ChildWorkflowFailure)) throw error;
    // Also while the batch is being cancelled: a failure here would have nobody to hear it.
    await CancellationScope.nonCancellable(() => this.closeRange(from, to, 'item_gone'));
  }

  private add(counts: RangeCounts): void {
    this.counts = {
      succeeded: this.counts.succeeded + counts.succeeded,
      partial: this.counts.partial + counts.partial,
      failed: this.counts.failed + counts.failed,
      notRun: this.counts.notRun + counts.notRun,
    };
  }

  private async tell(
    workflowId: string,
    send: (handle: ReturnType<typeof getExternalWorkflowHandle>) => Promise<void>,
  ): Promise<void> {
    await CancellationScope.nonCancellable(() => send(getExternalWorkflowHandle(workflowId))).catch(
      (error: unknown) => {
        log.debug('a workflow that ended could not be told', { workflowId, error });
      },
    );
  }
}
