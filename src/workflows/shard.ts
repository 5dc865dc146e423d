import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  condition,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  patched,
  setCurrentDetails,
  setHandler,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow';
import type { OpenedShard } from '../activities/types.js';
import type { RangeCounts } from '../store/types.js';
import type { ItemError } from '../task/errors.js';
import { itemsInFlight } from './fanout.js';
import { itemId } from './ids.js';
import { InlineRecords } from './inline.js';
import { item } from './item.js';
import { drainedSignal, setShareSignal, stopSignal, yieldSignal } from './messages.js';
import { UNBROKEN_SHARD_RECORDS } from './paging.js';
import { rows } from './proxies.js';
import { failureDetails, inlineDetails, itemSummary, planDetails } from './summaries.js';
import { endError, type EndReason } from './ends.js';
import type { FailureNote, ShardInput, ShardResult } from './types.js';
import { versioned } from './versioning.js';

/** Failures a shard tells its batch; all of them are in the store. */
const FAILURE_NOTES = 10;

/** A range of records: keeps enough of them going for `share` prompts in flight, and closes the range so that every record has its outcome. */
export async function shard(input: ShardInput): Promise<ShardResult> {
  const run = new ShardRun(input);
  setHandler(setShareSignal, (share) => run.setShare(share));
  setHandler(yieldSignal, () => run.yield());
  setHandler(stopSignal, (reason) => run.stop(reason));
  return run.execute();
}
setWorkflowOptions(versioned('PINNED'), shard);

/** A running shard: its steps in order, and what the message handlers touch. */
class ShardRun {
  /** Prompts it may keep in flight. */
  share: number;
  /** Workflows of records in flight. */
  inFlight = 0;
  /** The batch wants to continue as new. */
  private asked = false;
  private stopReason: EndReason | null = null;
  private started = 0;
  private inline: InlineRecords | undefined;
  /** Starts items while it may; nothing as long as the records are not known. */
  private startMore = (): void => undefined;
  private readonly failures: FailureNote[] = [];

  constructor(private readonly input: ShardInput) {
    this.share = input.share;
  }

  setShare(share: number): void {
    this.share = share;
    this.startMore();
  }

  yield(): void {
    this.asked = true;
  }

  /** It begins nothing more, and gives back what it has not begun: another shard goes on. */
  get yielded(): boolean {
    return this.asked || this.isTooLong;
  }

  private get isTooLong(): boolean {
    const { from, to } = this.input;
    return to - from > UNBROKEN_SHARD_RECORDS && workflowInfo().continueAsNewSuggested;
  }

  stop(reason: EndReason): void {
    this.stopReason = reason;
  }

  get isStopped(): boolean {
    return this.stopReason !== null;
  }

  async execute(): Promise<ShardResult> {
    const { to } = this.input;
    const opened = await this.open();
    let cancelled: Error | undefined;
    try {
      await (this.inline === undefined ? this.startAll(opened) : this.inline.run());
    } catch (error) {
      if (!isCancellation(error) || !(error instanceof Error)) throw error;
      cancelled = error;
      // A deadline that cuts off says so first, and is the reason then.
      this.stopReason ??= 'cancelled';
    }
    // Cancelled items still end by themselves; wait for them so that their prompts are journalled.
    await CancellationScope.nonCancellable(() => condition(() => this.inFlight === 0 && (this.inline?.isIdle ?? true)));
    const next = this.yielded && this.stopReason === null ? this.nextOf(opened) : to;
    const counts = await CancellationScope.nonCancellable(() => this.close(next));
    if (cancelled !== undefined) throw cancelled;
    const { failures, inline } = this;
    return { counts, next, failures, ...(inline === undefined ? {} : { inline: inline.counts }) };
  }

  private async open(): Promise<OpenedShard> {
    const { batchId, from, to, execution } = this.input;
    const options = { summary: `records ${from}..${to - 1}` };
    if (execution !== 'inline') return rows.openShard.executeWithOptions(options, [batchId, from, to]);
    const ranges = await rows.openPages.executeWithOptions(options, [batchId, from, to]);
    this.inline = new InlineRecords(this.input, this, ranges);
    return { indices: [], ids: [] };
  }

  private nextOf({ indices }: OpenedShard): number {
    const { to } = this.input;
    return this.inline === undefined ? (indices[this.started] ?? to) : this.inline.next(to);
  }

  /**
   * Keeps its items running until all were started, and waits for them. Each item's end starts the next one:
   * a condition awaited per item would cost the workflow thread a tenth more.
   */
  private async startAll({ indices, ids }: OpenedShard): Promise<void> {
    // The time of a record with a limit would pass while it waits for its place.
    const ahead = this.input.plan.itemTimeoutMs === undefined && patched('items-ahead');
    const most = () => (ahead ? itemsInFlight(this.share) : this.share);
    const halted = () => this.yielded || this.stopReason !== null || CancellationScope.current().consideredCancelled;
    this.startMore = () => {
      for (let i = this.started; i < indices.length && this.inFlight < most() && !halted(); i += 1) {
        const index = indices[i];
        if (index !== undefined) this.startItem(index, ids[i] ?? String(index));
        this.started = i + 1;
      }
    };
    this.startMore();
    await condition(() => this.started === indices.length || halted());
    if (this.started === indices.length) await this.tellDrained();
    await condition(() => this.inFlight === 0);
  }

  /** Its place may be given to the next shard. */
  async tellDrained(): Promise<void> {
    try {
      await getExternalWorkflowHandle(this.input.batchId).signal(drainedSignal, this.input.shard);
    } catch (error) {
      // A batch that is gone needs no word; the shard's own end is awaited anyway.
      if (isCancellation(error)) throw error;
    }
  }

  /** Starts the workflow of a record. `since`: when its time began; absent = now. */
  startItem(index: number, id: string, since?: number): void {
    this.inFlight += 1;
    void this.runItem(index, id, since);
  }

  private async runItem(index: number, id: string, since?: number): Promise<void> {
    const { batchId, plan, queue, functionQueue, postProcess } = this.input;
    try {
      await executeChild(item, {
        workflowId: itemId(batchId, index),
        args: [{ batchId, index, plan, queue, functionQueue, postProcess, ...(since === undefined ? {} : { since }) }],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        workflowTaskTimeout: '5 s',
        staticSummary: itemSummary(index, id),
        staticDetails: planDetails(plan),
      });
    } catch (error) {
      this.note(index, error);
    }
    this.inFlight -= 1;
    this.startMore();
  }

  /** A failed item is an outcome, not a failure of the shard; a cancelled one gets its outcome at the close. */
  private note(index: number, error: unknown): void {
    const cause = error instanceof ChildWorkflowFailure ? error.cause : error;
    const category = cause instanceof ApplicationFailure ? (cause.type ?? 'unknown') : 'cancelled';
    const message = cause instanceof Error ? cause.message : String(cause);
    this.show([{ index, category, message: message.slice(0, 300) }]);
  }

  /** Keeps the last failures, and shows how the shard is doing. */
  show(failures: readonly FailureNote[]): void {
    this.failures.push(...failures);
    this.failures.splice(0, Math.max(0, this.failures.length - FAILURE_NOTES));
    const parts = this.inline === undefined ? [] : [inlineDetails(this.inline.counts)];
    if (this.failures.length > 0) parts.push(failureDetails(this.failures));
    setCurrentDetails(parts.join('\n\n'));
  }

  private async close(to: number): Promise<RangeCounts> {
    const { batchId, from } = this.input;
    const error: ItemError = endError(this.stopReason ?? 'item_gone');
    return rows.closeShard.executeWithOptions({ summary: `close ${from}..${to - 1}` }, [batchId, from, to, error]);
  }
}
