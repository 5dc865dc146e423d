/** A map that forgets what was least lately set or touched when it has `limit` entries. */
export class BoundedMap<K, V> {
  readonly #map = new Map<K, V>();

  /** `limit`: most entries. */
  constructor(readonly limit: number) {}

  /** The value of `key`. */
  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  /** Sets `key` and makes it the last to be forgotten. */
  set(key: K, value: V): void {
    this.#map.delete(key);
    this.#map.set(key, value);
    if (this.#map.size <= this.limit) return;
    const [oldest] = this.#map.keys();
    if (oldest !== undefined) this.#map.delete(oldest);
  }

  /** Forgets everything. */
  clear(): void {
    this.#map.clear();
  }
}
