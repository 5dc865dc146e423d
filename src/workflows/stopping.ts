import { CancellationScope, condition, isCancellation, patched } from '@temporalio/workflow';
import { background } from './background.js';
import type { BatchControl } from './control.js';
import { FUNCTION_BOUND_MS } from './proxies.js';
import type { Shards } from './shards.js';

/** What is around the last prompts: workers learn of the stop, a lost one is missed after 10 s. Milliseconds. */
const DRAIN_SLACK_MS = 12_000;

/** What stopping needs of its batch. */
interface Host {
  /** Where a stop is published. */
  readonly control: BatchControl;
  /** What is in flight; undefined before the batch was opened. */
  readonly shards: Shards | undefined;
  /** The batch has ended. */
  readonly finished: boolean;
}

/** What ends a batch early, its deadline or a used-up budget, and what becomes of prompts in flight then. */
export class Stopping {
  /** Nothing is in flight any more. */
  settled = false;
  /** What comes before the fan-out, while it runs. */
  private readonly beginning = new CancellationScope();

  constructor(
    private readonly host: Host,
    /** A deadline aborts prompts in flight. */
    private readonly cuts: boolean,
  ) {}

  /** Runs what comes before the fan-out; it may be cut short by a stop, and nothing comes after it then. */
  async before(work: () => Promise<void>): Promise<void> {
    try {
      await this.beginning.run(work);
    } catch (error) {
      // A stop cancels it; anybody else cancels the batch.
      if (!isCancellation(error) || this.host.control.stop === null) throw error;
    }
  }

  /** Stops the batch at its deadline, which messages may move. */
  async watchDeadline(): Promise<void> {
    const { host } = this;
    while (host.control.stop === null) {
      const { deadline } = host.control.settings;
      const changed = () => host.control.settings.deadline !== deadline || host.finished;
      if (deadline === null) await condition(changed);
      else if (!(await condition(changed, Math.max(1, deadline - Date.now()), { summary: 'deadline of the batch' }))) {
        await this.stop('deadline');
      }
      if (host.finished) return;
    }
  }

  /** Starts nothing more, and waits or not for prompts in flight. */
  async stop(reason: 'deadline' | 'budget'): Promise<void> {
    const { control } = this.host;
    const cut = reason === 'deadline' && this.cuts;
    await control.setStop(reason);
    if (cut) this.beginning.cancel();
    await this.host.shards?.stopAll(reason, cut);
    if (!cut && !this.settled && patched('drain-bounded')) background(this.cutLate(reason));
  }

  /** What should have ended by now has no worker: a queue that nobody polls keeps its prompts for ever. */
  private async cutLate(reason: 'deadline' | 'budget'): Promise<void> {
    const { shards } = this.host;
    if (shards === undefined) return;
    const { plan, hasPostProcess } = shards.opened;
    const boundMs = plan.promptTimeoutMs + DRAIN_SLACK_MS + (hasPostProcess ? FUNCTION_BOUND_MS : 0);
    if (await condition(() => this.settled, boundMs, { summary: 'prompts in flight may finish' })) return;
    this.beginning.cancel();
    await shards.stopAll(reason, true);
  }
}
