import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import { createProviderSet } from '../../src/providers/providerSet.js';
import type { EndpointConfigs } from '../../src/providers/providerSet.js';
import type { ModelAnswer, ModelFailure, ModelReply, ModelRequest, Provider } from '../../src/providers/types.js';
import type { JsonObject } from '../../src/task/json.js';
import { isJsonObject } from '../../src/task/json.js';

/** A response as a provider sends it. Objects go as JSON. */
export interface WireReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: JsonObject | readonly JsonObject[] | string;
  /** Instead of a response: close the connection, or never answer. */
  readonly instead?: 'reset' | 'hang';
}

/** A request as it arrived. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: JsonObject;
}

/** A local HTTP server that answers with what it is told, in order, and keeps what it was sent. */
export class Wire {
  readonly requests: WireRequest[] = [];
  private readonly replies: WireReply[] = [];
  private server: Server | undefined;

  /** Starts listening on a free port. */
  async start(): Promise<void> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const parsed: unknown = text === '' ? {} : JSON.parse(text);
        const body = isJsonObject(parsed) ? parsed : {};
        this.requests.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
        this.answer(response);
      });
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    const address = this.server?.address();
    if (typeof address !== 'object' || address === null) throw new Error('the wire is not listening');
    return `http://127.0.0.1:${address.port}`;
  }

  /** What to answer next. */
  reply(...replies: WireReply[]): void {
    this.replies.push(...replies);
  }

  /** Forgets requests and replies left over. */
  reset(): void {
    this.requests.length = 0;
    this.replies.length = 0;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  /** The only request of a test. */
  get sent(): WireRequest {
    expect(this.requests).toHaveLength(1);
    const [request] = this.requests;
    if (request === undefined) throw new Error('nothing was sent');
    return request;
  }

  private answer(response: ServerResponse): void {
    const reply = this.replies.shift() ?? { status: 599, body: 'no reply was prepared' };
    if (reply.instead === 'hang') return;
    if (reply.instead === 'reset') {
      response.socket?.resetAndDestroy();
      return;
    }
    const isText = typeof reply.body === 'string';
    response.writeHead(reply.status ?? 200, {
      'content-type': isText ? 'text/html' : 'application/json',
      ...reply.headers,
    });
    response.end(isText ? reply.body : JSON.stringify(reply.body ?? {}));
  }
}

/** A test key in the shape of no real one. */
export const KEY = 'test-key-0123456789';

/** A provider that talks to `wire`. */
export function providerFor(
  wire: Wire,
  name: string,
  env: Readonly<Record<string, string>> = {},
  endpoints: EndpointConfigs = {},
): Provider {
  const set = createProviderSet({
    env: {
      ANTHROPIC_API_KEY: KEY,
      ANTHROPIC_BASE_URL: `${wire.url}/anthropic`,
      GEMINI_API_KEY: KEY,
      GOOGLE_GEMINI_BASE_URL: `${wire.url}/gemini`,
      OPENAI_API_KEY: KEY,
      OPENAI_BASE_URL: `${wire.url}/openai/v1`,
      LMSTUDIO_BASE_URL: `${wire.url}/lmstudio/v1`,
      OLLAMA_BASE_URL: `${wire.url}/ollama/v1`,
      COMPATIBLE_BASE_URL: `${wire.url}/compatible/v1`,
      ...env,
    },
    endpoints,
  });
  return set.get(name);
}

/** A small request; `changes` replace its parts. */
export function request(model: string, changes: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model,
    instructions: 'Be brief.',
    messages: [{ role: 'user', content: 'Hello' }],
    schema: undefined,
    maxOutputTokens: 100,
    temperature: undefined,
    effort: undefined,
    cachePrefix: false,
    params: {},
    timeoutMs: 5000,
    ...changes,
  };
}

/** A signal nobody aborts. */
export const FOREVER = new AbortController().signal;

/** Matches a text that contains `text`. */
export function containing(text: string): unknown {
  return expect.stringContaining(text);
}

/** The reply as an answer. */
export function answered(reply: ModelReply): ModelAnswer {
  if (!reply.ok) throw new Error(`${reply.error.category}: ${reply.error.message}`);
  return reply;
}

/** The reply as a failure. */
export function failed(reply: ModelReply): ModelFailure {
  if (reply.ok) throw new Error(`answered: ${reply.text}`);
  return reply;
}
