import { setTimeout as sleep } from 'node:timers/promises';
import { createGate } from '../../src/limits/gate.js';
import type { Gate, GateRequest, Permit, PoolSettings, PromptTokens } from '../../src/limits/types.js';
import { openStore } from '../../src/store/openStore.js';
import type { Control, Store } from '../../src/store/types.js';
import type { PoolLimits } from '../../src/task/spec.js';
import { CONTROL as ANY_CONTROL, OPTIONS as ANY_OPTIONS } from '../store/fixtures.js';

const CONTROL: Control = { ...ANY_CONTROL, concurrency: 5 };
const OPTIONS = { ...ANY_OPTIONS, concurrency: 5 };

/** A prompt, in few words. */
interface Asked extends Partial<Omit<GateRequest, 'control' | 'own'>> {
  /** The task's. */
  readonly limits?: PoolLimits;
  /** The batch's own. */
  readonly weight?: number;
  /** The processes share the batch's places. Default true. */
  readonly ahead?: boolean;
  /** What its control row says. Default: the row as it was first published. */
  readonly control?: Partial<Control>;
}

/** A control row, newer than the published one, that lets one prompt be in flight. */
const ALONE = { version: 2, concurrency: 1 };

/** So many tokens, no matter which. */
function used(input: number): PromptTokens {
  return { input, output: 0 };
}

describe('gate', () => {
  let store: Store;
  const gates: Gate[] = [];
  let pools = 0;

  beforeAll(async () => {
    store = await openStore('sqlite::memory:');
    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      const about = { taskHash: 't', taskName: 't', dataHash: 'd', source: 's', createdAt: 1 };
      await store.createBatch({ id, ...about, options: OPTIONS });
      await store.publishControl(id, CONTROL);
    }
  });
  afterEach(async () => {
    for (const gate of gates.splice(0)) await gate.close();
  });
  afterAll(async () => {
    await store.close();
  });

  function gate(configured: PoolSettings = {}): Gate {
    const made = createGate({ store, worker: `worker-${gates.length}`, configured: () => configured });
    gates.push(made);
    return made;
  }

  function request({ limits = {}, weight = 1, ahead = true, control, ...more }: Asked = {}): GateRequest {
    const signal = new AbortController().signal;
    return {
      pool: `pool-${pools}`,
      batchId: 'a',
      control: { ...CONTROL, ...control },
      own: { limits, weight, ahead },
      tokens: used(100),
      boundMs: 5_000,
      signal,
      ...more,
    };
  }

  beforeEach(() => {
    pools += 1;
  });

  async function permit(one: Gate, more: Asked = {}): Promise<Permit> {
    const entered = await one.enter(request(more));
    if ('refusal' in entered) throw new Error(JSON.stringify(entered.refusal));
    return entered.permit;
  }

  it('holds a batch to its concurrency, first come first served, and says so', async () => {
    const one = gate();
    const first = await permit(one, { control: ALONE });
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (number) => {
      const next = await permit(one, { control: ALONE });
      order.push(number);
      next.release(used(100));
      next.release(used(100));
    });
    await sleep(10);
    expect(order).toEqual([]);
    expect(one.limiter('a')).toBe('concurrency');
    first.release(null);
    await Promise.all(waiting);
    expect(order).toEqual([1, 2, 3]);
    expect(one.limiter('a')).toBeNull();
  });

  it('takes turns between batches', async () => {
    const one = gate();
    const limits = { inFlight: 1 };
    const first = await permit(one, { limits });
    const order: string[] = [];
    const waiting = ['a', 'a', 'a', 'b', 'b', 'c'].map(async (batchId) => {
      const next = await permit(one, { batchId, limits });
      order.push(batchId);
      next.release(used(100));
    });
    expect(one.limiter('b')).toBe('in flight');
    first.release(used(100));
    await Promise.all(waiting);
    expect(order.join('')).toBe('bcabaa');
  });

  it('tells whoever watches of waits and of the rate', async () => {
    const told: unknown[] = [];
    const meters = {
      waited: (pool: string, limiter: string) => told.push([pool, limiter]),
      rate: (pool: string, rpm: number | null) => told.push([pool, rpm]),
    };
    const one = createGate({ store, worker: 'metered', meters });
    gates.push(one);
    const first = await permit(one, { control: ALONE, limits: { rpm: 600 } });
    const second = permit(one, { control: ALONE, limits: { rpm: 600 } });
    first.release(null);
    (await second).release(null);
    const { pool } = request();
    expect(told).toContainEqual([pool, 600]);
    expect(told).toContainEqual([pool, 'concurrency']);
  });

  it('keeps to the limits a batch brings, also when it comes to quota leased without them, and comes again', async () => {
    const one = gate();
    const limits = { rpm: 1 };
    (await permit(one, { batchId: 'b' })).release(used(100));
    (await permit(one, { limits })).release(used(100));
    await sleep(600);
    for (let again = 0; again < 2; again += 1) {
      const refused = await one.enter(request({ limits, boundMs: 400 }));
      expect(refused).toMatchObject({ refusal: { kind: 'busy', limiter: 'requests per minute' } });
      await sleep(300);
    }
  });

  it('starts no more on a fast pool’s lease when a batch with low limits comes to it', async () => {
    const one = gate({ rpm: 6_000 });
    const busy = { version: 2, concurrency: 40 };
    let going = true;
    const lanes = Array.from({ length: 40 }, async () => {
      while (going) {
        const next = await permit(one, { batchId: 'b', control: busy });
        await sleep(100);
        next.release(used(100));
      }
    });
    await sleep(500);
    going = false;
    await Promise.all(lanes);
    const asked = { limits: { rpm: 1 }, control: { version: 2, concurrency: 40 }, boundMs: 400 };
    const entered = await Promise.all(Array.from({ length: 30 }, () => one.enter(request(asked))));
    expect(entered.filter((each) => 'permit' in each)).toHaveLength(1);
  });

  it('lets the others go on soon after a batch with low limits has ended, also in other processes', async () => {
    const [one, two] = [gate(), gate()];
    const pairs = [
      { pool: 'left-here', other: one },
      { pool: 'left-elsewhere', other: two },
    ];
    await Promise.all(
      pairs.map(async ({ pool, other }) => {
        (await permit(one, { pool, limits: { rpm: 6 } })).release(used(100));
        // Its lease is told before the others ask.
        await sleep(400);
        const waits = other.enter(request({ pool, batchId: 'b', boundMs: 5_000 }));
        expect(await waits).toHaveProperty('permit');
      }),
    );
  });

  it('takes turns by weight', async () => {
    const one = gate();
    const limits = { inFlight: 1 };
    const first = await permit(one, { batchId: 'c', limits });
    const order: string[] = [];
    const waiting = Array.from('aaaaaabb').map(async (batchId) => {
      const next = await permit(one, { batchId, limits, weight: batchId === 'a' ? 3 : 1 });
      order.push(batchId);
      next.release(used(100));
    });
    await sleep(300);
    first.release(used(100));
    await Promise.all(waiting);
    expect(order.slice(0, 4).sort().join('')).toBe('aaab');
    expect(order.slice(4).sort().join('')).toBe('aaab');
  });

  it('lowers the rate of every process after an overload, and keeps to limits the provider told', async () => {
    const [one, two] = [gate(), gate()];
    (await permit(one)).release(used(100));
    await one.overloaded(request().pool);
    const [state] = (await store.listPools()).filter(({ pool }) => pool === request().pool);
    expect(state?.rateRpm).toBeGreaterThan(0);
    await sleep(600);
    (await permit(two)).release(null);
    const refused = await two.enter(request({ boundMs: 50 }));
    expect(refused).toMatchObject({ refusal: { kind: 'busy', limiter: 'overload' } });
    const pool = 'told';
    await one.told(pool, 'big', { rpm: 60 });
    await one.told(pool, 'big', { rpm: 61 });
    await two.told(pool, 'small', { rpm: 4_000 });
    (await permit(two, { pool })).release(null);
    expect(await two.enter(request({ pool, boundMs: 50 }))).toMatchObject({
      refusal: { limiter: 'requests per minute' },
    });
    expect((await store.listPools()).find((known) => known.pool === pool)?.told).toEqual({ rpm: 60 });
  });

  it('keeps places in flight over all processes', async () => {
    const [one, two] = [gate(), gate()];
    const limits = { inFlight: 2 };
    const held = [await permit(one, { limits }), await permit(one, { limits })];
    let entered = false;
    const other = permit(two, { limits }).then((next) => {
      entered = true;
      next.release(used(1));
    });
    await sleep(50);
    expect(entered).toBe(false);
    for (const each of held) each.release(used(100));
    await other;
    expect(entered).toBe(true);
  });

  it.each([1, 3])("keeps a batch's concurrency of %d over all processes, and uses it", async (concurrency) => {
    const control = { version: 2, concurrency };
    const pool = `shared-${concurrency}`;
    let inFlight = 0;
    let most = 0;
    const send = async (one: Gate): Promise<void> => {
      const next = await permit(one, { pool, control, boundMs: 20_000 });
      inFlight += 1;
      most = Math.max(most, inFlight);
      await sleep(20);
      inFlight -= 1;
      next.release(used(1));
    };
    await Promise.all([gate(), gate(), gate()].flatMap((one) => Array.from({ length: 20 }, () => send(one))));
    expect(most).toBe(concurrency);
  });

  it("leaves a batch's concurrency to its shards where these begin nothing ahead", async () => {
    const [one, two] = [gate(), gate()];
    const control = { version: 2, concurrency: 1 };
    const held = await permit(one, { control, ahead: false });
    (await permit(two, { control, ahead: false })).release(used(1));
    expect(await one.enter(request({ control, ahead: false, boundMs: 100 }))).toMatchObject({
      refusal: { kind: 'busy', limiter: 'concurrency' },
    });
    held.release(used(1));
  });

  it('gives its places to others soon when it has nothing more to send', async () => {
    const [one, two] = [gate(), gate()];
    const control = { version: 2, concurrency: 2 };
    const held = await permit(one, { control });
    const other = await permit(two, { control });
    expect(await two.enter(request({ control, boundMs: 400 }))).toMatchObject({ refusal: { limiter: 'concurrency' } });
    held.release(used(1));
    const last = await permit(two, { control });
    for (const each of [other, last]) each.release(used(1));
  });

  it('refuses as busy at its bound, naming the limiter', async () => {
    const one = gate();
    const limits = { rpm: 2 };
    (await permit(one, { limits })).release(used(100));
    const { refusal } = Object.assign({ refusal: null }, await one.enter(request({ limits, boundMs: 50 })));
    expect(refusal).toMatchObject({ kind: 'busy', limiter: 'requests per minute' });
    const tokens = { tpm: 600 };
    (await permit(one, { pool: 'tokens', limits: tokens, tokens: used(10) })).release(used(500));
    const later = await one.enter(request({ pool: 'tokens', limits: tokens, tokens: used(10), boundMs: 600 }));
    expect(later).toMatchObject({ refusal: { kind: 'busy', limiter: 'tokens per minute' } });
  });

  it('lets requests flow at their rate', async () => {
    const one = gate();
    const limits = { rpm: 1_200 };
    const started = performance.now();
    await Promise.all(
      Array.from({ length: 30 }, async () => {
        (await permit(one, { limits, control: { version: 2, concurrency: 50 } })).release(used(100));
      }),
    );
    // 20 at once, 10 more at a little less than 20 a second.
    expect(performance.now() - started).toBeGreaterThan(400);
  });

  it('wastes no request on prompts that pass and are not sent', async () => {
    const one = gate();
    const limits = { rpm: 60 };
    // One at once and one a second, were they sent.
    for (let tries = 0; tries < 4; tries += 1) (await permit(one, { limits, boundMs: 800 })).release('unsent');
    expect(await one.enter(request({ limits, boundMs: 800 }))).toHaveProperty('permit');
  });

  it('collects tokens for a prompt that needs more than a second’s worth, and pays debts back', async () => {
    const one = gate();
    const limits = { tpm: 12_000 };
    (await permit(one, { limits, tokens: used(300) })).release(used(20_000));
    const after = await one.enter(request({ limits, tokens: used(100), boundMs: 600 }));
    expect(after).toMatchObject({ refusal: { kind: 'busy', limiter: 'tokens per minute' } });
  });

  it('closes at once for a cooldown, here and elsewhere', async () => {
    const [one, two] = [gate(), gate()];
    (await permit(one)).release(used(1));
    await one.cooldown(request().pool, Date.now() + 400);
    const waits = permit(one);
    expect(one.limiter('a')).toBe('cooldown');
    const started = Date.now();
    await Promise.all([waits, permit(two)]);
    expect(Date.now() - started).toBeGreaterThan(300);
  });

  it('turns waiters away when the batch is paused or stopped', async () => {
    const one = gate();
    const held = await permit(one, { batchId: 'c', control: ALONE });
    const paused = one.enter(request({ batchId: 'c', control: ALONE }));
    const pause = { reason: 'user' as const, message: 'lunch', since: 1 };
    await store.publishControl('c', { ...CONTROL, ...ALONE, version: 2, paused: pause });
    expect(await paused).toEqual({ refusal: { kind: 'paused', reason: 'lunch' } });
    const stopped = one.enter(request({ batchId: 'c', control: ALONE }));
    await store.publishControl('c', { ...CONTROL, ...ALONE, version: 3, stop: 'cancelled' });
    expect(await stopped).toMatchObject({ refusal: { kind: 'stopped', reason: 'cancelled' } });
    await store.publishControl('c', { ...CONTROL, ...ALONE, version: 4, deadline: 1 });
    const late = one.enter(request({ batchId: 'c', control: ALONE }));
    expect(await late).toMatchObject({ refusal: { kind: 'stopped', reason: 'deadline' } });
    held.release(null);
    await store.publishControl('c', { ...CONTROL, ...ALONE, version: 5 });
  });

  it('starts those who wait when the batch’s own limits, or its concurrency, are raised', async () => {
    const one = gate();
    const limits = { rpm: 1 };
    const control = { version: 6, concurrency: 1 };
    const asked = { batchId: 'd', limits, control, boundMs: 20_000 };
    const first = await permit(one, asked);
    const waiting = [1, 2, 3].map(() => permit(one, asked));
    await store.publishControl('d', { ...CONTROL, version: 7, concurrency: 9, limits: { rpm: 1_200 } });
    const later = await Promise.all(waiting);
    for (const each of [first, ...later]) each.release(used(100));
  });

  it('turns those away who wait for a model that is no longer the batch’s, so that they are made anew', async () => {
    const one = gate();
    const asked = { batchId: 'e', control: { version: 3, concurrency: 1 } };
    const held = await permit(one, asked);
    const waits = one.enter(request({ ...asked, boundMs: 20_000 }));
    await store.publishControl('e', { ...CONTROL, version: 4, concurrency: 1, model: 'anthropic/other' });
    expect(await waits).toEqual({ refusal: { kind: 'changed' } });
    held.release(null);
  });

  it('removes a waiter whose signal aborts', async () => {
    const one = gate();
    const held = await permit(one, { control: ALONE });
    const controller = new AbortController();
    const waits = one.enter(request({ control: ALONE, signal: controller.signal }));
    controller.abort(new Error('cancelled by Temporal'));
    await expect(waits).rejects.toThrow('cancelled by Temporal');
    expect(one.limiter('a')).toBeNull();
    await expect(one.enter(request({ signal: controller.signal }))).rejects.toThrow('cancelled by Temporal');
    held.release(null);
  });

  it('turns everybody away when it closes, and gives its places back', async () => {
    const one = createGate({ store, worker: 'closing' });
    const limits = { inFlight: 1 };
    await permit(one, { limits });
    const waits = one.enter(request({ limits }));
    await one.close();
    expect(await waits).toMatchObject({ refusal: { kind: 'busy', limiter: 'in flight' } });
    await permit(gate(), { limits });
  });

  it('tells waiters when the store fails', async () => {
    const broken = createGate({
      store: {
        lease: () => Promise.reject(new Error('no database')),
        cooldown: (pool, until) => store.cooldown(pool, until),
        dropLeases: (worker) => store.dropLeases(worker),
        readControl: (id) => store.readControl(id),
        lowerRate: (...words) => store.lowerRate(...words),
        tellLimits: (...words) => store.tellLimits(...words),
      },
      worker: 'broken',
    });
    await expect(broken.enter(request())).rejects.toThrow('no database');
    await broken.close();
  });
});
