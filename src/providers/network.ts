import { TemperedError } from '../task/errors.js';
import type { ProviderError } from './types.js';

/** Codes that say that no connection was made, so that nothing can have been billed. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Codes of `fetch`'s own limits on a silent server. */
const SILENT = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

/** How deep `cause` chains are followed. */
const MAX_CAUSES = 6;

/** The first system or `fetch` code in an error and its causes. */
function findCode(error: unknown): string | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth += 1) {
    if ('code' in current && typeof current.code === 'string') return current.code;
    current = current.cause;
  }
  return undefined;
}

/** The innermost message of an error: the outer ones say only that something failed. */
function innermostMessage(error: unknown): string {
  let current: unknown = error;
  let message = String(error);
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth += 1) {
    if (current.message !== '') message = current.message;
    current = current.cause;
  }
  return message;
}

/** An error without a response: refused, reset, unresolvable, or never sent because the SDK refused the request. */
export function networkError(error: unknown, sent: boolean, baseUrl: string): ProviderError {
  const code = findCode(error);
  const message = innermostMessage(error);
  const shared = { status: null, retryAfterMs: null, ...(code === undefined ? {} : { code }) };
  if (error instanceof TemperedError) {
    return { ...shared, category: error.category, message: error.explanation, retryable: false, billed: 'no' };
  }
  if (!sent) {
    const text = `The request could not be sent: ${message}`;
    return { ...shared, category: 'invalid_request', message: text, retryable: false, billed: 'no' };
  }
  if (code !== undefined && NOT_CONNECTED.has(code)) {
    const text = `Could not connect to ${baseUrl} (${code}). Check that the address is right and the server is running.`;
    return { ...shared, category: 'network', message: text, retryable: true, billed: 'no' };
  }
  if (code !== undefined && SILENT.has(code)) {
    const text = `${baseUrl} sent nothing for five minutes, which is as long as fetch waits.`;
    return { ...shared, category: 'timeout', message: text, retryable: true, billed: 'unknown' };
  }
  const text = `The connection to ${baseUrl} broke before the answer was complete: ${message}`;
  return { ...shared, category: 'network', message: text, retryable: true, billed: 'unknown' };
}
