import type { Client } from '@temporalio/client';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnection, NativeConnectionOptions } from '@temporalio/worker';
import { type ErrorCategory, TemperedError } from '../task/errors.js';
import { hostOf, isLoopback, portOf } from './address.js';
import { type EmbeddedServer, ensureServer, isListening, serverStatus, useServer } from './embedded/index.js';
import { temporalClient, temporalEnvconfig } from './temporalPackages.js';
import { within } from './within.js';

/** Longest wait for a server to answer; milliseconds. */
const CONNECT_LIMIT_MS = 10_000;

const CLOUD_UI = 'https://cloud.temporal.io';

/** A Temporal server and how to reach it. */
export interface Target {
  /** `embedded`: the server of a folder on this machine. `cluster`: any other, Temporal Cloud included. */
  readonly kind: 'cluster' | 'embedded';
  /** `host:port`. */
  readonly address: string;
  /** Namespace of client and worker. */
  readonly namespace: string;
  /** For both kinds of connection: address, TLS, API key, headers. */
  readonly connectionOptions: Pick<NativeConnectionOptions, 'address' | 'tls' | 'apiKey' | 'metadata'>;
  /** Its web UI; null when nobody told where that is. */
  readonly uiUrl: string | null;
  /** Folder of an embedded server; null for a cluster. */
  readonly folder: string | null;
}

/** Which server is meant. */
export interface TargetOptions {
  /** `host:port`, before everything else. Default: TEMPORAL_ADDRESS, a profile, the config file, the embedded server. */
  readonly address?: string | undefined;
  /** Profile of Temporal's config file. Default: TEMPORAL_PROFILE, else `default`. */
  readonly profile?: string | undefined;
  /** Environment; every variable Temporal's own tools know is honoured, and TEMPORAL_UI_URL. */
  readonly env: NodeJS.ProcessEnv;
  /** Folder of the embedded server. Default `.tempered`. */
  readonly folder?: string | undefined;
  /** Told what takes long. Default: nobody. */
  readonly onProgress?: ((line: string) => void) | undefined;
}

/** The server that is meant; the embedded one is started if need be. Throws `input` for a configuration that can't be. */
export async function resolveTarget(options: TargetOptions): Promise<Target> {
  const { folder = '.tempered', env, onProgress } = options;
  return configuredTarget(options) ?? embeddedTarget(folder, await ensureServer({ folder, env, onProgress }));
}

/** Like {@link resolveTarget}, but starts nothing: undefined when no embedded server runs. */
export async function findTarget(options: TargetOptions): Promise<Target | undefined> {
  const configured = configuredTarget(options);
  if (configured !== undefined) return configured;
  const { folder = '.tempered' } = options;
  const server = await serverStatus(folder);
  return server === undefined ? undefined : embeddedTarget(folder, server);
}

function embeddedTarget(folder: string, { address, uiUrl }: EmbeddedServer): Target {
  return { kind: 'embedded', address, namespace: 'default', connectionOptions: { address }, uiUrl, folder };
}

function configuredTarget(options: TargetOptions): Target | undefined {
  const { env } = options;
  const { connectionOptions: found, namespace } = readConfig(options);
  const address = options.address ?? found.address;
  if (address === undefined || address === '') {
    const set = found.apiKey === undefined ? namespace && `The namespace ${namespace}` : 'An API key';
    if (!set || namespace === 'default') return undefined;
    throw new TemperedError('input', `${set} for Temporal is configured, but no address.`, {
      remedy: 'Set TEMPORAL_ADDRESS too, or unset the other TEMPORAL_ variables to use the embedded server.',
    });
  }
  const { tls, apiKey, metadata } = found;
  return {
    kind: 'cluster',
    address,
    namespace: namespace ?? 'default',
    connectionOptions: {
      address,
      ...(tls === undefined ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(metadata === undefined ? {} : { metadata }),
    },
    uiUrl: env['TEMPORAL_UI_URL'] ?? (isCloud(address) ? CLOUD_UI : null),
    folder: null,
  };
}

function readConfig({ profile, env }: TargetOptions): ClientConnectConfig {
  const { loadClientConnectConfig } = temporalEnvconfig();
  const set = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  try {
    return loadClientConnectConfig({
      overrideEnvVars: Object.fromEntries(set),
      ...(profile === undefined ? {} : { profile }),
    });
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new TemperedError('input', `Temporal's configuration can't be read: ${said.replace(/\.$/, '')}.`, {
      remedy: 'Check TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE and the other TEMPORAL_ variables.',
      cause,
    });
  }
}

function isCloud(address: string): boolean {
  const host = address.replace(/:\d+$/, '');
  return host.endsWith('.tmprl.cloud') || host.endsWith('.api.temporal.io');
}

/** The page of a batch in the web UI; null when its address is not known. */
export function batchUrl({ uiUrl, namespace }: Target, batchId: string): string | null {
  if (uiUrl === null) return null;
  const page = ['namespaces', namespace, 'workflows', batchId].map(encodeURIComponent).join('/');
  return `${uiUrl.replace(/\/+$/, '')}/${page}`;
}

/** A client of a Temporal server. */
export interface Connected {
  /** The client, in the target's namespace. */
  readonly client: Client;
  /** Ends the connection. */
  readonly close: () => Promise<void>;
}

/**
 * A client of the server, and how to close it; until then an embedded server is in use. Throws `network` when the
 * server does not answer, `input` when it has no such namespace, `authentication` or `permission` when it refuses us.
 */
export async function connectClient(target: Target): Promise<Connected> {
  const { connectionOptions, namespace, folder } = target;
  const { Client, Connection } = temporalClient();
  const connection = await explained(target, async () => {
    await assertListening(target);
    return Connection.lazy(connectionOptions);
  });
  try {
    await explained(target, () =>
      within(CONNECT_LIMIT_MS, connection.workflowService.describeNamespace({ namespace }), () => {
        return new Error(`no answer within ${CONNECT_LIMIT_MS / 1000} s`);
      }),
    );
    const leave = folder === null ? () => undefined : await useServer(folder);
    const close = async () => {
      leave();
      await connection.close();
    };
    return { client: new Client({ connection, namespace }), close };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** A worker's connection to the server. Throws `network` when it does not answer. */
export async function nativeConnection(target: Target): Promise<NativeConnection> {
  return explained(target, async () => {
    await assertListening(target);
    // Here and not above: commands that only look need no worker, which is a tenth of their memory and time.
    const { NativeConnection } = await import('@temporalio/worker');
    // Within one machine, compressing costs both sides more than it saves.
    const compression = isLoopback(target.address) ? ({ codec: 'none' } as const) : undefined;
    return NativeConnection.connect({
      ...target.connectionOptions,
      ...(compression === undefined ? {} : { grpcCompression: compression }),
    });
  });
}

/** gRPC tries a refused connection again until its time is over; on this machine the answer is final. */
async function assertListening({ address }: Target): Promise<void> {
  const port = portOf(address);
  if (isLoopback(address) && !(await isListening(port, hostOf(address))))
    throw new Error(`nothing listens on port ${port}`);
}

/** gRPC codes that are not a server that is away. */
const REFUSALS: ReadonlyMap<number, ErrorCategory> = new Map<number, ErrorCategory>([
  [3, 'input'],
  [5, 'input'],
  [7, 'permission'],
  [16, 'authentication'],
]);

async function explained<T>(target: Target, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw explain(target, error);
  }
}

function explain({ address, namespace, kind }: Target, error: unknown): TemperedError {
  const { isGrpcServiceError } = temporalClient();
  const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error;
  const category = isGrpcServiceError(cause) ? (REFUSALS.get(cause.code) ?? 'network') : 'network';
  const said = isGrpcServiceError(cause) ? cause.details : cause instanceof Error ? cause.message : String(cause);
  const server = kind === 'embedded' ? 'The embedded Temporal server' : 'The Temporal server';
  switch (category) {
    case 'input':
      return new TemperedError('input', `${server} ${address} has no namespace "${namespace}".`, {
        remedy: `Set TEMPORAL_NAMESPACE, or make it: temporal operator namespace create --namespace ${namespace}`,
        cause: error,
      });
    case 'permission':
    case 'authentication':
      return new TemperedError(category, `${server} ${address} refuses us in namespace "${namespace}": ${said}`, {
        remedy: 'Check TEMPORAL_API_KEY or the TLS certificate, and TEMPORAL_NAMESPACE.',
        cause: error,
      });
    default:
      return new TemperedError('network', `${server} ${address} can't be reached: ${said}`, {
        remedy:
          kind === 'embedded'
            ? 'Run the command again: it starts the server. Its log is server.log in its folder.'
            : 'Start it, correct TEMPORAL_ADDRESS (and TEMPORAL_TLS), or unset it to use the embedded server.',
        cause: error,
      });
  }
}
