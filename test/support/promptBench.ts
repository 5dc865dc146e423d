import { Client, Connection } from '@temporalio/client';
import { CacheFaults } from '../../src/activities/cacheFaults.js';
import { type ActivityDeps, BatchBook, TaskBook } from '../../src/activities/context.js';
import { jobOf } from '../../src/activities/job.js';
import { Notifier } from '../../src/activities/notifier.js';
import { type PromptEnd, PromptRun } from '../../src/activities/promptRun.js';
import { MoneyWatch } from '../../src/activities/reserve.js';
import { CircuitBreaker } from '../../src/limits/circuitBreaker.js';
import { createControlCache } from '../../src/limits/controlCache.js';
import { createGate } from '../../src/limits/gate.js';
import { PoolBook, type PoolConfigs } from '../../src/limits/poolBook.js';
import { Tuner } from '../../src/limits/tuner.js';
import { createProviderSet } from '../../src/providers/providerSet.js';
import { initialState } from '../../src/recovery/ladder.js';
import { type Simulator, simulatorEnv, startSimulator, type ScenarioInput } from '../../src/simulator/index.js';
import { openStore } from '../../src/store/openStore.js';
import type { Control, Store } from '../../src/store/types.js';
import { defineTask } from '../../src/task/defineTask.js';
import { toLoadedRecord } from '../../src/task/loadRecord.js';
import { CONTROL as ANY_CONTROL, OPTIONS as ANY_OPTIONS } from '../store/fixtures.js';

const task = defineTask({ name: 'bare', model: 'anthropic/claude-sonnet-4-6', prompt: 'Greeting: {{text}}' });

const BATCH = 'bare';

const CONTROL: Control = { ...ANY_CONTROL, concurrency: 10 };
const OPTIONS = { ...ANY_OPTIONS, concurrency: 10 };

const nobody = () => undefined;

/** Prompts of one batch in this process, without Temporal: a store in memory, a gate, a simulated provider. */
export class PromptBench {
  private constructor(
    private readonly deps: ActivityDeps,
    /** The provider. */
    readonly sim: Simulator,
    /** The name of the batch, whose row lets ten prompts be in flight. */
    readonly batchId: string,
  ) {}

  /** Loads so many records. `slowed`: the store as the prompts see it. */
  static async open(
    records: number,
    options: {
      readonly scenario?: ScenarioInput;
      readonly pools?: PoolConfigs;
      readonly slowed?: (store: Store) => Store;
    } = {},
  ): Promise<PromptBench> {
    const { scenario = {}, slowed = (one: Store) => one } = options;
    const sim = await startSimulator({ scenario });
    const store = slowed(await openStore('sqlite::memory:'));
    const about = { taskHash: task.hash, taskName: task.spec.name, dataHash: '', source: 'test', createdAt: 1 };
    await store.createBatch({ id: BATCH, ...about, options: OPTIONS });
    const inputs = Array.from({ length: records }, (_, index) =>
      toLoadedRecord(task, { text: `day ${index}` }, { index }),
    );
    await store.appendRecords(BATCH, await Promise.all(inputs));
    await store.finishLoading(BATCH);
    await store.publishControl(BATCH, CONTROL);
    return new PromptBench(depsOf(store, sim, new PoolBook(options.pools ?? {})), sim, BATCH);
  }

  /** The gate of this process. */
  get gate(): ActivityDeps['gate'] {
    return this.deps.gate;
  }

  /** The store as the prompts see it. */
  get store(): Store {
    return this.deps.store;
  }

  /** The first prompt of a record. Rejects with `UnsentError` when nothing was spent. */
  async prompt(index: number): Promise<PromptEnd> {
    const { batches, tasks } = this.deps;
    const record = await this.store.getRecord(BATCH, index);
    if (record === undefined) throw new Error(`no record ${index}`);
    const worker = await tasks.get(task.hash);
    const about = { batch: await batches.get(BATCH), task: worker, workflowId: null, runId: null };
    const job = { ...about, ...jobOf(record, [], initialState(worker.plan)) };
    const { signal } = new AbortController();
    return new PromptRun(this.deps, job, { signal, probe: false, warn: nobody }).execute(0);
  }

  /** Changes the batch's control row. */
  async steer(change: Partial<Control>): Promise<void> {
    const before = (await this.store.readControl(BATCH)) ?? CONTROL;
    await this.store.publishControl(BATCH, { ...before, ...change, version: before.version + 1 });
  }

  /** Closes everything. */
  async close(): Promise<void> {
    await this.gate.close();
    await this.store.close();
    await this.sim.close();
  }
}

/** What a worker would make, with a Temporal client that is never used. */
function depsOf(store: Store, sim: Simulator, pools: PoolBook): ActivityDeps {
  const refuse = () => Promise.reject(new Error('not here'));
  const now = Date.now;
  return {
    store,
    providers: createProviderSet({ env: simulatorEnv(sim.url) }),
    gate: createGate({ store, worker: 'bench', configured: (pool) => pools.settingsOf(pool) }),
    meters: { prompt: nobody, waited: nobody, rate: nobody, circuit: nobody },
    circuits: new CircuitBreaker({ store }),
    tuner: new Tuner({ inFlight: () => Promise.resolve(0), propose: refuse, now }),
    pools,
    money: new MoneyWatch(now),
    control: createControlCache(store),
    tasks: new TaskBook(store, [task]),
    batches: new BatchBook(store),
    notifier: new Notifier({}, {}),
    submitFile: refuse,
    client: new Client({ connection: Connection.lazy() }),
    cacheFaults: new CacheFaults(),
    optimization: refuse,
    now,
    warn: nobody,
    closing: new AbortController().signal,
  };
}
