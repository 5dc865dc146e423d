import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  condition,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  setWorkflowOptions,
} from '@temporalio/workflow';
import type { OpenedShard } from '../activities/types.js';
import type { RangeCounts } from '../store/types.js';
import type { ItemError } from '../task/errors.js';
import { itemId } from './ids.js';
import { item } from './item.js';
import { drainedSignal, setShareSignal, stopSignal, yieldSignal } from './messages.js';
import { rows } from './proxies.js';
import { itemSummary, planDetails } from './summaries.js';
import { endError, type EndReason } from './ends.js';
import type { FailureNote, ShardInput, ShardResult } from './types.js';
import { versioned } from './versioning.js';

/** Failures a shard tells its batch; all of them are in the store. */
const FAILURE_NOTES = 10;

/** A range of records: keeps `share` items in flight and closes the range so that every record has its outcome. */
export async function shard(input: ShardInput): Promise<ShardResult> {
  const run = new ShardRun(input);
  setHandler(setShareSignal, (share) => run.setShare(share));
  setHandler(yieldSignal, () => run.yield());
  setHandler(stopSignal, (reason) => run.stop(reason));
  return run.execute();
}
setWorkflowOptions(versioned('PINNED'), shard);

class ShardRun {
  private share: number;
  private inFlight = 0;
  private yielded = false;
  private stopReason: EndReason | null = null;
  private readonly failures: FailureNote[] = [];

  constructor(private readonly input: ShardInput) {
    this.share = input.share;
  }

  setShare(share: number): void {
    this.share = share;
  }

  yield(): void {
    this.yielded = true;
  }

  stop(reason: EndReason): void {
    this.stopReason = reason;
  }

  async execute(): Promise<ShardResult> {
    const { batchId, from, to } = this.input;
    const opened = await rows.openShard.executeWithOptions({ summary: `records ${from}..${to - 1}` }, [
      batchId,
      from,
      to,
    ]);
    let cancelled: Error | undefined;
    let started = 0;
    try {
      started = await this.startAll(opened);
    } catch (error) {
      if (!isCancellation(error) || !(error instanceof Error)) throw error;
      cancelled = error;
      this.stopReason = 'cancelled';
    }
    // Cancelled items still end by themselves; wait for them so that their prompts are journalled.
    await CancellationScope.nonCancellable(() => condition(() => this.inFlight === 0));
    const next = this.yielded && this.stopReason === null ? (opened.indices[started] ?? to) : to;
    const counts = await CancellationScope.nonCancellable(() => this.close(next));
    if (cancelled !== undefined) throw cancelled;
    return { counts, next, failures: this.failures };
  }

  /** Starts items while it may; returns how many it started. */
  private async startAll({ indices, ids }: OpenedShard): Promise<number> {
    const halted = () => this.yielded || this.stopReason !== null;
    const startOne = (position: number): void => {
      const index = indices[position];
      if (index !== undefined) this.startItem(index, ids[position] ?? String(index));
    };
    let started = 0;
    while (started < indices.length) {
      await condition(() => this.inFlight < this.share || halted());
      if (halted()) break;
      startOne(started);
      started += 1;
    }
    if (started === indices.length) await this.tellDrained();
    await condition(() => this.inFlight === 0);
    return started;
  }

  private async tellDrained(): Promise<void> {
    try {
      await getExternalWorkflowHandle(this.input.batchId).signal(drainedSignal, this.input.shard);
    } catch (error) {
      // A batch that is gone needs no word; the shard's own end is awaited anyway.
      if (isCancellation(error)) throw error;
    }
  }

  private startItem(index: number, id: string): void {
    this.inFlight += 1;
    void this.runItem(index, id).finally(() => {
      this.inFlight -= 1;
    });
  }

  private async runItem(index: number, id: string): Promise<void> {
    const { batchId, plan, queue, functionQueue, postProcess } = this.input;
    try {
      await executeChild(item, {
        workflowId: itemId(batchId, index),
        args: [{ batchId, index, plan, queue, functionQueue, postProcess }],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        workflowTaskTimeout: '5 s',
        staticSummary: itemSummary(index, id),
        staticDetails: planDetails(plan),
      });
    } catch (error) {
      this.note(index, error);
    }
  }

  /** A failed item is an outcome, not a failure of the shard; a cancelled one gets its outcome at the close. */
  private note(index: number, error: unknown): void {
    const cause = error instanceof ChildWorkflowFailure ? error.cause : error;
    const category = cause instanceof ApplicationFailure ? (cause.type ?? 'unknown') : 'cancelled';
    const message = cause instanceof Error ? cause.message : String(cause);
    if (this.failures.length === FAILURE_NOTES) this.failures.shift();
    this.failures.push({ index, category, message: message.slice(0, 300) });
    setCurrentDetails(
      this.failures.map((note) => `- record ${note.index}: ${note.category}: ${note.message}`).join('\n'),
    );
  }

  private async close(to: number): Promise<RangeCounts> {
    const { batchId, from } = this.input;
    const error: ItemError = endError(this.stopReason ?? 'item_gone');
    return rows.closeShard.executeWithOptions({ summary: `close ${from}..${to - 1}` }, [batchId, from, to, error]);
  }
}
