import type { CacheTags } from './optimization.js';

/** Most characters of a cache's `displayName`. */
export const MOST_NAME_CHARS = 128;

/** What an explicit cache is called: whose it is and what it holds, so that no other content is ever taken for it. */
export interface CacheName {
  /** Hash of all it holds; the first 128 bits are kept. */
  readonly hash: string;
  /** Hash of the batch it was made for; the first 32 bits are kept. */
  readonly owner: string;
  /** Tags a person gave it. */
  readonly tags: CacheTags;
}

const HASH_CHARS = 32;
const OWNER_CHARS = 8;
const FORM = /^tempered:([0-9a-f]{32}):([0-9a-f]{8})(?: (.*))?$/;

/** A cache's `displayName`: `tempered:<hash>:<owner> tag=value&…`. */
export function cacheName({ hash, owner, tags }: CacheName): string {
  const start = `tempered:${hash.slice(0, HASH_CHARS)}:${owner.slice(0, OWNER_CHARS)}`;
  const entries = Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? start : `${start} ${new URLSearchParams(entries).toString()}`;
}

/** Characters of a cache's `displayName` with these tags, whatever it holds. */
export function cacheNameChars(tags: CacheTags): number {
  return cacheName({ hash: '0'.repeat(HASH_CHARS), owner: '0'.repeat(OWNER_CHARS), tags }).length;
}

/**
 * Whose a cache is that holds exactly the content of `hash` and has every wanted tag: names and values letter for
 * letter, more tags than wanted allowed. `other`: another batch's; null: it is not such a cache.
 */
export function cacheOwner(displayName: string | null, wanted: CacheName): 'own' | 'other' | null {
  const [, hash, owner, text = ''] = FORM.exec(displayName ?? '') ?? [];
  if (hash !== wanted.hash.slice(0, HASH_CHARS)) return null;
  const tags = new URLSearchParams(text);
  const all = Object.entries(wanted.tags).every(([name, value]) => tags.get(name) === value);
  if (!all) return null;
  return owner === wanted.owner.slice(0, OWNER_CHARS) ? 'own' : 'other';
}

/** Whether a cache was made for the batch of hash `owner`, whatever it holds. */
export function isMadeFor(displayName: string | null, owner: string): boolean {
  return FORM.exec(displayName ?? '')?.[2] === owner.slice(0, OWNER_CHARS);
}
