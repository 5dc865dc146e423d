import {
  ActivityFailure,
  CancellationScope,
  isCancellation,
  patched,
  sleep,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { OpenedBatch } from '../activities/types.js';
import { initialState } from '../recovery/ladder.js';
import { ITEM_CANCELLED } from './ends.js';
import { prompts, rows } from './proxies.js';

/** Workers lost in a row while probing; then the fan-out opens and each item decides for itself. */
const MAX_LOST_WORKERS = 3;

/** The change that lets a record cancelled by name take the probe with it. */
const BY_NAME = 'probe-cancelled-by-name';

/**
 * A batch's first prompt, which goes alone. Its answer waits in the journal, where the record's own item finds it:
 * nothing is paid twice.
 */
export class Probe {
  /** The record that is asked, and its prompt. */
  private asking: { readonly index: number; readonly scope: CancellationScope; cancelled: boolean } | undefined;

  constructor(private readonly batchId: string) {}

  /**
   * Returns when the model was reached, whatever it said of this record; a wrong key, a missing model or a used-up
   * budget pause the batch meanwhile, inside the activity's retries. Also when the record is cancelled by name.
   */
  async send(index: number, opened: OpenedBatch): Promise<void> {
    const asking = { index, scope: new CancellationScope(), cancelled: false };
    this.asking = asking;
    try {
      await asking.scope.run(() => this.ask(index, opened));
    } catch (error) {
      if (!isCancellation(error) || !asking.cancelled) throw error;
    } finally {
      this.asking = undefined;
    }
  }

  /** Aborts the prompt when it is that of record `index`. */
  cancel(index: number): void {
    if (this.asking?.index !== index || !patched(BY_NAME)) return;
    this.asking.cancelled = true;
    this.asking.scope.cancel();
  }

  /** The record was cancelled by name: an answer that came all the same is not its own. */
  async closeCancelled(index: number): Promise<void> {
    if (!patched(BY_NAME)) return;
    const summary = `record ${index} was cancelled`;
    await rows.closeShard.executeWithOptions({ summary }, [this.batchId, index, index + 1, ITEM_CANCELLED]);
  }

  private async ask(index: number, opened: OpenedBatch): Promise<void> {
    const { batchId } = this;
    const { prompt } = prompts(opened.queue, opened.plan.promptTimeoutMs);
    const summary = `probe: the first prompt goes alone (record ${index})`;
    const input = { batchId, index, state: initialState(opened.plan), probe: true } as const;
    for (let lost = 0; lost < MAX_LOST_WORKERS; lost += 1) {
      try {
        await prompt.executeWithOptions({ summary }, [input]);
        return;
      } catch (error) {
        if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
        // Anything but a lost worker is this record's own matter, and its item's to decide.
        if (!(error.cause instanceof TimeoutFailure)) return;
        await sleep('1 s', { summary: 'a worker was lost; probing again' });
      }
    }
  }
}
