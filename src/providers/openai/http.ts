import type { JsonObject } from '../../task/json.js';
import type { Endpoint } from '../adapter.js';
import { parseBody } from '../errorBody.js';
import type { HttpRequest } from '../http.js';
import type { Exchange, Line } from '../transport.js';

/**
 * The requests of one line to an endpoint that speaks OpenAI's wire. Without an SDK: a prompt is one `POST` of a body
 * that is ours anyway, and to have it sent by the `openai` package takes a quarter of all processor time of a record.
 */
export class OpenAiHttp {
  /** The base URL without a slash at its end. */
  readonly root: string;
  private prompt: Omit<HttpRequest, 'body'> | undefined;

  constructor(
    private readonly send: Line['send'],
    private readonly endpoint: Endpoint,
    private readonly account: Readonly<Record<string, string>>,
  ) {
    this.root = endpoint.baseUrl.replace(/\/+$/, '');
  }

  /** Asks for a completion. */
  complete(body: JsonObject): Promise<Exchange> {
    this.prompt ??= { url: new URL(`${this.root}/chat/completions`), method: 'POST', headers: this.headers() };
    return this.send({ ...this.prompt, body: JSON.stringify(body) });
  }

  /** The JSON at `url`, or the text that it isn't; null where there is nothing. Throws for another error's status. */
  async get(url: string): Promise<unknown> {
    const { status, text } = await this.send({ url, method: 'GET', headers: this.headers(), body: null });
    if (status === 404) return null;
    if (status >= 400) throw new Error(`HTTP ${status}`);
    return parseBody(text);
  }

  /** Throws for a key that no header can carry. */
  private headers(): Readonly<Record<string, string>> {
    const { apiKey } = this.endpoint;
    const headers = new Headers({
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': 'tempered',
      // Servers that need no key ignore it; some refuse a request without one.
      authorization: `Bearer ${apiKey ?? 'none'}`,
      ...this.account,
    });
    return Object.fromEntries(headers);
  }
}
