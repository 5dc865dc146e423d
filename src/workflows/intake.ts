import { condition } from '@temporalio/workflow';
import { background } from './background.js';
import { LINGER_MS } from './fanout.js';
import { loading } from './proxies.js';
import type { AddItems } from './types.js';

/** Records that come while the batch runs: stored chunk by chunk, handed out in full shards or after a short wait. */
export class Intake {
  /** Chunks not stored yet, oldest first. */
  readonly backlog: AddItems[];
  /** Enough waited for a full shard: a small one may open. */
  lingered: boolean;
  private lingering = false;

  constructor(
    /** Nothing more is to come. */
    public closed: boolean,
    carried: readonly AddItems[],
  ) {
    this.backlog = [...carried];
    // After a continue-as-new, records may have waited long enough already.
    this.lingered = true;
  }

  /** True when no record can come any more. */
  get isOver(): boolean {
    return this.closed && this.backlog.length === 0;
  }

  /** Stores the oldest chunk; returns the number of records the batch has then. */
  async loadNext(batchId: string, queue: string): Promise<number> {
    const added = this.backlog[0];
    if (added === undefined) return 0;
    const summary = `add ${added.clientKey.slice(0, 80)}`;
    const { items } = await loading(queue).loadItems.executeWithOptions({ summary }, [batchId, added]);
    this.backlog.shift();
    if (!this.lingering) background(this.linger());
    return items;
  }

  private async linger(): Promise<void> {
    this.lingering = true;
    this.lingered = false;
    await condition(() => this.closed, LINGER_MS, { summary: 'waiting for more records' });
    this.lingering = false;
    this.lingered = true;
  }
}
