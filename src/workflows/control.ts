import { CancellationScope, condition, patched } from '@temporalio/workflow';
import type { PoolSettings, StopReason } from '../limits/types.js';
import type { Control, PauseState, PoolPatch } from '../store/types.js';
import { limitsBy } from '../task/limits.js';
import { rows } from './proxies.js';
import { controlSummary, namedLimits } from './summaries.js';
import type { BatchCarry, BatchSettings } from './types.js';

/** Pauses that a new model or key may end: choosing a model continues the batch. */
const MODEL_PAUSES: readonly PauseState['reason'][] = [
  'failures',
  'authentication',
  'permission',
  'billing',
  'quota_exhausted',
  'model_not_found',
  'network',
];

/** What messages changed in a batch, and its publication to the workers. */
export class BatchControl {
  /** Null = not paused. */
  paused: PauseState | null;
  /** Null = prompts may start. */
  stop: StopReason | null = null;
  /** The batch's row is in the store: what was changed before is published then. */
  opened = false;
  private onPause: (paused: PauseState, version: number) => void = () => undefined;
  private ended = false;
  private published = 0;
  private writing = false;

  constructor(
    private readonly batchId: string,
    public settings: BatchSettings,
    private version: number,
    paused: PauseState | null,
  ) {
    this.paused = paused;
  }

  /** Version of the newest state, published or about to be. */
  get controlVersion(): number {
    return this.version;
  }

  /** What the opening found of the prompt cache, for the first publication; a later decision stays. */
  foresee(cache: BatchSettings['cache']): void {
    if (cache !== undefined && this.settings.cache === undefined) this.settings = { ...this.settings, cache };
  }

  /** Keeps what the workers need not know: it goes out with the next publication. */
  remember(patch: Partial<BatchSettings>): void {
    this.settings = { ...this.settings, ...patch };
  }

  /** What a continue-as-new carries over. */
  carry(): Pick<BatchCarry, 'controlVersion' | 'settings' | 'paused'> {
    return { controlVersion: this.version, settings: this.settings, paused: this.paused };
  }

  /** Has `tell` called when the batch pauses, with the version that publishes it; at once when it is paused and `known` is false. */
  tellPauses(tell: (paused: PauseState, version: number) => void, known: boolean): void {
    this.onPause = tell;
    if (this.paused !== null && !known) tell(this.paused, this.version);
  }

  /** Changes settings and waits until workers can read them. */
  async change(patch: Partial<BatchSettings>): Promise<void> {
    if (this.ended) return;
    this.settings = { ...this.settings, ...patch };
    const reason = this.paused?.reason;
    const budgetRaised = 'budgetNano' in patch && reason === 'budget';
    const modelChosen = 'model' in patch && MODEL_PAUSES.some((category) => category === reason);
    if (budgetRaised || modelChosen) this.paused = null;
    await this.publish();
  }

  /**
   * Changes the quotas of the pool the batch's model is in, and what the task itself brought of them; null takes one
   * back. Returns all that are set live in the pool.
   */
  async setLimits(patch: PoolPatch): Promise<PoolSettings> {
    const summary = `quotas of the pool: ${namedLimits(patch)}`;
    const { model } = this.settings;
    const set = await rows.setPoolLimits.executeWithOptions({ summary }, [this.batchId, model, patch]);
    const { limits } = this.settings;
    await this.change({ limits: limitsBy((name) => (patch[name] === undefined ? limits[name] : patch[name])) });
    return set;
  }

  /** Pauses or, with null, resumes. */
  async setPaused(paused: PauseState | null): Promise<void> {
    if (this.ended) return;
    const fresh = paused !== null && this.paused === null;
    this.paused = paused;
    const published = this.publish();
    if (fresh) this.onPause(paused, this.version);
    await published;
  }

  /** Ends the starting of prompts for good; the first reason stays. */
  async setStop(reason: StopReason): Promise<void> {
    this.stop ??= reason;
    await this.publish();
  }

  /** What was said is in the store, and nothing more is published: the batch's final status stays. */
  async close(): Promise<void> {
    this.ended = true;
    await condition(() => this.published >= this.version);
  }

  /**
   * Resolves when a state at least as new as now is in the store. Also while the batch is being cancelled: a handler
   * that failed then would end the workflow before its records are closed.
   */
  publish(): Promise<void> {
    this.version += 1;
    const wanted = this.version;
    return CancellationScope.nonCancellable(() => this.publishUntil(wanted));
  }

  /** One write at a time; the newest state wins. */
  private async publishUntil(wanted: number): Promise<void> {
    // Of a batch that another SDK started, there is no row yet when its first messages come.
    if (!this.opened && patched('publish-when-opened')) await condition(() => this.opened);
    while (this.published < wanted) {
      if (this.writing) {
        await condition(() => !this.writing);
        continue;
      }
      this.writing = true;
      try {
        const control = this.snapshot();
        await rows.publishControl.executeWithOptions({ summary: controlSummary(control) }, [this.batchId, control]);
        this.published = control.version;
      } finally {
        this.writing = false;
      }
    }
  }

  private snapshot(): Control {
    return { version: this.version, paused: this.paused, stop: this.stop, ...this.settings };
  }
}
