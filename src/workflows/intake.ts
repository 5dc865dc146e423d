import { ActivityFailure, ApplicationFailure, condition, patched } from '@temporalio/workflow';
import { background } from './background.js';
import { LINGER_MS } from './fanout.js';
import { loading } from './proxies.js';
import type { AddItems, BatchCarry } from './types.js';

/** Characters of chunks carried over a continue-as-new, at most: far below the 2 MB an input may have. */
export const MAX_CARRIED_CHARS = 256 * 1024;

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

  /** Takes a chunk that is to be stored; a text says why it can't be. */
  take(added: AddItems): string | undefined {
    if (this.closed && patched('closed-input')) return refused(added, 'the input of the batch is closed');
    this.backlog.push(added);
    return undefined;
  }

  /** What a continue-as-new carries over. */
  carry(): Pick<BatchCarry, 'inputClosed' | 'backlog'> {
    return { inputClosed: this.closed, backlog: this.backlog };
  }

  /** Characters of JSON that are not stored yet. */
  get waitingChars(): number {
    return this.backlog.reduce((sum, added) => sum + JSON.stringify(added).length, 0);
  }

  /** Stores the oldest chunk; returns the number of records the batch has then, or why the chunk was refused. */
  async loadNext(batchId: string, queue: string): Promise<number | string> {
    const added = this.backlog[0];
    if (added === undefined) return 0;
    const summary = `add ${added.clientKey.slice(0, 80)}`;
    try {
      const { items } = await loading(queue).loadItems.executeWithOptions({ summary }, [batchId, added]);
      this.backlog.shift();
      if (!this.lingering) background(this.linger());
      return items;
    } catch (error) {
      const cause = error instanceof ActivityFailure ? error.cause : undefined;
      if (!(cause instanceof ApplicationFailure)) throw error;
      this.backlog.shift();
      return refused(added, cause.message);
    }
  }

  private async linger(): Promise<void> {
    this.lingering = true;
    this.lingered = false;
    await condition(() => this.closed, LINGER_MS, { summary: 'waiting for more records' });
    this.lingering = false;
    this.lingered = true;
  }
}

function refused({ clientKey }: AddItems, why: string): string {
  return `${clientKey.slice(0, 80)} was not added: ${why}`;
}
