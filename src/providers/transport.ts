import { AsyncLocalStorage } from 'node:async_hooks';
import { type Answer, send } from './http.js';
import { networkError } from './network.js';
import type { ProviderError } from './types.js';

/** One HTTP response, read to its end. */
export interface Exchange {
  /** HTTP status. */
  readonly status: number;
  /** Response headers. */
  readonly headers: Headers;
  /** The whole body. */
  readonly text: string;
}

/** What one call through an SDK came to. */
export type Transaction<T> =
  /** Something answered. `value` is what the SDK made of it; undefined when it threw. */
  | {
      readonly kind: 'response';
      readonly exchange: Exchange;
      readonly value: T | undefined;
      readonly latencyMs: number;
    }
  | { readonly kind: 'failure'; readonly error: ProviderError; readonly latencyMs: number };

interface Recorder {
  /** Ends the request. It stands here and not in the SDK's options: each SDK would listen to it with more signals of its own. */
  readonly signal: AbortSignal | undefined;
  sent: boolean;
  exchange: Exchange | null;
  /** Why there was no response, before an SDK put it into words of its own. */
  failure: unknown;
  /** Told the body of a good response as it comes. */
  readonly onData: ((text: string) => void) | undefined;
}

/** The recorder of the call in progress. SDK clients are shared by all calls, so it travels with the async context. */
const recorders = new AsyncLocalStorage<Recorder>();

/** A response that was read already. The built-in one would put its text into a stream and read it out again. */
class WholeResponse extends Response {
  constructor(private readonly whole: Exchange) {
    super(null, { status: whole.status, headers: whole.headers });
  }

  override readonly text = (): Promise<string> => Promise.resolve(this.whole.text);

  override readonly json = (): Promise<unknown> => this.text().then((text): unknown => JSON.parse(text));
}

/**
 * The `fetch` every SDK client is given: keeps status, headers and body of the response exactly as they came, since the
 * SDKs drop some of them (headers of errors, bodies that are not JSON). Ends with the call, whose {@link sdkTimeoutMs}
 * is never reached.
 */
export async function recordingFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const recorder: Recorder = recorders.getStore() ?? newRecorder(init?.signal ?? undefined, undefined);
  recorder.sent = true;
  try {
    const { status, headers, body } = await send(input, init, recorder.signal);
    const onData = status < 300 ? recorder.onData : undefined;
    const text = onData === undefined ? await body.text() : await readAlong(body, onData);
    recorder.exchange = { status, headers, text };
    return onData === undefined ? new WholeResponse(recorder.exchange) : new Response(text, { status, headers });
  } catch (error) {
    recorder.failure = error;
    throw error;
  }
}

function newRecorder(signal: Recorder['signal'], onData: Recorder['onData']): Recorder {
  return { signal, sent: false, exchange: null, failure: undefined, onData };
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
 * The timeout to give an SDK for a call that {@link transact} ends after `timeoutMs`: a little longer, so that ours is
 * the one that ends it and the reason is known.
 */
export function sdkTimeoutMs(timeoutMs: number): number {
  return timeoutMs + 2000;
}

/** Runs one SDK call under our own timer, so that a timeout and a cancellation can be told apart. Never throws. */
export async function transact<T>(run: () => Promise<T>, options: TransactOptions): Promise<Transaction<T>> {
  const { timeoutMs, signal, baseUrl } = options;
  const started = performance.now();
  const latencyMs = (): number => Math.round(performance.now() - started);
  if (signal.aborted) return { kind: 'failure', error: abortFailure('cancelled', false, timeoutMs), latencyMs: 0 };
  const controller = new AbortController();
  const ended: { why: 'timeout' | 'cancelled' | null } = { why: null };
  const stop = (why: 'timeout' | 'cancelled'): void => {
    ended.why ??= why;
    controller.abort();
  };
  const timer = setTimeout(() => stop('timeout'), timeoutMs);
  const onAbort = (): void => stop('cancelled');
  signal.addEventListener('abort', onAbort, { once: true });
  const recorder = newRecorder(controller.signal, options.onData);
  let value: T | undefined;
  let thrown: unknown;
  try {
    value = await recorders.run(recorder, run);
  } catch (error) {
    thrown = error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
  if (recorder.exchange !== null) {
    return { kind: 'response', exchange: recorder.exchange, value, latencyMs: latencyMs() };
  }
  const error =
    ended.why === null
      ? networkError(recorder.failure ?? thrown, recorder.sent, baseUrl)
      : abortFailure(ended.why, recorder.sent, timeoutMs);
  return { kind: 'failure', error, latencyMs: latencyMs() };
}
