import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { CacheStatistics } from '../client/cacheStatistics.js';
import type { Tempered } from '../client/tempered.js';
import { TemperedError } from '../task/errors.js';
import { isLocalName, refusal } from './access.js';

/** Port when none is given. */
const DEFAULT_PORT = 7180;

/** Where figures are served. */
export interface MonitorOptions {
  /** TCP port; 0 takes a free one. Default 7180. */
  readonly port?: number | undefined;
  /** Address to listen on. Default `127.0.0.1`; another one needs a token. */
  readonly host?: string | undefined;
  /** What callers must send as `Authorization: Bearer …`. Default: none is needed. */
  readonly token?: string | undefined;
}

/** A running server. */
export interface Monitor {
  /** `http://host:port`. */
  readonly url: string;
  /** Stops it. */
  readonly close: () => Promise<void>;
}

/**
 * Serves the store's figures as JSON, read anew for every request. Throws `input` for an address others can reach
 * without a token, and for a port that is taken.
 */
export async function startMonitor(tempered: Tempered, options: MonitorOptions = {}): Promise<Monitor> {
  const { port = DEFAULT_PORT, host = '127.0.0.1', token } = options;
  if (token === undefined && !isLocalName(host)) {
    throw new TemperedError('input', `Others can reach ${host}, so a token is needed.`, {
      remedy: 'Give one in TEMPERED_SERVE_TOKEN, or listen on 127.0.0.1.',
    });
  }
  const server = createServer((request, response) => {
    answer(tempered, request, token).then(
      ({ status, body }) => send(response, status, body),
      (error: unknown) => send(response, 500, { error: error instanceof Error ? error.message : String(error) }),
    );
  });
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    throw new TemperedError('input', `Nothing can listen on ${host}:${port}: ${String(cause)}`, {
      remedy: 'Choose another port: --port 0 takes a free one.',
      cause,
    });
  }
  const address = server.address();
  const taken = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

async function answer(tempered: Tempered, request: IncomingMessage, token: string | undefined): Promise<Answer> {
  const { host, authorization } = request.headers;
  const refused = refusal({ host, authorization }, token);
  if (refused !== null) return { status: refused.status, body: { error: refused.message } };
  if (request.method !== 'GET') return { status: 405, body: { error: 'This server only answers GET.' } };
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://monitor');
  switch (pathname) {
    case '/health':
      return { status: 200, body: { ok: true, server: await tempered.serverState() } };
    case '/api/monitoring/llm-optimization': {
      const by = searchParams.get('by') ?? 'service';
      if (by !== 'service' && by !== 'model') return { status: 400, body: { error: 'by is service or model.' } };
      return { status: 200, body: optimization(await tempered.cacheStatistics(by)) };
    }
    default:
      return { status: 404, body: { error: 'There are /health and /api/monitoring/llm-optimization.' } };
  }
}

/** By service or model: the names other tools know, and beside them the figures providers really counted. */
function optimization(all: Readonly<Record<string, CacheStatistics>>): object {
  const named = Object.entries(all).map(([name, made]): readonly [string, object] => [
    name,
    {
      total_blocks: made.totalBlocks,
      cached_blocks: made.cachedBlocks,
      estimated_tokens: made.estimatedTokens,
      hit_rate: `${((made.hitRate ?? 0) * 100).toFixed(1)}%`,
      is_optimized: made.cachedBlocks > 0,
      hit_potential: made.hitPotential,
      cached_tokens: made.cachedTokens,
      cache_write_tokens: made.writtenTokens,
      effective_input_tokens: made.effectiveInputTokens,
      saved_usd: made.savedUsd,
    },
  ]);
  return Object.fromEntries(named);
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
