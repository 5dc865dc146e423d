/** Notes that are kept. */
const KEPT = 50;

/** What could not be used or done, as the query `failures` tells it: a signal can't be refused. The oldest are forgotten. */
export class Notes {
  private readonly kept: string[];

  constructor(kept: readonly string[] = []) {
    this.kept = [...kept];
  }

  /** Those that are kept, the newest last. */
  get all(): readonly string[] {
    return this.kept;
  }

  /** Keeps a note for people. */
  add(why: string): void {
    this.kept.push(why);
    this.kept.splice(0, Math.max(0, this.kept.length - KEPT));
  }
}
