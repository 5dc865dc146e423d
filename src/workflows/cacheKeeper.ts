import { ActivityFailure, CancellationScope, condition, isCancellation, patched } from '@temporalio/workflow';
import type { OpenedBatch } from '../activities/types.js';
import { currentStage, initialState } from '../recovery/ladder.js';
import type { BatchCache, ExplicitCache } from '../task/cachePlan.js';
import type { Notes } from './notes.js';
import type { BatchControl } from './control.js';
import { caches, endingCaches, rows, sweepingCaches } from './proxies.js';

/** A remake that was begun is waited for this long: three tries fit, and a worker that never comes makes nothing. */
const MAKING_BOUND = '6 minutes';

/**
 * A batch pays for no cache longer than it reads it: others' are not renewed, nor any while it is paused; a model's own
 * one ends when another is asked; and one that was made unseen is looked for.
 */
const THRIFT = 'cache-thrift';

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
  /** The first prompt was answered. */
  readonly probed: boolean;
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
  /** The model it was decided for anew last, whatever came of it. */
  private followed: string | undefined;

  constructor(private readonly host: Host) {}

  /** Prompts are cached. */
  get isUsed(): boolean {
    return this.current?.decision.cache === true || this.isExplicit;
  }

  /** Prompts name a cache that was made on purpose. */
  get isExplicit(): boolean {
    return this.current?.explicit !== undefined;
  }

  /** Prompts go out without the marks of their prompt function. */
  get isUnmarked(): boolean {
    return this.current?.marksDiffer === true;
  }

  /** No prompt starts any more. */
  get isOver(): boolean {
    return this.host.control.stop !== null;
  }

  /** Decides about the cache of prompts like that of record `index`, and makes it. */
  async prepare(index: number, opened: OpenedBatch): Promise<void> {
    const { batchId, control } = this.host;
    const state = initialState(opened.plan);
    const before = this.current;
    const ordered = before?.explicitOrdered;
    // Should nobody hear of it, one may be there that nobody else ends.
    const orderedNow = ordered ?? this.asked;
    if (before !== undefined && orderedNow !== undefined) {
      control.remember({ cache: { ...before, explicitOrdered: orderedNow } });
    }
    await this.trying('prepared', async () => {
      const summary = 'prompt cache: count and decide';
      const made = await caches(opened.queue).prepareCache.executeWithOptions({ summary }, [{ batchId, index, state }]);
      const { explicit } = made;
      const cache = explicit === undefined ? made : { ...made, explicit: { ...explicit, index } };
      await control.change({ cache: ordered === undefined ? cache : { ...cache, explicitOrdered: ordered } });
    });
  }

  /** Keeps the cache as long as the batch reads it, and decides anew when it asks another model. */
  async keeping(): Promise<void> {
    await Promise.all([this.renewing(), this.following()]);
  }

  /** The cache of this name is gone: the batch makes another one. */
  async lost(name: string): Promise<void> {
    const { explicit } = this.current ?? {};
    const opened = this.host.shards?.opened;
    if (explicit?.name !== name || opened === undefined || this.making || this.ending || this.isOver) return;
    try {
      await this.changing(async () => {
        await this.publish(undefined);
        await this.prepare(explicit.index ?? 0, opened);
      });
    } catch (error) {
      // A cancelled batch needs none, and has still to end in order.
      if (!isCancellation(error)) throw error;
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
    if (await this.retire()) await this.publish(undefined);
  }

  /** Ends the batch's own cache, and any that was made unseen; true when prompts have lost theirs. */
  private async retire(): Promise<boolean> {
    const { explicit, explicitOrdered, model } = this.current ?? {};
    const queue = this.host.shards?.opened.queue;
    if (model === undefined || queue === undefined) return false;
    const own = explicit?.owner === 'own' && !explicit.keep ? explicit : undefined;
    const ended = own !== undefined && (await this.remove(queue, model, own.name));
    if (explicitOrdered !== undefined && patched(THRIFT)) await this.sweep(queue, explicitOrdered);
    return ended;
  }

  private remove(queue: string, model: string, name: string): Promise<boolean> {
    return this.trying('deleted', () =>
      endingCaches(queue).removeCache.executeWithOptions({ summary: 'prompt cache: delete' }, [{ model, name }]),
    );
  }

  private async sweep(queue: string, model: string): Promise<void> {
    const { batchId, control } = this.host;
    const summary = 'prompt cache: delete any that was made unseen';
    await this.trying('looked for', async () => {
      await sweepingCaches(queue).sweepCaches.executeWithOptions({ summary }, [{ batchId, model }]);
      const { current } = this;
      if (current !== undefined) control.remember({ cache: withoutOrdered(current) });
    });
  }

  /** Renews an explicit cache before its end, as long as the batch runs. */
  private async renewing(): Promise<void> {
    const { host } = this;
    for (;;) {
      await condition(() => host.finished || this.renewalAt() !== null);
      const [at, name] = [this.renewalAt(), this.current?.explicit?.name];
      if (host.finished || at === null) return;
      const changed = () => host.finished || this.renewalAt() !== at || this.current?.explicit?.name !== name;
      const waitMs = Math.max(1, at - Date.now());
      if (await condition(changed, waitMs, { summary: 'renewal of the prompt cache' })) continue;
      // Nobody reads it meanwhile. Should it end, its renewal finds it gone, and another is made.
      if (host.control.paused !== null && patched(THRIFT)) {
        await condition(() => changed() || host.control.paused === null);
      } else await this.renew();
    }
  }

  private async following(): Promise<void> {
    const { host } = this;
    for (;;) {
      await condition(() => host.finished || this.isOutdated);
      const opened = host.shards?.opened;
      if (host.finished || opened === undefined) return;
      this.followed = this.asked;
      if (patched(THRIFT)) await this.changing(() => this.follow(opened));
    }
  }

  /** Another model is asked: the old one's own cache ends, and what is left to ask decides whether there is another. */
  private async follow(opened: OpenedBatch): Promise<void> {
    await CancellationScope.nonCancellable(() => this.retire());
    // Also waits until workers can read which model it is.
    await this.publish(undefined);
    const summary = 'a record that is still to be asked';
    const index = await rows.firstPending.executeWithOptions({ summary }, [this.host.batchId, 0]);
    if (index !== null) await this.prepare(index, opened);
  }

  /** The cache was decided about for another model than prompts begin with now. */
  private get isOutdated(): boolean {
    const { current, asked, host } = this;
    if (current === undefined || asked === undefined || !host.probed || host.control.paused !== null) return false;
    return asked !== current.model && asked !== this.followed && !this.making && !this.ending && !this.isOver;
  }

  /** The model that prompts begin with now; undefined = not known yet. */
  private get asked(): string | undefined {
    const { control, shards } = this.host;
    if (shards === undefined) return undefined;
    const { model, plan } = shards.opened;
    return control.settings.model ?? currentStage(plan, initialState(plan)).model ?? model;
  }

  /** One change of the cache at a time; the batch's end waits for it. */
  private async changing(change: () => Promise<void>): Promise<void> {
    this.making = true;
    try {
      await change();
    } finally {
      this.making = false;
    }
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
    const { explicit } = this.current ?? {};
    if (explicit === undefined) return;
    if (explicit.owner === 'other' && patched(THRIFT)) await this.replace(explicit);
    else await this.prolong(explicit);
    const { explicit: now } = this.current ?? {};
    // It lives on to its end; a prompt that finds it gone has it made again.
    if (now?.name === explicit.name && now.expiresAt === explicit.expiresAt) {
      await this.publish({ ...explicit, renewBeforeSeconds: null });
    }
  }

  private async prolong(explicit: ExplicitCache): Promise<void> {
    const { model } = this.current ?? {};
    const queue = this.host.shards?.opened.queue;
    if (model === undefined || queue === undefined) return;
    const { name, ttlSeconds } = explicit;
    const summary = 'prompt cache: renew';
    await this.trying('renewed', async () => {
      const cache = { batchId: this.host.batchId, model, name, ttlSeconds };
      const until = await caches(queue).renewCache.executeWithOptions({ summary }, [cache]);
      if (until === null) await this.lost(name);
      else await this.publish({ ...explicit, ...until });
    });
  }

  /** Has one made for the batch: another's, renewed, would be paid for after the batch, and nobody would end it. */
  private async replace({ name, index = 0 }: ExplicitCache): Promise<void> {
    await condition(() => !this.making);
    const opened = this.host.shards?.opened;
    if (opened === undefined || this.current?.explicit?.name !== name || this.ending || this.isOver) return;
    await this.changing(() => this.prepare(index, opened));
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

function withoutOrdered({ explicitOrdered: _ordered, ...cache }: BatchCache): BatchCache {
  return cache;
}
