import type { EventEmitter } from 'node:events';
import { Agent, type Dispatcher, request } from 'undici';

/** Keeps connections open, and has no limits of its own on a silent server: whoever sends a request ends it. */
const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

/** One HTTP request. */
export interface HttpRequest {
  /** Where it goes. */
  readonly url: string | URL;
  /** `GET`, `POST` and so on. */
  readonly method: string;
  /** Sent as they are. */
  readonly headers: Headers | Readonly<Record<string, string>>;
  /** Null = none. */
  readonly body: string | null;
}

/** A response's headers. The built-in class copies and checks each of them, and most are never asked for. */
export class ResponseHeaders {
  constructor(private readonly told: Dispatcher.ResponseData['headers']) {}

  /** The value of a header by its lower-case name, several of them joined; null when it did not come. */
  get(name: string): string | null {
    const value = this.told[name];
    if (value === undefined) return null;
    return typeof value === 'string' ? value : value.join(', ');
  }

  /** All of them, as the built-in class. */
  all(): Headers {
    const headers = new Headers();
    for (const [name, value] of Object.entries(this.told)) {
      for (const one of Array.isArray(value) ? value : [value ?? '']) headers.append(name, one);
    }
    return headers;
  }
}

/** A response as it begins. */
export interface Answer {
  /** HTTP status. */
  readonly status: number;
  /** Response headers. */
  readonly headers: ResponseHeaders;
  /** The body, to be read once. */
  readonly body: Dispatcher.ResponseData['body'];
}

/**
 * Sends one request. In place of the built-in `fetch`, whose streams and copies took a third of all processor time of a
 * record. Asks for no compression and follows no redirects: no model API needs them. An `abort` event of `ending` ends
 * it.
 */
export async function send({ url, method, headers, body }: HttpRequest, ending: EventEmitter): Promise<Answer> {
  const answer = await request(url, { method, headers, body, signal: ending, dispatcher: agent });
  return { status: answer.statusCode, headers: new ResponseHeaders(answer.headers), body: answer.body };
}
