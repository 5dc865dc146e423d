import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { BatchHandle } from '../../src/client/handle.js';
import { openTempered, type Tempered } from '../../src/client/tempered.js';
import type { RunningWorker, WorkOptions } from '../../src/client/work.js';
import { type Simulator, simulatorEnv, startSimulator, type ScenarioInput } from '../../src/simulator/index.js';
import { openStore } from '../../src/store/openStore.js';
import type { Store } from '../../src/store/types.js';
import type { TypedOutcome } from '../../src/client/typedOutcome.js';
import { startTemporal, type TestTemporal } from './temporal.js';

/** All a batch needs, for real: a Temporal server, a SQLite store, a simulated provider, the library. */
export class Bench {
  private readonly workers = new Set<RunningWorker>();
  private readonly others: Tempered[] = [];

  private constructor(
    private readonly folder: string,
    private readonly temporal: TestTemporal,
    private readonly connection: Connection,
    /** The provider. */
    readonly sim: Simulator,
    /** The library's door. */
    readonly tempered: Tempered,
    /** The store behind it, to read what no door shows. */
    readonly store: Store,
  ) {}

  /** Starts everything but a worker. `dynamicConfig`: of the Temporal server; `env`: over the simulator's addresses and keys. */
  static async open(
    options: { readonly dynamicConfig?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<Bench> {
    const folder = await mkdtemp(path.join(tmpdir(), 'tempered-bench-'));
    const [temporal, sim] = await Promise.all([startTemporal(options.dynamicConfig), startSimulator()]);
    const url = `sqlite:${path.join(folder, 'store.db')}`;
    const env = { ...simulatorEnv(sim.url), ...options.env };
    const tempered = await openTempered({ address: temporal.address, store: url, folder, env });
    const connection = await Connection.connect({ address: temporal.address });
    return new Bench(folder, temporal, connection, sim, tempered, await openStore(url));
  }

  /** The Temporal server, `host:port`. */
  get address(): string {
    return this.temporal.address;
  }

  /** A bare Temporal client: what any other program has. */
  get client(): Client {
    return new Client({ connection: this.connection });
  }

  /** Starts a worker in this process; `close` shuts it down. */
  async work(options: WorkOptions = {}, from = this.tempered): Promise<RunningWorker> {
    const worker = await from.startWorker({ log: () => undefined, pools: ['anthropic'], ...options });
    this.workers.add(worker);
    return worker;
  }

  /** Another process's door to the same store and server, with another environment; `close` closes it. */
  async another(env: Readonly<Record<string, string>>): Promise<Tempered> {
    const { folder, temporal, sim, store } = this;
    const all = { ...simulatorEnv(sim.url), ...env };
    const other = await openTempered({ address: temporal.address, store: store.url, folder, env: all });
    this.others.push(other);
    return other;
  }

  /** Shuts a worker down as Ctrl-C does. */
  async leave(worker: RunningWorker): Promise<void> {
    this.workers.delete(worker);
    await worker.shutdown();
  }

  /** Changes what the provider does from now on. */
  async scenario(scenario: ScenarioInput): Promise<void> {
    const response = await fetch(`${this.sim.url}/scenario`, { method: 'PUT', body: JSON.stringify(scenario) });
    if (!response.ok) throw new Error(await response.text());
  }

  /** Has the provider answer at once what it would answer later. */
  async release(): Promise<void> {
    await fetch(`${this.sim.url}/release`, { method: 'POST' });
  }

  /** Has a batch's first prompt answered, which goes alone. The books were empty before. */
  async releaseFirst(): Promise<void> {
    await until(() => Promise.resolve(this.sim.totals().requests > 0));
    await this.release();
  }

  /** Empties the provider's books. */
  async clearLedger(): Promise<void> {
    await fetch(`${this.sim.url}/ledger`, { method: 'DELETE' });
  }

  /** Shuts everything down. */
  async close(): Promise<void> {
    for (const worker of this.workers) await worker.shutdown();
    for (const tempered of [this.tempered, ...this.others]) await tempered.close();
    await this.store.close();
    await this.connection.close();
    await this.sim.close();
    await this.temporal.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Waits until `look` finds something. The test's own time limit ends the wait. */
export async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await sleep(50);
  }
}

/** Every outcome of a batch, in input order. */
export async function outcomesOf<Output>(batch: BatchHandle<Output>): Promise<TypedOutcome<Output>[]> {
  const outcomes: TypedOutcome<Output>[] = [];
  for await (const outcome of batch.outcomes()) outcomes.push(outcome);
  return outcomes;
}

/** Records whose text no two share. */
export function records(count: number, from = 0): { id: string; text: string }[] {
  return Array.from({ length: count }, (_, i) => ({ id: `r${from + i}`, text: `happy day number ${from + i}` }));
}
