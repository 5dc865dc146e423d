/** Characters of a token: the usual rule of thumb for English. */
export const CHARS_PER_TOKEN = 4;

/** Tokens an image or PDF comes to here, whatever its size. */
const MEDIA_TOKENS = 1000;

/** Tokens of a text. The only measure there is: usage, caches, quotas and limits all count with it. */
export function textTokens(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}

/** Text that stands for an image or PDF where tokens are counted and prefixes compared: as long as it is dear. */
export function mediaText(hash: string): string {
  return hash.padEnd(MEDIA_TOKENS * CHARS_PER_TOKEN, '.');
}
