import { createHmac } from 'node:crypto';
import { TemperedError } from '../task/errors.js';

/** Longest wait for a receiver's answer; milliseconds. */
const ANSWER_LIMIT_MS = 15_000;

/** One signed message: see https://www.standardwebhooks.com. */
interface WebhookMessage {
  /** The same in every attempt, so that a receiver can drop repeats. */
  readonly id: string;
  /** When this attempt is made; seconds since epoch. */
  readonly timestamp: number;
  /** The body as it is sent. */
  readonly body: string;
}

/** A secret's bytes: Base64 after `whsec_`, else the text itself. */
function keyOf(secret: string): Buffer {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);
}

/** The headers of Standard Webhooks for a message. */
export function signedHeaders({ id, timestamp, body }: WebhookMessage, secret: string): Record<string, string> {
  const signature = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${signature}` };
}

/**
 * Sends a message; any status but 2xx fails it, a redirection too: it could lead anywhere. Throws `network` with the
 * receiver's host alone, since paths of such addresses are often secret.
 */
export async function postWebhook(url: URL, message: WebhookMessage, secret: string): Promise<void> {
  const headers = { 'content-type': 'application/json', ...signedHeaders(message, secret) };
  const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
  let status: number;
  try {
    const response = await fetch(url, { method: 'POST', headers, body: message.body, redirect: 'manual', signal });
    status = response.status;
    await response.body?.cancel();
  } catch (error) {
    const name = error instanceof Error ? error.name : 'error';
    throw new TemperedError('network', `${url.host} can't be reached (${name}).`);
  }
  if (status < 200 || status > 299) throw new TemperedError('network', `${url.host} answered with ${status}.`);
}
