import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TemperedError } from '../task/errors.js';
import type { JsonObject } from '../task/json.js';
import { Exchange, type Decision } from './exchange.js';
import type { LedgerEntry, LedgerTotals } from './ledger.js';
import { parseScenario, type Scenario, type ScenarioInput } from './scenario.js';
import { anthropicWire } from './wire/anthropic.js';
import { geminiWire } from './wire/gemini.js';
import { openaiWire } from './wire/openai.js';
import { bodyObject, type HttpReply, type Wire } from './wire/types.js';

/** Larger requests are refused: Anthropic's own limit. */
const MOST_BYTES = 32 * 1024 * 1024;

/** How long a `hang` lasts when the client doesn't leave. */
const HANG_MS = 600_000;

/** Longer than clients keep idle connections: a server that closes first looks like a reset. */
const KEEP_ALIVE_MS = 600_000;

/** Connections waiting to be taken: a worker may open hundreds at once. */
const BACKLOG = 4096;

/** Where the simulator listens and what it does. */
export interface SimulatorOptions {
  /** TCP port; default a free one. */
  readonly port?: number;
  /** Address to listen on; default `127.0.0.1`. Anyone who can reach it can read the ledger. */
  readonly host?: string;
  /** Latency, faults, limits and keys; default none of them. */
  readonly scenario?: ScenarioInput;
}

/** A running simulator. */
export interface Simulator {
  /** `http://host:port`, without a prefix. */
  readonly url: string;
  /** The port it listens on. */
  readonly port: number;
  /** The last 100,000 billed requests, oldest first. */
  readonly ledger: () => readonly LedgerEntry[];
  /** Sums over everything since the start or the last `DELETE /ledger`. */
  readonly totals: () => LedgerTotals;
  /** Stops; requests that wait for an answer are cut off. */
  readonly close: () => Promise<void>;
}

/** What clients need to reach a simulator: base URLs and keys of every provider. */
export function simulatorEnv(url: string): Record<string, string> {
  const key = 'sim-key';
  return {
    ANTHROPIC_BASE_URL: `${url}/anthropic`,
    ANTHROPIC_API_KEY: key,
    GOOGLE_GEMINI_BASE_URL: `${url}/gemini`,
    GEMINI_API_KEY: key,
    OPENAI_BASE_URL: `${url}/openai/v1`,
    OPENAI_API_KEY: key,
    LMSTUDIO_BASE_URL: `${url}/lmstudio/v1`,
    OLLAMA_BASE_URL: `${url}/ollama/v1`,
    COMPATIBLE_BASE_URL: `${url}/compatible/v1`,
    COMPATIBLE_API_KEY: key,
  };
}

class SimulatorServer {
  readonly #exchange = new Exchange();
  readonly #wires: ReadonlyMap<string, Wire> = new Map([
    ['anthropic', anthropicWire],
    ['gemini', geminiWire()],
    ['openai', openaiWire(true)],
    ['lmstudio', openaiWire(false)],
    ['ollama', openaiWire(false)],
    ['compatible', openaiWire(false)],
  ]);

  /** Sends a reply that waits for its time. */
  readonly #waiting = new Set<() => void>();

  constructor(private scenario: Scenario) {}

  get ledger(): Exchange['ledger'] {
    return this.#exchange.ledger;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await readBody(request);
    const url = new URL(request.url ?? '/', 'http://simulator');
    const [, provider = '', path = ''] = /^\/([a-z]+)(\/.*)$/.exec(url.pathname) ?? [];
    const wire = this.#wires.get(provider);
    if (wire === undefined) {
      this.#own(request, response, url, text);
      return;
    }
    const { method = 'GET', headers } = request;
    const id = `req_${randomUUID().replaceAll('-', '')}`;
    if (text === null) {
      const error = { type: 'request_too_large', message: 'Request exceeds the maximum size' };
      send(response, { status: 413, headers: { connection: 'close' }, body: { type: 'error', error, request_id: id } });
      return;
    }
    const { scenario } = this;
    const call = {
      method,
      provider,
      path: decoded(path),
      query: url.searchParams,
      headers,
      text,
      id,
      now: Date.now(),
      scenario,
    };
    this.#enact(response, this.#exchange.decide(wire, call));
  }

  /** The simulator's own paths. */
  #own(request: IncomingMessage, response: ServerResponse, url: URL, text: string | null): void {
    switch (`${request.method ?? 'GET'} ${url.pathname}`) {
      case 'GET /healthz':
        send(response, ok({ ok: true }));
        return;
      case 'GET /ledger':
        if (url.searchParams.get('entries') === '1') void this.#streamEntries(response);
        else send(response, ok(bodyObject(JSON.stringify(this.ledger.totals())) ?? {}));
        return;
      case 'DELETE /ledger':
        this.ledger.reset();
        send(response, ok({ ok: true }));
        return;
      case 'POST /release':
        for (const answer of this.#waiting) answer();
        send(response, ok({ ok: true }));
        return;
      case 'PUT /scenario':
        send(response, this.#change(text ?? ''));
        return;
      default: {
        const message = `There is no ${request.method ?? ''} ${url.pathname}.`;
        const prefixes = [...this.#wires.keys()].map((name) => `/${name}`);
        send(response, { status: 404, headers: {}, body: { error: { message, prefixes } } });
      }
    }
  }

  #enact(response: ServerResponse, decision: Decision): void {
    switch (decision.do) {
      case 'reset':
        response.socket?.resetAndDestroy();
        return;
      case 'hang': {
        const timer = setTimeout(() => response.destroy(), HANG_MS);
        response.once('close', () => clearTimeout(timer));
        return;
      }
      case 'reply': {
        const { reply, afterMs } = decision;
        if (afterMs < 1) send(response, reply);
        else this.#sendLater(response, reply, afterMs);
      }
    }
  }

  #sendLater(response: ServerResponse, reply: HttpReply, afterMs: number): void {
    const leave = (): void => {
      clearTimeout(timer);
      this.#waiting.delete(answer);
    };
    const answer = (): void => {
      // At once: neither its time nor another release may send it again.
      leave();
      send(response, reply);
    };
    const timer = setTimeout(answer, afterMs);
    this.#waiting.add(answer);
    response.once('close', leave);
  }

  #change(text: string): HttpReply {
    try {
      this.scenario = parseScenario(bodyObject(text) ?? 'no JSON object');
      return ok({ ok: true });
    } catch (error) {
      if (!(error instanceof TemperedError)) throw error;
      return { status: 400, headers: {}, body: { error: { message: error.explanation } } };
    }
  }

  async #streamEntries(response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const lines = this.ledger.entries().map((entry) => `${JSON.stringify(entry)}\n`);
    // Whoever asked may leave before the end.
    await pipeline(Readable.from(lines), response).catch(() => undefined);
  }
}

function ok(body: JsonObject): HttpReply {
  return { status: 200, headers: {}, body };
}

/** A path's percent-encoding undone, where it can be. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // Not encoded by anyone who meant it.
    return path;
  }
}

/** The whole body; null when it is too large. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    // The rest is read and dropped, so that the client hears the answer.
    if (size <= MOST_BYTES) chunks.push(bytes);
    else chunks.length = 0;
  }
  return size > MOST_BYTES ? null : Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, { status, headers, body, events }: HttpReply): void {
  if (response.destroyed) return;
  if (events !== undefined) {
    response.writeHead(status, { 'content-type': 'text/event-stream; charset=utf-8', ...headers });
    for (const { event, data } of events) {
      const name = event === undefined ? '' : `event: ${event}\n`;
      response.write(`${name}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    }
    response.end();
    return;
  }
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  try {
    server.listen({ port, host, backlog: BACKLOG });
    await once(server, 'listening');
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new TemperedError('input', `The simulator can't listen on ${host}:${port}: ${text}`, {
      remedy: 'Choose another port, or none to take a free one.',
      cause,
    });
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/**
 * Starts a server that speaks Anthropic's, Gemini's and OpenAI's wire formats, each under its prefix; see
 * {@link simulatorEnv}. Throws `TemperedError` (`input`) when the port is taken or the scenario not valid.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { port: wanted = 0, host = '127.0.0.1', scenario = {} } = options;
  const simulator = new SimulatorServer(parseScenario(scenario));
  const server = createServer((request, response) => {
    simulator.handle(request, response).catch((error: unknown) => {
      // A client that went away while it was sending hears nothing; a defect of ours is told.
      const message = `The simulator failed: ${error instanceof Error ? error.message : String(error)}`;
      if (response.headersSent) response.destroy();
      else send(response, { status: 500, headers: {}, body: { error: { message } } });
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const port = await listen(server, wanted, host);
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    ledger: () => simulator.ledger.entries(),
    totals: () => simulator.ledger.totals(),
    close: async () => {
      server.closeAllConnections();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}
