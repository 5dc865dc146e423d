/** Records up to which somebody probably waits for the batch. */
const INTERACTIVE_RECORDS = 100;

/** Weight of such a batch: nearly all turns while it lasts, and still one in a hundred for the others. */
const INTERACTIVE_WEIGHT = 100;

/** What of a batch says whether somebody waits for it. */
export interface BatchSize {
  /** Records. */
  readonly items: number;
  /** Whether more may come, and so nobody knows how many. */
  readonly open: boolean;
}

/** Whether somebody probably waits for the whole batch. Pure. */
export function isInteractive({ items, open }: BatchSize): boolean {
  return items <= INTERACTIVE_RECORDS && !open;
}

/** A batch's part of a quota that several want, where it says none itself: interactive work goes first. Pure. */
export function usualWeight(size: BatchSize): number {
  return isInteractive(size) ? INTERACTIVE_WEIGHT : 1;
}
