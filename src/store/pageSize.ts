/** Rows read at once: first, and at most. */
export const FIRST_PAGE = 16;
const MAX_PAGE = 500;

/** Characters of a page above which the next one is smaller: memory stays bounded whatever the records are. */
const PAGE_CHARS = 4_000_000;

/** Rows of the next page, after one of `size` rows with so many characters: small ones come in large pages, big ones in small pages. */
export function nextPageSize(size: number, chars: number): number {
  return chars > PAGE_CHARS ? Math.max(1, Math.floor(size / 4)) : Math.min(MAX_PAGE, size * 2);
}
