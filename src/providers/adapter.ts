import type { ProviderKind } from '../models/types.js';
import { TemperedError } from '../task/errors.js';
import type { JsonObject } from '../task/json.js';
import { isJsonObject } from '../task/json.js';
import type { PoolLimits } from '../task/spec.js';
import { findError, parseBody, readErrorBody } from './errorBody.js';
import type { EndpointNames } from './errors.js';
import { classify, isRetryable } from './errors.js';
import type { ResponseHeaders } from './http.js';
import type { Reading } from './reading.js';
import { redactor } from './redact.js';
import { type Assembler, StreamFollower } from './streaming.js';
import type { Exchange, TransactOptions, Transaction } from './transport.js';
import { Line } from './transport.js';
import type {
  CacheOrder,
  ExplicitCaches,
  LocalModel,
  ModelReply,
  ModelRequest,
  Provider,
  ProviderError,
  RemoteCache,
} from './types.js';

/** Time for a list of models, or a count of tokens; milliseconds. */
const ASIDE_TIMEOUT_MS = 30_000;

/** An endpoint to talk to. */
export interface Endpoint {
  /** The name in `provider/model`. */
  readonly name: string;
  /** Where requests go. */
  readonly baseUrl: string;
  /** Undefined = the endpoint needs none. */
  readonly apiKey: string | undefined;
  /** The environment variable the key comes from, for messages; undefined = the endpoint needs none. */
  readonly keyVariable: string | undefined;
}

/**
 * What differs between the wires: everything else about a request is the same for all. Their calls end with the
 * transaction around them, and come one at a time.
 */
export interface Wire {
  /** Which wire it is. */
  readonly kind: ProviderKind;
  /** Sends one request. Throws `TemperedError` (`input`) for content the wire cannot carry. */
  send(request: ModelRequest, streamed: boolean): Promise<unknown>;
  /** Puts a streamed answer together. */
  assembler(): Assembler;
  /** Reads a body that is no error. Null: it is not one of this API's. */
  read(body: JsonObject): Reading | null;
  /** What the headers say of quotas. */
  rateLimits(headers: ResponseHeaders): PoolLimits | null;
  /** Every model id the endpoint lists. */
  list(): Promise<readonly string[]>;
  /** Models on the endpoint's machine. Absent: it does not tell. */
  readonly local?: (() => Promise<readonly LocalModel[]>) | undefined;
  /** Counts a prompt's tokens. Absent: this API can't. */
  readonly count?: (request: ModelRequest) => Promise<number>;
  /** Caches made on purpose; each throws when it was refused. Absent: this API has none. */
  readonly caches?: WireCaches;
}

/** {@link ExplicitCaches} as a wire has them. */
export interface WireCaches extends Pick<ExplicitCaches, 'contentHash'> {
  /** All there are. */
  list(): Promise<readonly RemoteCache[]>;
  /** Makes one. */
  create(request: ModelRequest, order: CacheOrder): Promise<RemoteCache>;
  /** Lets it live `ttlSeconds` from now. */
  renew(name: string, ttlSeconds: number): Promise<RemoteCache>;
  /** Ends it. */
  remove(name: string): Promise<void>;
}

/** A response, whole. */
interface Answered {
  readonly exchange: Exchange;
  /** The body as JSON, or its text; undefined = its stream was cut off. */
  readonly body: unknown;
  readonly latencyMs: number;
}

const NOTHING_READ = { finishReason: null, safetyRatings: null, usage: null, rawUsage: null } as const;

/** A request's error inside the answer's choices or an `error` beside them, with the status it names. */
function failureInBody(body: unknown, exchange: Exchange, names: EndpointNames): ProviderError | null {
  const response = { status: exchange.status, headers: exchange.headers, isJson: typeof body !== 'string' };
  if (exchange.status >= 400) return classify(readErrorBody(exchange.text, exchange.status), response, names);
  const found = findError(body);
  return found === null ? null : classify(found, response, names);
}

/** A 2xx that is not the API's: a proxy's page, a wrong base URL. */
function notTheApi(exchange: Exchange, names: EndpointNames): ProviderError {
  const said = readErrorBody(exchange.text, exchange.status).message.slice(0, 200);
  return {
    category: 'server_error',
    message: `${names.name} answered ${exchange.status} with something that is no model's answer: ${said} Check ${names.baseUrl}.`,
    retryable: true,
    status: exchange.status,
    retryAfterMs: null,
    billed: 'unknown',
  };
}

/** What stopped an answer that came, as an error; null when the answer can be used. */
function stopError(reading: Reading, status: number, names: EndpointNames): ProviderError | null {
  const billed = reading.usage === null ? 'unknown' : 'yes';
  const shared = { status, retryAfterMs: null, billed } as const;
  if (reading.stop !== null) {
    const { category, code, message } = reading.stop;
    return { ...shared, category, ...(code === undefined ? {} : { code }), message, retryable: isRetryable(category) };
  }
  if (reading.text.trim() !== '' || reading.toolCalls.length > 0) return null;
  const reason = reading.finishReason === null ? '' : ` (finish reason ${reading.finishReason})`;
  return {
    ...shared,
    category: 'empty',
    message: `${names.name} answered without any text${reason}.`,
    retryable: true,
  };
}

/** Makes a wire that sends by this line: with `fetch`, when an SDK builds its requests. */
export type MakeWire = (line: Pick<Line, 'fetch' | 'send'>) => Wire;

interface LinedWire {
  readonly line: Line;
  readonly wire: Wire;
}

/** The wires of an endpoint: as many as it ever had calls in progress. */
class Wires {
  private readonly idle: LinedWire[] = [];
  /** For what asks nobody. */
  readonly first: Wire;

  constructor(private readonly make: MakeWire) {
    const made = this.another();
    this.first = made.wire;
    this.idle.push(made);
  }

  /** Runs one call. Never throws. */
  transact<T>(run: (wire: Wire) => Promise<T>, options: TransactOptions): Promise<Transaction<T>> {
    const { line, wire } = this.idle.pop() ?? this.another();
    return line.transact(() => run(wire), options);
  }

  private another(): LinedWire {
    const line = new Line(() => this.idle.push(made));
    const made = { line, wire: this.make(line) };
    return made;
  }
}

/** A request beside the prompts: what comes of it, or an error that says what went wrong. */
async function aside<T>(
  wires: Wires,
  run: (wire: Wire) => Promise<T | undefined>,
  endpoint: Endpoint & { readonly model?: string },
  signal: AbortSignal,
): Promise<T> {
  const done = await wires.transact(run, { timeoutMs: ASIDE_TIMEOUT_MS, signal, baseUrl: endpoint.baseUrl });
  if (done.kind === 'response' && done.value !== undefined) return done.value;
  const names: EndpointNames = { ...endpoint, model: endpoint.model };
  const error =
    done.kind === 'failure'
      ? done.error
      : (failureInBody(parseBody(done.exchange.text), done.exchange, names) ?? notTheApi(done.exchange, names));
  throw new TemperedError(error.category, redactor(endpoint.apiKey)(error.message));
}

/** Caches whose errors say what went wrong; null where the API has none. */
function explained(wires: Wires, endpoint: Endpoint): ExplicitCaches | null {
  const { caches: first } = wires.first;
  if (first === undefined) return null;
  const call = <T>(run: (caches: WireCaches) => Promise<T>, signal: AbortSignal, model?: string): Promise<T> =>
    aside(
      wires,
      async ({ caches }) => (caches === undefined ? undefined : run(caches)),
      model === undefined ? endpoint : { ...endpoint, model },
      signal,
    );
  return {
    contentHash: (request, turns) => first.contentHash(request, turns),
    list: (signal) => call((caches) => caches.list(), signal),
    create: (request, order, signal) => call((caches) => caches.create(request, order), signal, request.model),
    renew: (name, ttlSeconds, signal) => call((caches) => caches.renew(name, ttlSeconds), signal),
    async remove(name, signal) {
      // Something to return, since nothing counts as no answer.
      await call(async (caches) => caches.remove(name).then(() => true), signal);
    },
  };
}

/** A stream that ended in the middle, without an error. */
function cutOff(status: number, names: EndpointNames): ProviderError {
  const message = `${names.name} ended its stream before the answer was complete.`;
  return { category: 'network', message, retryable: true, status, retryAfterMs: null, billed: 'unknown' };
}

/** A body that is no answer, for the journal: a server may have told the key back. */
function failedBody(body: unknown, redact: (text: string) => string): JsonObject | string | null {
  if (body === undefined || body === '') return null;
  if (typeof body === 'string') return redact(body);
  const clean = parseBody(redact(JSON.stringify(body)));
  return isJsonObject(clean) ? clean : JSON.stringify(clean);
}

/** Nothing came back. */
function unsent(request: ModelRequest, error: ProviderError, latencyMs: number): ModelReply {
  const facts = { requestedModel: request.model, model: null, latencyMs, raw: null, rateLimits: null };
  return { ok: false, ...facts, ...NOTHING_READ, error };
}

/** Makes replies of what a wire's endpoint answered. */
function replyReader(endpoint: Endpoint, wire: Wire, redact: (text: string) => string) {
  const { name, keyVariable, baseUrl } = endpoint;
  return ({ model: requestedModel }: ModelRequest, { exchange, body, latencyMs }: Answered): ModelReply => {
    const names: EndpointNames = { name, keyVariable, baseUrl, model: requestedModel };
    const rateLimits = wire.rateLimits(exchange.headers);
    const failed = body === undefined ? cutOff(exchange.status, names) : failureInBody(body, exchange, names);
    const object = failed === null && isJsonObject(body) ? body : null;
    const reading = object === null ? null : wire.read(object);
    if (reading === null) {
      const error = redacted(failed ?? notTheApi(exchange, names), redact);
      const raw = failedBody(body, redact);
      return { ok: false, requestedModel, latencyMs, rateLimits, ...NOTHING_READ, model: null, raw, error };
    }
    const { model, text, toolCalls, native, finishReason, safetyRatings, usage, rawUsage } = reading;
    const embedded = reading.error === null ? null : classify(reading.error, { ...exchange, isJson: true }, names);
    const error = embedded ?? stopError(reading, exchange.status, names);
    const facts = {
      model,
      raw: object,
      finishReason,
      safetyRatings,
      usage,
      rawUsage,
      requestedModel,
      latencyMs,
      rateLimits,
    };
    if (error === null) return Object.assign(facts, { ok: true, text, toolCalls, native } as const);
    return { ...facts, ok: false, error: redacted(error, redact), ...(text === '' ? {} : { text }) };
  };
}

function redacted(error: ProviderError, redact: (text: string) => string): ProviderError {
  return { ...error, message: redact(error.message) };
}

/** Makes a provider of a wire. */
export function createProvider(endpoint: Endpoint, make: MakeWire): Provider {
  const redact = redactor(endpoint.apiKey);
  const wires = new Wires(make);
  const { first } = wires;
  const reply = replyReader(endpoint, first, redact);
  return {
    name: endpoint.name,
    kind: first.kind,
    async send(request, signal, onText) {
      const { timeoutMs } = request;
      const follower = onText === undefined ? undefined : new StreamFollower(first.assembler(), onText);
      const onData = follower === undefined ? undefined : (text: string): void => follower.push(text);
      const run = (wire: Wire): Promise<unknown> => wire.send(request, follower !== undefined);
      const done = await wires.transact(run, { timeoutMs, signal, baseUrl: endpoint.baseUrl, onData });
      if (done.kind === 'failure') return unsent(request, redacted(done.error, redact), done.latencyMs);
      const { exchange, latencyMs } = done;
      const streamed = follower?.end();
      const body = streamed === undefined ? parseBody(exchange.text) : (streamed ?? undefined);
      const answer = reply(request, { exchange, body, latencyMs });
      // A server that does not stream answers in one piece.
      if (streamed === undefined && answer.ok && answer.text !== '') onText?.(answer.text);
      return answer;
    },
    listModels: (signal) => aside(wires, (wire) => wire.list(), endpoint, signal),
    async localModels(signal) {
      return first.local === undefined ? null : aside(wires, async (wire) => wire.local?.(), endpoint, signal);
    },
    async countTokens(request, signal) {
      if (first.count === undefined) return null;
      return aside(wires, async (wire) => wire.count?.(request), { ...endpoint, model: request.model }, signal);
    },
    caches: () => Promise.resolve(explained(wires, endpoint)),
  };
}
