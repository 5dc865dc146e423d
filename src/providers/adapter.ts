import type { ProviderKind } from '../models/types.js';
import { TemperedError } from '../task/errors.js';
import type { JsonObject } from '../task/json.js';
import { isJsonObject } from '../task/json.js';
import { findError, parseBody, readErrorBody } from './errorBody.js';
import type { EndpointNames } from './errors.js';
import { classify, isRetryable } from './errors.js';
import type { Reading } from './reading.js';
import { redactor } from './redact.js';
import type { Exchange } from './transport.js';
import { transact } from './transport.js';
import type { ModelReply, ModelRequest, Provider, ProviderError, RateLimitHints } from './types.js';

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

/** What differs between the wires: everything else about a request is the same for all. */
export interface Wire {
  /** Which wire it is. */
  readonly kind: ProviderKind;
  /** Sends one request through the SDK. Throws `TemperedError` (`input`) for content the wire cannot carry. */
  send(request: ModelRequest, signal: AbortSignal): Promise<unknown>;
  /** Reads a body that is no error. Null: it is not one of this API's. */
  read(body: JsonObject): Reading | null;
  /** What the headers say of quotas. */
  rateLimits(headers: Headers): RateLimitHints | null;
  /** Every model id the endpoint lists. */
  list(signal: AbortSignal): Promise<readonly string[]>;
  /** Counts a prompt's tokens. Absent: this API can't. */
  readonly count?: (request: ModelRequest, signal: AbortSignal) => Promise<number>;
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
  if (reading.text.trim() !== '') return null;
  const reason = reading.finishReason === null ? '' : ` (finish reason ${reading.finishReason})`;
  return {
    ...shared,
    category: 'empty',
    message: `${names.name} answered without any text${reason}.`,
    retryable: true,
  };
}

/** A request beside the prompts: what comes of it, or an error that says what went wrong. */
async function aside<T>(
  run: (stop: AbortSignal) => Promise<T>,
  endpoint: Endpoint & { readonly model?: string },
  signal: AbortSignal,
): Promise<T> {
  const done = await transact(run, { timeoutMs: ASIDE_TIMEOUT_MS, signal, baseUrl: endpoint.baseUrl });
  if (done.kind === 'response' && done.value !== undefined) return done.value;
  const names: EndpointNames = { ...endpoint, model: endpoint.model };
  const error =
    done.kind === 'failure'
      ? done.error
      : (failureInBody(parseBody(done.exchange.text), done.exchange, names) ?? notTheApi(done.exchange, names));
  throw new TemperedError(error.category, redactor(endpoint.apiKey)(error.message));
}

/** Makes a provider of a wire. */
export function createProvider(endpoint: Endpoint, wire: Wire): Provider {
  const redact = redactor(endpoint.apiKey);
  const redacted = (error: ProviderError): ProviderError => ({ ...error, message: redact(error.message) });

  function rawOf(body: unknown, failed: boolean): JsonObject | string | null {
    if (typeof body === 'string') return body === '' ? null : redact(body);
    if (!failed) return isJsonObject(body) ? body : null;
    const clean = parseBody(redact(JSON.stringify(body)));
    return isJsonObject(clean) ? clean : JSON.stringify(clean);
  }

  function reply(request: ModelRequest, exchange: Exchange, latencyMs: number): ModelReply {
    const names: EndpointNames = { ...endpoint, model: request.model };
    const body = parseBody(exchange.text);
    const facts = { requestedModel: request.model, latencyMs, rateLimits: wire.rateLimits(exchange.headers) };
    const failed = failureInBody(body, exchange, names);
    const reading = failed === null && isJsonObject(body) ? wire.read(body) : null;
    if (reading === null) {
      const error = redacted(failed ?? notTheApi(exchange, names));
      return { ok: false, ...facts, ...NOTHING_READ, model: null, raw: rawOf(body, true), error };
    }
    const { model, text, finishReason, safetyRatings, usage, rawUsage } = reading;
    const read = { ...facts, model, raw: rawOf(body, false), finishReason, safetyRatings, usage, rawUsage };
    const embedded = reading.error === null ? null : classify(reading.error, { ...exchange, isJson: true }, names);
    const error = embedded ?? stopError(reading, exchange.status, names);
    if (error === null) return { ok: true, ...read, text };
    return { ok: false, ...read, error: redacted(error), ...(text === '' ? {} : { text }) };
  }

  function unsent(request: ModelRequest, error: ProviderError, latencyMs: number): ModelReply {
    const facts = { requestedModel: request.model, model: null, latencyMs, raw: null, rateLimits: null };
    return { ok: false, ...facts, ...NOTHING_READ, error: redacted(error) };
  }

  return {
    name: endpoint.name,
    kind: wire.kind,
    async send(request, signal) {
      const { timeoutMs } = request;
      const run = (stop: AbortSignal): Promise<unknown> => wire.send(request, stop);
      const done = await transact(run, { timeoutMs, signal, baseUrl: endpoint.baseUrl });
      if (done.kind === 'failure') return unsent(request, done.error, done.latencyMs);
      return reply(request, done.exchange, done.latencyMs);
    },
    listModels: (signal) => aside((stop) => wire.list(stop), endpoint, signal),
    async countTokens(request, signal) {
      const { count } = wire;
      if (count === undefined) return null;
      return aside((stop) => count(request, stop), { ...endpoint, model: request.model }, signal);
    },
  };
}
