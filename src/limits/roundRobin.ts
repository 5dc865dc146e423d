interface Line<V> {
  readonly values: V[];
  /** What the key has been served, in units of its weight: the lowest is next. */
  pass: number;
}

/** Queues by key, served in turn by weight: a key of weight 2 is served twice as often as one of weight 1. */
export class RoundRobin<K, V> {
  private readonly lines = new Map<K, Line<V>>();
  private readonly weights = new Map<K, number>();
  /** Where the turn is: a key that comes, or comes back, has no claim on what was served before. */
  private turn = 0;
  private count = 0;

  /** Waiting values of all keys. */
  get size(): number {
    return this.count;
  }

  /** Keys with waiting values, next to be served first. */
  keys(): readonly K[] {
    return [...this.lines]
      .filter(([, { values }]) => values.length > 0)
      .sort(([, a], [, b]) => a.pass - b.pass)
      .map(([key]) => key);
  }

  /** Waiting values of a key, oldest first. */
  of(key: K): readonly V[] {
    return this.lines.get(key)?.values ?? [];
  }

  /** Puts a value at the end of its key's queue. */
  push(key: K, value: V): void {
    const line = this.lines.get(key) ?? { values: [], pass: this.turn };
    if (line.values.length === 0) line.pass = Math.max(line.pass, this.turn);
    line.values.push(value);
    this.lines.set(key, line);
    this.count += 1;
  }

  /** How often a key is served, against the others; positive. Default 1. */
  weigh(key: K, weight: number): void {
    this.weights.set(key, weight);
  }

  /** The oldest value of the first key in turn that `may` be served; undefined when none may. Stays where it is. */
  peek(may: (key: K) => boolean): { readonly key: K; readonly value: V } | undefined {
    let next: { readonly key: K; readonly value: V; readonly pass: number } | undefined;
    for (const [key, { values, pass }] of this.lines) {
      const [value] = values;
      if (value !== undefined && (next === undefined || pass < next.pass) && may(key)) next = { key, value, pass };
    }
    return next;
  }

  /** Takes the oldest value of a key and moves the key back in the turn. */
  take(key: K): V | undefined {
    const line = this.lines.get(key);
    const value = line?.values.shift();
    if (line === undefined || value === undefined) return undefined;
    this.count -= 1;
    this.turn = Math.max(this.turn, line.pass);
    line.pass += 1 / (this.weights.get(key) ?? 1);
    return value;
  }

  /** Takes a value out, wherever it stands; its key keeps its turn. */
  remove(key: K, value: V): void {
    const values = this.lines.get(key)?.values;
    const at = values?.indexOf(value) ?? -1;
    if (values === undefined || at < 0) return;
    values.splice(at, 1);
    this.count -= 1;
  }

  /** Forgets a key nobody waits under. */
  forget(key: K): void {
    if (this.of(key).length > 0) return;
    this.lines.delete(key);
    this.weights.delete(key);
  }
}
