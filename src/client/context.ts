import type { Client } from '@temporalio/client';
import type { Notifier } from '../activities/notifier.js';
import type { PoolConfigs } from '../limits/poolBook.js';
import type { CircuitSettings } from '../limits/types.js';
import type { ProviderSet } from '../providers/types.js';
import type { Store } from '../store/types.js';
import type { OptimizationConfig, OptimizationLayer } from '../task/optimization.js';
import type { TaskSpec } from '../task/spec.js';
import type { Target } from './connect.js';

/** Where a Temporal server is, and whether it answers. */
export interface ServerState {
  /** Whether it answers. */
  readonly up: boolean;
  /** `host:port`; null for an embedded server that does not run. */
  readonly address: string | null;
  /** Its web UI; null when that address is not known. */
  readonly ui: string | null;
}

/** What the parts of the client share: one store, one set of endpoints, one connection made when it is first needed. */
export interface ClientContext {
  /** The open store. */
  readonly store: Store;
  /** Endpoints by provider name. */
  readonly providers: ProviderSet;
  /** Pools as configured. */
  readonly pools: PoolConfigs;
  /** When an endpoint counts as down; undefined = the defaults. */
  readonly circuit?: CircuitSettings | undefined;
  /** Tells the outside world of batches, as configured. */
  readonly notifier: Notifier;
  /** This process was started by such a telling: batches it starts tell nobody. */
  readonly quiet: boolean;
  /** LLM_OPTIMIZATION_ENABLED; undefined = the configuration decides. */
  readonly optimizing: boolean | undefined;
  /**
   * How a task's prompts are made cheaper in a batch of this id: `tempered.config` is read now. `call` is what the start
   * itself says. Throws `input`.
   */
  optimization(spec: TaskSpec, batchId: string, call: OptimizationLayer | undefined): Promise<OptimizationConfig>;
  /** Words about what takes long, for a person. */
  readonly onProgress: (line: string) => void;
  /** The Temporal server: starts the embedded one when no other is configured. Throws `network`. */
  target(): Promise<Target>;
  /** The server, if one is configured or runs: nothing is started, nothing asked. */
  foundTarget(): Promise<Target | null>;
  /** Where the server is and whether it answers; starts nothing. */
  serverState(): Promise<ServerState>;
  /** A client of it. Throws `network`. */
  client(): Promise<Client>;
}
