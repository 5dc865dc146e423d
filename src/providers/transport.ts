import { EventEmitter } from 'node:events';
import { type Answer, type HttpRequest, type ResponseHeaders, send } from './http.js';
import { networkError } from './network.js';
import type { ProviderError } from './types.js';

/** One HTTP response, read to its end. */
export interface Exchange {
  /** HTTP status. */
  readonly status: number;
  /** Response headers. */
  readonly headers: ResponseHeaders;
  /** The whole body. */
  readonly text: string;
}

/** What one call came to. */
export type Transaction<T> =
  /** Something answered. `value` is what was made of it; undefined when that threw. */
  | {
      readonly kind: 'response';
      readonly exchange: Exchange;
      readonly value: T | undefined;
      readonly latencyMs: number;
    }
  | { readonly kind: 'failure'; readonly error: ProviderError; readonly latencyMs: number };

/** A call in progress. */
interface Call {
  /** Aborts its request. No `AbortSignal`: that would cost a call more than its request's headers do. */
  readonly ending: EventEmitter;
  /** Why it was ended before its response was whole. */
  ended: 'timeout' | 'cancelled' | null;
  /** A request went out. */
  sent: boolean;
  exchange: Exchange | null;
  /** Why there was no response, before an SDK put it into words of its own. */
  failure: unknown;
  /** Told the body of a good response as it comes. */
  readonly onData: ((text: string) => void) | undefined;
}

/** A response that was read already. The built-in one would put its text into a stream and read it out again. */
class WholeResponse extends Response {
  override readonly headers: Headers;

  constructor(private readonly whole: Exchange) {
    super(null, { status: whole.status });
    this.headers = whole.headers.all();
  }

  override readonly text = (): Promise<string> => Promise.resolve(this.whole.text);

  override readonly json = (): Promise<unknown> => this.text().then((text): unknown => JSON.parse(text));
}

/** The whole body, told piece by piece while it comes. */
async function readAlong(body: Answer['body'], onData: (text: string) => void): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of body.setEncoding('utf8')) {
    const text = String(piece);
    pieces.push(text);
    onData(text);
  }
  return pieces.join('');
}

function abortFailure(ended: 'timeout' | 'cancelled', sent: boolean, timeoutMs: number): ProviderError {
  const billed = sent ? 'unknown' : 'no';
  const shared = { status: null, retryAfterMs: null, billed } as const;
  if (ended === 'cancelled') {
    return { ...shared, category: 'cancelled', message: 'The request was cancelled.', retryable: false };
  }
  const message = `No complete answer within ${timeoutMs / 1000} s. Raise promptTimeoutMs if the model needs longer.`;
  return { ...shared, category: 'timeout', message, retryable: true };
}

/** How long and until when a call may run. */
export interface TransactOptions {
  /** Time for the whole response; milliseconds. */
  readonly timeoutMs: number;
  /** Aborts the request; the result is then `cancelled`. */
  readonly signal: AbortSignal;
  /** Where requests go, for error messages. */
  readonly baseUrl: string;
  /** Told the body of a good response as it comes. Default: nobody listens. */
  readonly onData?: ((text: string) => void) | undefined;
}

/**
 * The timeout to give an SDK for a call that {@link Line.transact} ends after `timeoutMs`: a little longer, so that
 * ours is the one that ends it and the reason is known.
 */
export function sdkTimeoutMs(timeoutMs: number): number {
  return timeoutMs + 2000;
}

/**
 * What the requests of one call go through. It serves one call at a time, so that what an SDK client fetches is known to
 * be that call's; to find the call by its async context would cost every promise of the process a little.
 */
export class Line {
  private call: Call | undefined;

  constructor(
    /** Told when a call has ended. */
    private readonly freed: () => void,
  ) {}

  /**
   * Sends a request of the call in progress; returns its response, whole, whatever its status. Ends with the call.
   */
  readonly send = async (request: HttpRequest): Promise<Exchange> => {
    const { call } = this;
    if (call === undefined) throw new Error('a request was sent after its call had ended');
    try {
      if (call.ended !== null) throw new Error(call.ended);
      call.sent = true;
      const { status, headers, body } = await send(request, call.ending);
      const onData = status < 300 ? call.onData : undefined;
      const text = onData === undefined ? await body.text() : await readAlong(body, onData);
      call.exchange = { status, headers, text };
      return call.exchange;
    } catch (error) {
      call.failure = error;
      throw error;
    }
  };

  /**
   * The `fetch` an SDK client is given. The call keeps status, headers and body of the response exactly as they came,
   * since the SDKs drop some of them (headers of errors, bodies that are not JSON). The client's {@link sdkTimeoutMs} is
   * never reached.
   */
  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const { method = 'GET', headers, body = null } = init;
    if (input instanceof Request || (typeof body !== 'string' && body !== null)) {
      throw new TypeError('only a text can be the body of a request');
    }
    const streamed = this.call?.onData !== undefined;
    const sdkHeaders = headers instanceof Headers ? headers : new Headers(headers);
    const exchange = await this.send({ url: input, method, headers: sdkHeaders, body });
    if (!streamed || exchange.status >= 300) return new WholeResponse(exchange);
    return new Response(exchange.text, { status: exchange.status, headers: exchange.headers.all() });
  };

  /** Runs one call under our own timer, so that a timeout and a cancellation can be told apart. Never throws. */
  async transact<T>(run: () => Promise<T>, options: TransactOptions): Promise<Transaction<T>> {
    const { timeoutMs, signal, baseUrl } = options;
    const started = performance.now();
    const latencyMs = (): number => Math.round(performance.now() - started);
    const call: Call = {
      ending: new EventEmitter(),
      ended: null,
      sent: false,
      exchange: null,
      failure: undefined,
      onData: options.onData,
    };
    const stop = (why: 'timeout' | 'cancelled'): void => {
      call.ended ??= why;
      call.ending.emit('abort');
    };
    const timer = setTimeout(() => stop('timeout'), timeoutMs);
    const onAbort = (): void => stop('cancelled');
    signal.addEventListener('abort', onAbort, { once: true });
    this.call = call;
    let value: T | undefined;
    let thrown: unknown;
    try {
      if (signal.aborted) stop('cancelled');
      else value = await run();
    } catch (error) {
      thrown = error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.call = undefined;
      this.freed();
    }
    if (call.exchange !== null) return { kind: 'response', exchange: call.exchange, value, latencyMs: latencyMs() };
    const error =
      call.ended === null
        ? networkError(call.failure ?? thrown, call.sent, baseUrl)
        : abortFailure(call.ended, call.sent, timeoutMs);
    return { kind: 'failure', error, latencyMs: latencyMs() };
  }
}
