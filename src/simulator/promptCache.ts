import { BoundedMap } from './boundedMap.js';
import { TextHash } from './hash.js';
import { CHARS_PER_TOKEN, textTokens } from './tokens.js';

/** How long a written prefix lives: Anthropic's two lives, and OpenAI's only one. */
export type CacheLife = '5m' | '30m' | '1h';

/** A piece of a prompt, in the order in which providers compare prefixes. */
export interface PromptBlock {
  /** Its text; tokens are counted from it. */
  readonly text: string;
  /** The caller asked to cache everything up to the end of this block. */
  readonly breakpoint?: CacheLife;
}

/** Tokens of a prompt that a cache read or wrote. */
export interface CacheUse {
  /** Read from the cache. */
  readonly read: number;
  /** Written for five minutes, or for as long as OpenAI or an automatic cache keeps them. */
  readonly write5m: number;
  /** Written for an hour. */
  readonly write1h: number;
}

/** Nothing was cached. */
export const NO_CACHE: CacheUse = { read: 0, write5m: 0, write1h: 0 };

const LIFE_MS: Readonly<Record<CacheLife, number>> = { '5m': 300_000, '30m': 1_800_000, '1h': 3_600_000 };

/** Neither OpenAI nor Google documents a lifetime of its automatic cache; OpenAI says five to ten minutes of inactivity. */
const AUTOMATIC_LIFE_MS = 600_000;

/** Blocks before a breakpoint at which an earlier entry is looked for: Anthropic does, OpenAI takes breakpoints alone. */
const LOOKBACK: Readonly<Record<CacheLife, number>> = { '5m': 20, '30m': 0, '1h': 20 };

/** OpenAI's automatic cache counts in steps of this many tokens. */
const STEP = 128;

const MOST_ENTRIES = 50_000;

interface Entry {
  /** Prompts before this time don't find it. */
  readonly from: number;
  readonly expires: number;
  readonly lifeMs: number;
}

interface Prefix {
  readonly hash: number;
  readonly tokens: number;
  readonly breakpoint: CacheLife | undefined;
}

/**
 * The providers' prompt caches: which part of a prompt was seen before and is still alive. `readable` is when what a
 * prompt writes can be found, milliseconds; by default at once, so that totals don't depend on timing. A prefix that
 * several prompts write meanwhile can be found when the first of them said.
 */
export class PromptCache {
  readonly #entries = new BoundedMap<number, Entry>(MOST_ENTRIES);

  /**
   * Anthropic, and OpenAI's explicit mode: reads the longest live prefix that ends at a breakpoint (Anthropic: or up to
   * 20 blocks before one), and writes what lies between it and the last breakpoint. Prefixes below `minimum` tokens are left uncached without a word.
   * `scope` keeps accounts and models apart; `now` is milliseconds.
   */
  breakpoints(scope: string, blocks: readonly PromptBlock[], minimum: number, now: number, readable = now): CacheUse {
    const prefixes = prefixesOf(scope, blocks);
    const marked = prefixes.flatMap(({ breakpoint }, i) => (breakpoint === undefined ? [] : [i]));
    const hit = this.#longestHit(prefixes, marked, minimum, now);
    let upTo = hit?.tokens ?? 0;
    let write5m = 0;
    let write1h = 0;
    for (const i of marked) {
      const prefix = prefixes[i];
      if (prefix?.breakpoint === undefined || prefix.tokens < minimum) continue;
      const lifeMs = LIFE_MS[prefix.breakpoint];
      // A breakpoint inside what was read keeps that entry alive at no cost.
      this.#keep(prefix.hash, lifeMs, now, readable);
      if (prefix.tokens <= upTo) continue;
      if (prefix.breakpoint === '1h') write1h += prefix.tokens - upTo;
      else write5m += prefix.tokens - upTo;
      upTo = prefix.tokens;
    }
    return { read: hit?.tokens ?? 0, write5m, write1h };
  }

  /** OpenAI, and Gemini's implicit cache: the longest live prefix of at least `minimum` tokens, in steps of 128. */
  automatic(scope: string, blocks: readonly PromptBlock[], minimum: number, now: number, readable = now): CacheUse {
    const text = blocks.map((block) => block.text).join('');
    const hash = new TextHash().add(scope).add('\0');
    let read = 0;
    let end = 0;
    let matching = true;
    for (let tokens = Math.ceil(minimum / STEP) * STEP; tokens * CHARS_PER_TOKEN <= text.length; tokens += STEP) {
      hash.add(text, end * CHARS_PER_TOKEN, tokens * CHARS_PER_TOKEN);
      end = tokens;
      const key = hash.value;
      matching &&= this.#alive(key, now);
      if (matching) read = tokens;
      this.#keep(key, AUTOMATIC_LIFE_MS, now, readable);
    }
    return { read, write5m: end - read, write1h: 0 };
  }

  #alive(key: number, now: number): boolean {
    const entry = this.#entries.get(key);
    return entry !== undefined && isFound(entry, now);
  }

  #keep(key: number, lifeMs: number, now: number, readable: number): void {
    const known = this.#entries.get(key);
    const from = known !== undefined && known.expires > now ? Math.min(known.from, readable) : readable;
    this.#entries.set(key, { from, expires: Math.max(now, from) + lifeMs, lifeMs });
  }

  #longestHit(
    prefixes: readonly Prefix[],
    marked: readonly number[],
    minimum: number,
    now: number,
  ): Prefix | undefined {
    for (const i of [...marked].reverse()) {
      const back = LOOKBACK[prefixes[i]?.breakpoint ?? '5m'];
      for (let at = i; at >= Math.max(0, i - back); at -= 1) {
        const prefix = prefixes[at];
        if (prefix === undefined || prefix.tokens < minimum) break;
        const entry = this.#entries.get(prefix.hash);
        if (entry === undefined || !isFound(entry, now)) continue;
        // Reading renews an entry.
        this.#entries.set(prefix.hash, { ...entry, expires: now + entry.lifeMs });
        return prefix;
      }
    }
    return undefined;
  }
}

function isFound({ from, expires }: Entry, now: number): boolean {
  return from <= now && expires > now;
}

function prefixesOf(scope: string, blocks: readonly PromptBlock[]): readonly Prefix[] {
  const hash = new TextHash().add(scope).add('\0');
  let tokens = 0;
  return blocks.map(({ text, breakpoint }) => {
    hash.add(text).add('\0');
    tokens += textTokens(text);
    return { hash: hash.value, tokens, breakpoint };
  });
}
