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

/**
 * Nothing was sent, and nothing will be the next time: a certificate, plain HTTP behind an https address, an address
 * that is neither.
 */
const HOPELESS = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|EPROTO|UND_ERR_INVALID_ARG)/;

/** How deep `cause` chains are followed. */
const MAX_CAUSES = 6;

/** An error and its causes, outermost first. Read by shape: they may come from another realm than ours. */
function chain(error: unknown): readonly { readonly code: string | null; readonly message: string | null }[] {
  const links: { code: string | null; message: string | null }[] = [];
  let current: unknown = error;
  while (links.length < MAX_CAUSES && typeof current === 'object' && current !== null) {
    const link: { readonly code?: unknown; readonly message?: unknown; readonly cause?: unknown } = current;
    links.push({
      code: typeof link.code === 'string' ? link.code : null,
      message: typeof link.message === 'string' && link.message !== '' ? link.message : null,
    });
    current = link.cause;
  }
  return links;
}

/** An error without a response: refused, reset, unresolvable, or never sent because the SDK refused the request. */
export function networkError(error: unknown, sent: boolean, baseUrl: string): ProviderError {
  const links = chain(error);
  const code = links.find((link) => link.code !== null)?.code ?? undefined;
  // The outer messages say only that something failed.
  const message = links.findLast((link) => link.message !== null)?.message ?? String(error);
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
  if (code !== undefined && HOPELESS.test(code)) {
    const text = `Could not connect to ${baseUrl}: ${message}. Check the address.`;
    return { ...shared, category: 'network', message: text, retryable: false, billed: 'no' };
  }
  const text = `The connection to ${baseUrl} broke before the answer was complete: ${message}`;
  return { ...shared, category: 'network', message: text, retryable: true, billed: 'unknown' };
}
