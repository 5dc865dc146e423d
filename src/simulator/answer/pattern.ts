import type { Random } from '../hash.js';

/** Repetitions an unbounded quantifier is given. */
const OPEN_ENDED = 3;

const DIGITS = '0123456789';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const WORD = `${LOWER}${LOWER.toUpperCase()}${DIGITS}_`;

/** Reads a regular expression from left to right and writes a text that it matches. */
class Writer {
  #at = 0;

  constructor(
    readonly source: string,
    readonly random: Random,
  ) {}

  /** Alternatives up to the end or a closing parenthesis: all are read, one is taken. */
  alternatives(): string {
    const written: string[] = [];
    do written.push(this.#sequence());
    while (this.#take('|'));
    return this.random.pick(written, '');
  }

  #take(sign: string): boolean {
    if (!this.source.startsWith(sign, this.#at)) return false;
    this.#at += sign.length;
    return true;
  }

  #next(): string {
    const sign = this.source[this.#at] ?? '';
    this.#at += 1;
    return sign;
  }

  #sequence(): string {
    let written = '';
    while (this.#at < this.source.length && !/[|)]/.test(this.source[this.#at] ?? '')) {
      const start = this.#at;
      const first = this.#atom();
      const [least, most] = this.#quantifier();
      const after = this.#at;
      const times = least + this.random.below(most - least + 1);
      if (times > 0) written += first;
      // Each repetition is read again so that every character is drawn anew.
      for (let i = 1; i < times; i += 1) {
        this.#at = start;
        written += this.#atom();
      }
      this.#at = after;
    }
    return written;
  }

  #quantifier(): readonly [number, number] {
    if (this.#take('*')) return [1, OPEN_ENDED];
    if (this.#take('+')) return [1, OPEN_ENDED];
    if (this.#take('?')) return [0, 1];
    const found = /^\{(\d+)(,(\d*))?\}/.exec(this.source.slice(this.#at));
    if (found === null) return [1, 1];
    const [whole, least = '', comma, most = ''] = found;
    this.#at += whole.length;
    if (comma === undefined) return [Number(least), Number(least)];
    return [Number(least), most === '' ? Number(least) + OPEN_ENDED : Number(most)];
  }

  #atom(): string {
    const sign = this.#next();
    switch (sign) {
      case '^':
      case '$':
        return '';
      case '.':
        return this.#among(LOWER);
      case '\\':
        return this.#escaped(this.#next());
      case '[':
        return this.#among(this.#set());
      case '(':
        return this.#group();
      default:
        return sign;
    }
  }

  #group(): string {
    const look = this.#take('?!') || this.#take('?=') || this.#take('?<=') || this.#take('?<!');
    if (!look) this.#at += /^\?(?::|<\w+>)/.exec(this.source.slice(this.#at))?.[0].length ?? 0;
    const inner = this.alternatives();
    this.#take(')');
    return look ? '' : inner;
  }

  #escaped(sign: string): string {
    switch (sign) {
      case 'd':
        return this.#among(DIGITS);
      case 'w':
        return this.#among(WORD);
      case 's':
        return ' ';
      case 'b':
        return '';
      default:
        return sign;
    }
  }

  #among(set: string): string {
    return this.random.pick([...set], '');
  }

  #set(): string {
    const negated = this.#take('^');
    let signs = '';
    while (this.#at < this.source.length && !this.#take(']')) {
      const sign = this.#next();
      if (sign === '\\') {
        const named = this.#next();
        signs += named === 'd' ? DIGITS : named === 'w' ? WORD : named === 's' ? ' ' : named;
      } else if (sign === '-' && signs !== '' && !this.source.startsWith(']', this.#at)) {
        const from = signs.charCodeAt(signs.length - 1);
        const to = this.#next().charCodeAt(0);
        for (let code = from + 1; code <= to; code += 1) signs += String.fromCharCode(code);
      } else {
        signs += sign;
      }
    }
    return negated ? [...WORD].filter((sign) => !signs.includes(sign)).join('') : signs;
  }
}

/** Tries at a text for a pattern: look-aheads and back-references may spoil one. */
const TRIES = 20;

/** A pattern as a regular expression; undefined for one that JavaScript does not know. */
export function regexOf(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    try {
      return new RegExp(pattern);
    } catch {
      return undefined;
    }
  }
}

/** A text that matches a pattern; undefined when none was found. */
export function textFor(pattern: string, random: Random): string | undefined {
  const regex = regexOf(pattern);
  if (regex === undefined) return undefined;
  for (let i = 0; i < TRIES; i += 1) {
    const text = new Writer(pattern, random).alternatives();
    if (regex.test(text)) return text;
  }
  return undefined;
}
