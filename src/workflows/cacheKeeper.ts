import { ActivityFailure, condition, isCancellation, patched } from '@temporalio/workflow';
import type { OpenedBatch } from '../activities/types.js';
import { initialState } from '../recovery/ladder.js';
import type { BatchCache, ExplicitCache } from '../task/cachePlan.js';
import type { Notes } from './notes.js';
import type { BatchControl } from './control.js';
import { caches, endingCaches } from './proxies.js';

/** A remake that was begun is waited for this long: three tries fit, and a worker that never comes makes nothing. */
const MAKING_BOUND = '6 minutes';

/** What keeping a cache needs of its batch. */
interface Host {
  /** The batch. */
  readonly batchId: string;
  /** Where the cache is published. */
  readonly control: BatchControl;
  /** Notes for people. */
  readonly notes: Notes;
  /** The batch has ended. */
  readonly finished: boolean;
  /** What the batch was opened as; undefined before. */
  readonly shards: { readonly opened: OpenedBatch } | undefined;
}

/**
 * A batch's prompt cache: decided once, and where it is an explicit one found or made once, renewed before its end, made
 * again when it vanished, and ended with the batch. Prompts go without it at any time, so nothing here stops them.
 */
export class CacheKeeper {
  private making = false;
  private ending = false;

  constructor(private readonly host: Host) {}

  /** Prompts are cached. */
  get isUsed(): boolean {
    return this.current?.decision.cache === true || this.isExplicit;
  }

  /** Prompts name a cache that was made on purpose. */
  get isExplicit(): boolean {
    return this.current?.explicit !== undefined;
  }

  /** No prompt starts any more. */
  get isOver(): boolean {
    return this.host.control.stop !== null;
  }

  /** Decides about the cache of prompts like that of record `index`, and makes it. */
  async prepare(index: number, opened: OpenedBatch): Promise<void> {
    const { batchId, control } = this.host;
    const state = initialState(opened.plan);
    await this.trying('prepared', async () => {
      const summary = 'prompt cache: count and decide';
      const made = await caches(opened.queue).prepareCache.executeWithOptions({ summary }, [{ batchId, index, state }]);
      const { explicit } = made;
      await control.change({ cache: explicit === undefined ? made : { ...made, explicit: { ...explicit, index } } });
    });
  }

  /** Renews an explicit cache before its end, as long as the batch runs. */
  async renewing(): Promise<void> {
    const { host } = this;
    for (;;) {
      await condition(() => host.finished || this.renewalAt() !== null);
      const [at, name] = [this.renewalAt(), this.current?.explicit?.name];
      if (host.finished || at === null) return;
      const changed = () => host.finished || this.renewalAt() !== at || this.current?.explicit?.name !== name;
      const waitMs = Math.max(1, at - Date.now());
      if (!(await condition(changed, waitMs, { summary: 'renewal of the prompt cache' }))) await this.renew();
    }
  }

  /** The cache of this name is gone: the batch makes another one. */
  async lost(name: string): Promise<void> {
    const { explicit } = this.current ?? {};
    const opened = this.host.shards?.opened;
    if (explicit?.name !== name || opened === undefined || this.making || this.ending || this.isOver) return;
    this.making = true;
    try {
      await this.publish(undefined);
      await this.prepare(explicit.index ?? 0, opened);
    } catch (error) {
      // A cancelled batch needs none, and has still to end in order.
      if (!isCancellation(error)) throw error;
    } finally {
      this.making = false;
    }
  }

  /** Waits for a cache that is being made again: nobody would know of it after the batch, and it is billed to its end. */
  async settled(): Promise<void> {
    if (this.making && patched('cache-settled')) await condition(() => !this.making, MAKING_BOUND);
  }

  /** Ends the batch's own cache, unless it is to be kept. None is made any more. */
  async release(): Promise<void> {
    this.ending = true;
    await this.settled();
    const { explicit, model } = this.current ?? {};
    const queue = this.host.shards?.opened.queue;
    if (explicit === undefined || model === undefined || queue === undefined) return;
    if (explicit.owner === 'other' || explicit.keep) return;
    const { name } = explicit;
    const ended = await this.trying('deleted', () =>
      endingCaches(queue).removeCache.executeWithOptions({ summary: 'prompt cache: delete' }, [{ model, name }]),
    );
    if (ended) await this.publish(undefined);
  }

  private get current(): BatchCache | undefined {
    return this.host.control.settings.cache;
  }

  /** When the cache is to be renewed, milliseconds since epoch; null = never. */
  private renewalAt(): number | null {
    const { explicit } = this.current ?? {};
    if (explicit === undefined || explicit.renewBeforeSeconds === null) return null;
    return explicit.expiresAt - explicit.renewBeforeSeconds * 1000;
  }

  private async renew(): Promise<void> {
    const { explicit, model } = this.current ?? {};
    const queue = this.host.shards?.opened.queue;
    if (explicit === undefined || model === undefined || queue === undefined) return;
    const { name, ttlSeconds } = explicit;
    const summary = 'prompt cache: renew';
    const renewed = await this.trying('renewed', async () => {
      const cache = { batchId: this.host.batchId, model, name, ttlSeconds };
      const until = await caches(queue).renewCache.executeWithOptions({ summary }, [cache]);
      if (until === null) await this.lost(name);
      else await this.publish({ ...explicit, ...until });
    });
    // It lives on to its end; a prompt that finds it gone has it made again.
    if (!renewed) await this.publish({ ...explicit, renewBeforeSeconds: null });
  }

  private async publish(explicit: ExplicitCache | undefined): Promise<void> {
    const { current } = this;
    if (current === undefined) return;
    const plain = withoutExplicit(current);
    await this.host.control.change({ cache: explicit === undefined ? plain : { ...plain, explicit } });
  }

  /** False when the activity failed: that is noted, and prompts go out as they can. */
  private async trying(what: string, act: () => Promise<void>): Promise<boolean> {
    try {
      await act();
      return true;
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
      this.host.notes.add(`The prompt cache was not ${what}: ${error.cause?.message ?? error.message}`);
      return false;
    }
  }
}

function withoutExplicit({ explicit: _explicit, ...cache }: BatchCache): BatchCache {
  return cache;
}
