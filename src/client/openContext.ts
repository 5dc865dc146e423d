import path from 'node:path';
import type { Client } from '@temporalio/client';
import { Notifier, NOTIFIED_ENV } from '../activities/notifier.js';
import { optimizationSwitch } from '../caching/config.js';
import { openStore } from '../store/openStore.js';
import { TemperedError } from '../task/errors.js';
import { connectClient, findTarget, resolveTarget, type Target } from './connect.js';
import { batchOptimization } from './batchOptimization.js';
import type { ClientContext, ServerState } from './context.js';
import { endpointsOf } from './endpoints.js';
import { loadNodeConfig } from './nodeConfig.js';

/** Where batches live. Every option has a default that works in an empty folder. */
export interface TemperedOptions {
  /** Temporal server `host:port`. Default: TEMPORAL_ADDRESS or a profile, else the embedded server of the folder. */
  readonly address?: string | undefined;
  /** `sqlite:path` or `postgres://…`. Default: TEMPERED_STORE, else `sqlite:<folder>/store.db`. */
  readonly store?: string | undefined;
  /** Folder of the embedded server and the default store. Default `.tempered`. */
  readonly folder?: string | undefined;
  /** Environment for keys, addresses and profiles. Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Words about what takes long (obtaining the server, loading). Default: nothing is said. */
  readonly onProgress?: ((line: string) => void) | undefined;
}

/** Folder of the embedded server, the default store, logs and results. */
export const DEFAULT_FOLDER = '.tempered';

/** Opens the store and reads `tempered.config`; the Temporal server is connected when it is first needed. */
export async function openContext(options: TemperedOptions): Promise<ClientContext & { close(): Promise<void> }> {
  const { address, folder = DEFAULT_FOLDER, env = process.env } = options;
  const onProgress = options.onProgress ?? (() => undefined);
  const config = await loadNodeConfig();
  const providers = endpointsOf(config, env);
  const store = await openStore(options.store ?? env['TEMPERED_STORE'] ?? `sqlite:${path.join(folder, 'store.db')}`);
  const server = { address, env, folder, onProgress };
  const target = new Once(() => resolveTarget(server));
  const connected = new Once(async () => connectClient(await target.get()));
  const client = async () => (await connected.get()).client;
  const foundTarget = async () => target.made ?? (await findTarget(server)) ?? null;
  return {
    store,
    providers,
    pools: config.pools,
    circuit: config.circuitBreaker,
    notifier: new Notifier(config.notify ?? {}, env),
    quiet: env[NOTIFIED_ENV] !== undefined,
    onProgress,
    optimizing: optimizationSwitch(env),
    optimization: (spec, id, call) => batchOptimization({ spec, id, call, env }),
    target: () => target.get(),
    foundTarget,
    serverState: async () => stateOf(await foundTarget(), client),
    client,
    close: async () => {
      await connected.made?.close();
      await store.close();
    },
  };
}

/** Whether the server answers, too: a cluster that is away is told as such. */
async function stateOf(target: Target | null, client: () => Promise<Client>): Promise<ServerState> {
  if (target === null) return { up: false, address: null, ui: null };
  const { address, uiUrl: ui } = target;
  try {
    await client();
    return { up: true, address, ui };
  } catch (error) {
    if (!(error instanceof TemperedError)) throw error;
    return { up: false, address, ui };
  }
}

/** Made when first asked for; a failure is not kept. */
class Once<T> {
  private making: Promise<T> | undefined;
  /** The value, once it is there. */
  made: T | undefined;

  constructor(private readonly make: () => Promise<T>) {}

  get(): Promise<T> {
    this.making ??= this.make().then(
      (value) => {
        this.made = value;
        return value;
      },
      (error: unknown) => {
        this.making = undefined;
        throw error;
      },
    );
    return this.making;
  }
}
