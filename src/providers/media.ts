import { TemperedError } from '../task/errors.js';

/** An image or PDF as a request carries it. */
export type Media =
  | { readonly kind: 'inline'; readonly mediaType: string; /** Base64. */ readonly data: string }
  | { readonly kind: 'url'; readonly mediaType: string; readonly url: string };

const DATA_URL = /^data:([^;,]+)((?:;[^;,]+)*),(.*)$/s;

const BY_EXTENSION: ReadonlyMap<string, string> = new Map([
  ['png', 'image/png'],
  ['gif', 'image/gif'],
  ['webp', 'image/webp'],
  ['pdf', 'application/pdf'],
]);

/** Reads a part's URL. Throws `TemperedError` (`input`) when it is neither a data: nor an http(s) URL. */
export function readMedia(type: 'image' | 'pdf', url: string): Media {
  const match = DATA_URL.exec(url);
  if (match !== null) {
    const [, mediaType = '', options = '', payload = ''] = match;
    const data = options.includes(';base64') ? payload : Buffer.from(decodeURIComponent(payload)).toString('base64');
    return { kind: 'inline', mediaType, data };
  }
  if (!/^https?:\/\//i.test(url)) {
    throw new TemperedError('input', `"${url.slice(0, 80)}" is neither a data: nor an http(s) URL.`, {
      remedy: `Give the ${type} as a URL, or as a file path in the task's messages.`,
    });
  }
  const extension = /\.([a-z0-9]+)(?:[?#]|$)/i.exec(url)?.[1]?.toLowerCase() ?? '';
  const fallback = type === 'pdf' ? 'application/pdf' : 'image/jpeg';
  return { kind: 'url', mediaType: BY_EXTENSION.get(extension) ?? fallback, url };
}
