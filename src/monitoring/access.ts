import { timingSafeEqual, createHash } from 'node:crypto';

/** Who may read: what a request says of itself. */
export interface Caller {
  /** The Host header. */
  readonly host: string | undefined;
  /** The Authorization header. */
  readonly authorization: string | undefined;
}

/** True for names and addresses of this machine alone. */
export function isLocalName(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Why a request is refused; null = it is not. Without a token only requests to this machine by its own names are
 * answered: a page in a browser that was given our address under a name of its own (DNS rebinding) gets nothing.
 */
export function refusal(
  { host, authorization }: Caller,
  token: string | undefined,
): { readonly status: 401 | 403; readonly message: string } | null {
  if (token === undefined) {
    const name = (host ?? '').replace(/:\d+$/, '').toLowerCase();
    return isLocalName(name) ? null : { status: 403, message: `This server does not answer to the name "${name}".` };
  }
  const said = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '';
  return same(said, token) ? null : { status: 401, message: 'Send the token: Authorization: Bearer TOKEN.' };
}

/** Compares without telling by its time how much of a guess was right. */
function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
