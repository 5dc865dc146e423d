import { ActivityFailure, condition, isCancellation, patched } from '@temporalio/workflow';
import type { PageResult, UnfinishedRecord } from '../activities/types.js';
import type { Range } from './fanout.js';
import { countOf, divisionFor, firstIndex, indicesOf, NARROW, nextPage, takePage, toRanges, WIDE } from './paging.js';
import { functions, pages } from './proxies.js';
import { pageSummary } from './summaries.js';
import type { FailureNote, InlineCounts, ShardInput } from './types.js';

/** What the records of a shard in `inline` mode need of the shard. */
export interface InlineHost {
  /** Prompts it may keep in flight. */
  readonly share: number;
  /** Workflows of records in flight. */
  readonly inFlight: number;
  /** Nothing new is begun: what is left is given back. */
  readonly yielded: boolean;
  /** No prompt starts any more; a record between two prompts still ends by itself. */
  readonly isStopped: boolean;
  /** Starts the workflow of a record. `since`: when its time began; absent = now. */
  startItem(index: number, id: string, since?: number): void;
  /** Keeps a failure for people, and shows how the shard is doing. */
  show(failures: readonly FailureNote[]): void;
  /** Tells the batch that the shard needs its share no more. */
  tellDrained(): Promise<void>;
}

/** The records of a shard in `inline` mode: pages of first prompts, and a workflow for each record that needs more. */
export class InlineRecords {
  private lanes = 0;
  private drained = false;
  private becameItems = 0;
  private answeredAtOnce = 0;
  private division = patched('narrow-pages') ? NARROW : WIDE;
  /** Records whose first prompt was not enough; their state waits in the journal. */
  private readonly more: UnfinishedRecord[] = [];

  constructor(
    private readonly input: ShardInput,
    private readonly host: InlineHost,
    private waiting: readonly Range[],
  ) {}

  /** How the records went so far. */
  get counts(): InlineCounts {
    return { answeredAtOnce: this.answeredAtOnce, becameItems: this.becameItems };
  }

  /** True when no page runs. */
  get isIdle(): boolean {
    return this.lanes === 0;
  }

  /** First record that was given back; `none` when all were begun. */
  next(none: number): number {
    const begun = this.more.map(({ index }): Range => [index, index + 1]);
    return firstIndex([...this.waiting, ...begun], none);
  }

  /** Begins records while it may; returns when all have ended. */
  async run(): Promise<void> {
    for (;;) {
      await condition(() => this.isOver() || this.canStartItem() || this.page() !== null || this.canTellDrained());
      if (this.isOver()) return;
      if (this.canStartItem()) this.startItem();
      else if (this.page() !== null) this.startPage();
      else await this.tellDrained();
    }
  }

  private get used(): number {
    return this.lanes + this.host.inFlight;
  }

  private isOver(): boolean {
    if (this.used > 0) return false;
    const { yielded, isStopped } = this.host;
    return (this.more.length === 0 || yielded) && (this.waiting.length === 0 || yielded || isStopped);
  }

  private canStartItem(): boolean {
    return this.more.length > 0 && !this.host.yielded && this.used < this.host.share;
  }

  private startItem(): void {
    const next = this.more.shift();
    if (next === undefined) return;
    this.becameItems += 1;
    this.host.startItem(next.index, next.id, next.since);
  }

  private page() {
    const { yielded, isStopped, share } = this.host;
    return yielded || isStopped ? null : nextPage(countOf(this.waiting), share, this.used, this.division);
  }

  private startPage(): void {
    const size = this.page();
    if (size === null) return;
    const { page, rest } = takePage(this.waiting, size.records);
    this.waiting = rest;
    this.lanes += size.lanes;
    void this.runPage(page, size.lanes).finally(() => {
      this.lanes -= size.lanes;
    });
  }

  private async runPage(ranges: readonly Range[], lanes: number): Promise<void> {
    const { batchId, plan, queue } = this.input;
    const since = Date.now();
    try {
      const { page } = pages(queue, plan.promptTimeoutMs);
      const result = await page.executeWithOptions({ summary: pageSummary('page', ranges) }, [
        { batchId, ranges, lanes },
      ]);
      const sent = countOf(ranges) - countOf(result.left);
      if (this.division !== WIDE && sent > 0) this.division = divisionFor(((Date.now() - since) * lanes) / sent);
      await this.took(ranges, result, lanes);
    } catch (error) {
      // A cancelled shard gives its records their outcomes when it closes.
      if (isCancellation(error)) return;
      if (!(error instanceof ActivityFailure)) throw error;
      // What no repetition can help, each record's workflow meets itself, and ends with it.
      this.more.push(...indicesOf(ranges).map((index) => ({ index, id: String(index) })));
    }
  }

  private async took(ranges: readonly Range[], result: PageResult, lanes: number): Promise<void> {
    const { more, left, failures } = result;
    this.more.push(...more);
    this.waiting = [...left, ...this.waiting].sort(([a], [b]) => a - b);
    const open = new Set([...more.map(({ index }) => index), ...indicesOf(left)]);
    const ended = indicesOf(ranges).filter((index) => !open.has(index));
    this.answeredAtOnce += ended.length;
    this.host.show(failures);
    if (this.input.postProcess && ended.length > 0) await this.postProcess(toRanges(ended), lanes);
  }

  private async postProcess(ended: readonly Range[], lanes: number): Promise<void> {
    const { batchId, functionQueue } = this.input;
    const { postProcessPage } = functions(functionQueue);
    try {
      for (let left = ended; left.length > 0;) {
        const summary = pageSummary('postProcess', left);
        const done = await postProcessPage.executeWithOptions({ summary }, [{ batchId, ranges: left, lanes }]);
        this.host.show(done.failures);
        left = done.left;
      }
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
      const message = `postProcess failed: ${error.cause?.message ?? error.message}; the outcomes stand as they were`;
      this.host.show([{ index: ended[0]?.[0] ?? -1, category: 'unknown', message: message.slice(0, 300) }]);
    }
  }

  /** Half of the share is enough for what is left: the next shard may begin. */
  private canTellDrained(): boolean {
    const begun = this.waiting.length === 0 && this.more.length === 0;
    return begun && !this.drained && this.used <= this.host.share / 2;
  }

  private async tellDrained(): Promise<void> {
    this.drained = true;
    await this.host.tellDrained();
  }
}
