import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { Listener, NoticeEvent } from '../activities/notifier.js';
import type { PauseState } from '../store/types.js';
import { background } from './background.js';
import { notices } from './proxies.js';
import type { Notice } from './types.js';

/** Pauses that are told per run of the workflow: one whose listener resumes it each time must not call it for ever. */
const MOST_PAUSES = 20;

/** Tells those in `tempered.config` who want to know of a batch's pauses and its end. */
export class Notices {
  private pauses = 0;

  constructor(
    private readonly batchId: string,
    /** As the worker that opened the batch is configured. */
    private readonly listeners: readonly Listener[],
    /** Told what could not be told. */
    private readonly giveUp: (words: string) => void,
  ) {}

  /** The batch paused; nothing waits for the listeners. `number`: of this pause, rising. */
  paused({ reason, message }: PauseState, number: number): void {
    this.pauses += 1;
    if (this.pauses > MOST_PAUSES) return;
    background(this.tell('pause', { number, status: 'paused', reason: { category: reason, message } }));
  }

  /** The batch ended; resolves when everybody was told or given up. */
  async finished(status: Notice['status'], reason: string | null): Promise<void> {
    const why = reason === null ? null : { category: reason, message: `The batch was ${status}: ${reason}.` };
    await CancellationScope.nonCancellable(() => this.tell('finish', { number: 0, status, reason: why }));
  }

  private async tell(event: NoticeEvent, facts: Pick<Notice, 'number' | 'status' | 'reason'>): Promise<void> {
    const notice: Notice = { batchId: this.batchId, event, at: Date.now(), ...facts };
    await Promise.all(this.listeners.filter(({ on }) => on.includes(event)).map((one) => this.send(one, notice)));
  }

  private async send({ name, to }: Listener, notice: Notice): Promise<void> {
    try {
      await notices.notify.executeWithOptions({ summary: `tell ${name} (${to}): ${notice.status}` }, [name, notice]);
    } catch (error) {
      if (isCancellation(error)) throw error;
      this.giveUp(`${name} (${to}) could not be told that the batch is ${notice.status}`);
    }
  }
}
