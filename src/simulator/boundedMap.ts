/**
 * A map that remembers at least the last `limit / 2` keys that were set, and never more than `limit`. Two generations:
 * when the young one is full it becomes the old one, and what was old and not set again is forgotten.
 */
export class BoundedMap<K, V> {
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  /** `limit`: most keys. */
  constructor(readonly limit: number) {}

  /** The value of `key`. */
  get(key: K): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  /** Sets `key`, and saves it from being forgotten. */
  set(key: K, value: V): void {
    this.#young.set(key, value);
    if (this.#young.size < this.limit / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}
