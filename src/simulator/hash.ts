const UNIT = 4_294_967_296;

/** Looked up once: where globals are slow (Jest's sandbox), a lookup per character would cost more than all the rest. */
const { imul } = Math;

/**
 * A running 53-bit hash of text (cyrb53): the same text gives the same value however it was cut into pieces, and the
 * value of every prefix can be had on the way.
 */
export class TextHash {
  #high: number;
  #low: number;

  /** Different seeds give unrelated values for the same text. */
  constructor(seed = 0) {
    this.#high = 0xdeadbeef ^ seed;
    this.#low = 0x41c6ce57 ^ seed;
  }

  /** Adds `text` from `from` up to `to`. */
  add(text: string, from = 0, to = text.length): this {
    for (let i = from; i < to; i += 1) {
      const code = text.charCodeAt(i);
      this.#high = imul(this.#high ^ code, 2_654_435_761);
      this.#low = imul(this.#low ^ code, 1_597_334_677);
    }
    return this;
  }

  /** Hash of everything added so far: an integer from 0 to 2^53 - 1. */
  get value(): number {
    let high = imul(this.#high ^ (this.#high >>> 16), 2_246_822_507);
    high ^= imul(this.#low ^ (this.#low >>> 13), 3_266_489_909);
    let low = imul(this.#low ^ (this.#low >>> 16), 2_246_822_507);
    low ^= imul(high ^ (high >>> 13), 3_266_489_909);
    return UNIT * (2_097_151 & low) + (high >>> 0);
  }
}

/** Hash of several parts; `['a', 'b']` and `['ab']` differ. */
export function hashOf(...parts: readonly (string | number)[]): number {
  const hash = new TextHash();
  for (const part of parts) hash.add(String(part)).add('\0');
  return hash.value;
}

/** A hash as 14 hexadecimal digits. */
export function hex(hash: number): string {
  return hash.toString(16).padStart(14, '0');
}

/** Numbers that look random and are always the same for the same seed (mulberry32). */
export class Random {
  #state: number;

  /** Starts the sequence of `seed`, a hash. */
  constructor(seed: number) {
    this.#state = (seed % UNIT) ^ Math.floor(seed / UNIT);
  }

  /** The next number, from 0 up to 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / UNIT;
  }

  /** An integer from 0 to `count - 1`. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  /** One element of `list`; `fallback` when it is empty. */
  pick<T>(list: readonly T[], fallback: T): T {
    return list[this.below(list.length)] ?? fallback;
  }

  /** `count` different elements of `list`, or all of them when there are fewer. */
  sample<T>(list: readonly T[], count: number): readonly T[] {
    const rest = [...list];
    const taken: T[] = [];
    while (taken.length < count && rest.length > 0) taken.push(...rest.splice(this.below(rest.length), 1));
    return taken;
  }
}
