import path from 'node:path';
import { createProviderSet } from '../providers/providerSet.js';
import { openStore } from '../store/openStore.js';
import { connectClient, resolveTarget } from './connect.js';
import type { ClientContext } from './context.js';
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
  const providers = createProviderSet({ env, endpoints: config.providers });
  const store = await openStore(options.store ?? env['TEMPERED_STORE'] ?? `sqlite:${path.join(folder, 'store.db')}`);
  const target = memoized(() => resolveTarget({ address, env, folder, onProgress }));
  const connected = memoized(async () => connectClient(await target.get()));
  return {
    store,
    providers,
    env,
    folder,
    onProgress,
    target: () => target.get(),
    connectedTarget: async () => target.known() ?? null,
    client: async () => (await connected.get()).client,
    close: async () => {
      await (await connected.known())?.close();
      await store.close();
    },
  };
}

/** Made when first asked for; a failure is not kept. */
function memoized<T>(make: () => Promise<T>): { get(): Promise<T>; known(): Promise<T> | undefined } {
  let made: Promise<T> | undefined;
  return {
    get() {
      made ??= make().catch((error: unknown) => {
        made = undefined;
        throw error;
      });
      return made;
    },
    known: () => made,
  };
}
