import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  patched,
  setCurrentDetails,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow';
import type { OpenedBatch } from '../activities/types.js';
import { background } from './background.js';
import { handleMessages } from './batchMessages.js';
import { CacheKeeper } from './cacheKeeper.js';
import { BatchControl } from './control.js';
import { MAX_SHARD_ITEMS } from './fanout.js';
import { Intake, MAX_CARRIED_CHARS } from './intake.js';
import { Notes } from './notes.js';
import { Notices } from './notices.js';
import { functions, rows } from './proxies.js';
import { prepareTask } from './prepare.js';
import { Probe } from './probe.js';
import { configOf, settingsOf, withoutCarry } from './settings.js';
import { NO_COUNTS, Shards } from './shards.js';
import { Stopping } from './stopping.js';
import { progressDetails } from './summaries.js';
import type { BatchCarry, BatchConfig, BatchInput, BatchProgress, BatchResult, Halt } from './types.js';
import { checkInput } from './validate.js';
import { versioned } from './versioning.js';
import { warmUp } from './warmUp.js';

/**
 * One run of a task over a data set: fans out shards under its concurrency, publishes what messages change, and ends
 * when every record has its outcome. Its id is the batch id.
 */
export async function batch(input: BatchInput): Promise<BatchResult> {
  checkInput(input);
  return new BatchRun(input).execute();
}
setWorkflowOptions(versioned('AUTO_UPGRADE'), batch);

/** A running batch: its steps in order, and what the message handlers touch. */
export class BatchRun {
  /** Its id. */
  readonly batchId = workflowInfo().workflowId;
  /** What the batch allows now. */
  readonly control: BatchControl;
  /** Records that come while it runs. */
  readonly intake: Intake;
  /** What could not be used or done. */
  readonly notes: Notes;
  /** Its prompt cache. */
  readonly cache: CacheKeeper = new CacheKeeper(this);
  /** Its first prompt, which goes alone. */
  readonly probe = new Probe(this.batchId);
  /** Open shards and the records still to hand out; undefined until opened. */
  shards: Shards | undefined;
  /** The batch has ended. */
  finished = false;
  /** The first prompt was answered. */
  probed: boolean;
  private yielding = false;
  private notices: Notices | undefined;
  private readonly stopping: Stopping;

  constructor(private readonly input: BatchInput) {
    const { carried } = input;
    const settings = carried?.settings ?? settingsOf(input);
    this.control = new BatchControl(this.batchId, settings, carried?.controlVersion ?? 0, carried?.paused ?? null);
    this.intake = new Intake(carried?.inputClosed ?? input.open !== true, carried?.backlog ?? []);
    this.probed = carried?.probed ?? false;
    this.notes = new Notes(carried?.rejected);
    this.stopping = new Stopping(this, input.onDeadline === 'cancel');
    handleMessages(this);
  }

  /** Runs the batch to its end. */
  async execute(): Promise<BatchResult> {
    try {
      await this.start();
      background(this.cache.keeping());
      await this.fanOut();
      this.stopping.settled = true;
      if (this.yielding) return await this.continueAsNew();
      // From here a cancellation comes too late, and must not end the batch a second time.
      return await CancellationScope.nonCancellable(() =>
        this.finish(this.control.stop === null ? 'finished' : 'stopped'),
      );
    } catch (error) {
      if (!isCancellation(error)) throw error;
      await CancellationScope.nonCancellable(() => this.cancelled());
      throw error;
    }
  }

  /** Opens the rows, publishes the first control row, prepares once. */
  private async start(): Promise<void> {
    const opened = await this.open();
    await this.control.publish();
    // A `prepare` may take long, and when it fails it waits for a person.
    const early = opened.hasPrepare && patched('deadline-before-prepare');
    if (early) background(this.stopping.watchDeadline());
    if (!this.probed && opened.hasPrepare) {
      await this.stopping.before(() => prepareTask(this.batchId, opened.functionQueue, this.control));
    }
    if (!early) background(this.stopping.watchDeadline());
    this.showDetails();
  }

  private async open(): Promise<OpenedBatch> {
    const opened = await rows.openBatch.executeWithOptions({ summary: 'open' }, [
      this.batchId,
      withoutCarry(this.input),
    ]);
    this.control.foresee(opened.caching?.plan);
    const { carried } = this.input;
    const items = Math.max(opened.items, carried?.items ?? 0);
    this.shards = new Shards(this.batchId, opened, this.input.execution ?? 'item', {
      supply: { returned: carried?.returned ?? [], cursor: carried?.cursor ?? 0, items },
      counts: carried?.counts ?? NO_COUNTS,
      nextShard: carried?.nextShard ?? 0,
      failures: carried?.failures ?? [],
    });
    const listeners = this.input.quiet === true ? [] : (opened.listeners ?? []);
    this.notices = new Notices(this.batchId, listeners, (words) => this.notes.add(words));
    this.control.tellPauses((paused, version) => this.notices?.paused(paused, version), carried !== undefined);
    this.control.opened = true;
    return opened;
  }

  /** Opens shards while there are records and places, until all have ended or history is long enough. */
  private async fanOut(): Promise<void> {
    const shards = this.ready();
    for (;;) {
      await condition(() => this.canLoad() || this.canOpen() || this.mustYield() || this.isDone());
      if (this.isDone()) return;
      if (this.mustYield()) {
        this.yielding = true;
        await shards.yieldAll();
        await condition(() => shards.openCount === 0);
        return;
      }
      if (this.canLoad()) await this.load();
      else if (this.probed) shards.openNext(this.control.settings.concurrency);
      else await this.sendFirst();
      this.showDetails();
    }
  }

  /** The first prompt goes alone: a wrong key or model is found before anything fans out, and the cache is warm. */
  private async sendFirst(): Promise<void> {
    const { supply, opened } = this.ready();
    const from = supply.returned[0]?.[0] ?? supply.cursor;
    const first = await rows.firstPending.executeWithOptions({ summary: 'first record' }, [this.batchId, from]);
    if (first !== null) {
      await this.stopping.before(() => warmUp(this, first, opened));
      if (this.control.settings.cancelled.includes(first)) await this.probe.closeCancelled(first);
    }
    this.probed = true;
  }

  private canLoad(): boolean {
    return this.intake.backlog.length > 0 && this.control.stop === null;
  }

  private async load(): Promise<void> {
    const shards = this.ready();
    const loaded = await this.intake.loadNext(this.batchId, shards.opened.functionQueue);
    if (typeof loaded === 'string') this.notes.add(loaded);
    else shards.supply = { ...shards.supply, items: Math.max(loaded, shards.supply.items) };
  }

  /** Stores what came until no more than `left` characters wait. */
  private async loadAll(left: number): Promise<void> {
    while (this.intake.waitingChars > left) await this.load();
  }

  private canOpen(): boolean {
    const shards = this.ready();
    const { stop, paused, settings } = this.control;
    if (stop !== null || paused !== null || shards.waiting === 0) return false;
    if (shards.freePlaces(settings.concurrency) <= 0) return false;
    return this.intake.closed || this.intake.lingered || shards.waiting >= MAX_SHARD_ITEMS;
  }

  private isDone(): boolean {
    const { openCount, waiting } = this.ready();
    return openCount === 0 && (this.control.stop !== null || (this.intake.isOver && waiting === 0));
  }

  private mustYield(): boolean {
    return workflowInfo().continueAsNewSuggested && this.control.stop === null;
  }

  private async finish(status: 'finished' | 'stopped' | 'cancelled'): Promise<BatchResult> {
    const { stop } = this.control;
    const reason = status === 'finished' ? null : stop;
    if (reason !== null) {
      await this.loadAll(0);
      // What comes now would find nobody to load it.
      this.intake.closed = true;
      await this.shards?.closeAll(reason);
    }
    if (this.shards?.opened.hasCleanup === true) await this.cleanup(this.shards.opened);
    await this.cache.release();
    await this.control.close();
    const totals = await rows.finishBatch.executeWithOptions({ summary: status }, [this.batchId, status, reason]);
    this.finished = true;
    this.showDetails();
    await this.notices?.finished(status, reason);
    await condition(allHandlersFinished);
    return { status, reason, ...totals };
  }

  /** The batch's figures stand whatever `cleanup` does; its failure is in history. */
  private async cleanup(opened: OpenedBatch): Promise<void> {
    try {
      await functions(opened.functionQueue).cleanup.executeWithOptions({ summary: 'cleanup, once' }, [this.batchId]);
    } catch (error) {
      this.notes.add(`cleanup() failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private async cancelled(): Promise<void> {
    if (this.shards === undefined) await this.open();
    await this.control.setStop('cancelled');
    await condition(() => (this.shards?.openCount ?? 0) === 0);
    await this.finish('cancelled');
  }

  private async continueAsNew(): Promise<never> {
    const shards = this.ready();
    await this.loadAll(MAX_CARRIED_CHARS);
    await this.cache.settled();
    // Last: an update that began while something was awaited would be cut off.
    await condition(allHandlersFinished);
    const { control, intake, probed, notes } = this;
    const carried: BatchCarry = {
      ...control.carry(),
      ...intake.carry(),
      ...shards.carry(),
      probed,
      rejected: notes.all,
    };
    return continueAsNew<typeof batch>({ ...withoutCarry(this.input), carried });
  }

  /** A worker paused the store's row already; the workflow makes it its own state, or stops if the task wants that. */
  async halted({ pause, atVersion }: Halt): Promise<void> {
    if (atVersion < this.control.controlVersion) return;
    if (pause.reason === 'budget' && this.input.onBudget === 'stop') await this.stopping.stop('budget');
    else await this.control.setPaused(pause);
    this.showDetails();
  }

  /** Answer of the query `progress`. */
  progress(): BatchProgress {
    const counts = this.shards?.counts ?? NO_COUNTS;
    return {
      status: this.status(),
      paused: this.control.paused,
      items: this.shards?.supply.items ?? 0,
      openShards: this.shards?.openCount ?? 0,
      open: !this.intake.closed,
      asOf: new Date().toISOString(),
      ...counts,
    };
  }

  private status(): BatchProgress['status'] {
    if (this.finished) return 'finished';
    if (this.control.paused !== null) return 'paused';
    if (this.yielding || this.control.stop !== null) return 'draining';
    return this.probed ? 'running' : 'preparing';
  }

  /** Answer of the query `config`. */
  config(): BatchConfig {
    if (this.shards === undefined) throw new ApplicationFailure('The batch is being opened; ask again in a moment.');
    return configOf(this.shards.opened, this.control.settings, this.input, this.intake.closed);
  }

  private showDetails(): void {
    setCurrentDetails(progressDetails(this.progress(), this.control.settings.cache));
  }

  private ready(): Shards {
    if (this.shards === undefined) throw new Error('the batch is used before it was opened');
    return this.shards;
  }
}
