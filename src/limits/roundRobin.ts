/** Queues by key, served in turn: one from each key's front before the next from the same key. */
export class RoundRobin<K, V> {
  /** A map remembers the order in which keys came: the first is next to be served. */
  private readonly queues = new Map<K, V[]>();
  private count = 0;

  /** Waiting values of all keys. */
  get size(): number {
    return this.count;
  }

  /** Keys with waiting values, next to be served first. */
  keys(): readonly K[] {
    return [...this.queues.keys()];
  }

  /** Waiting values of a key, oldest first. */
  of(key: K): readonly V[] {
    return this.queues.get(key) ?? [];
  }

  /** Puts a value at the end of its key's queue. */
  push(key: K, value: V): void {
    const queue = this.queues.get(key);
    if (queue === undefined) this.queues.set(key, [value]);
    else queue.push(value);
    this.count += 1;
  }

  /** The oldest value of the first key in turn that `may` be served; undefined when none may. Stays where it is. */
  peek(may: (key: K) => boolean): { readonly key: K; readonly value: V } | undefined {
    for (const [key, [value]] of this.queues) if (value !== undefined && may(key)) return { key, value };
    return undefined;
  }

  /** Takes the oldest value of a key and sends the key to the end of the turn. */
  take(key: K): V | undefined {
    const queue = this.queues.get(key);
    const value = queue?.shift();
    if (queue === undefined || value === undefined) return undefined;
    this.count -= 1;
    this.queues.delete(key);
    if (queue.length > 0) this.queues.set(key, queue);
    return value;
  }

  /** Takes a value out, wherever it stands; its key keeps its turn. */
  remove(key: K, value: V): void {
    const queue = this.queues.get(key);
    const at = queue?.indexOf(value) ?? -1;
    if (queue === undefined || at < 0) return;
    queue.splice(at, 1);
    this.count -= 1;
    if (queue.length === 0) this.queues.delete(key);
  }
}
