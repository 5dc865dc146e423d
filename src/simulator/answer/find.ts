import { labelled, oneLine, sentences } from './text.js';

const EMAIL = /(?<![^\s<>"'(),:;[\]=])[\w.+'-]*[\w+-]@(?:[A-Za-z\d](?:[A-Za-z\d-]*[A-Za-z\d])?\.)+[A-Za-z]{2,}/g;
const URL_TEXT = /\bhttps?:\/\/[^\s<>"')\]]+[^\s<>"')\].,;:!?]/g;
const CODE = /\b[A-Z]{1,6}[-‑#/]?\d[\d-]{2,}\b|#\d{3,}\b|\b\d{5,}\b/gi;
const PHONE = /\+?\d[\d ()/.-]{6,}\d/g;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH = '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?';

/** A year for dates without one. */
const STANDARD_YEAR = 2026;

/** Every match, once each, in order. */
function all(text: string, pattern: RegExp): readonly string[] {
  return [...new Set([...text.matchAll(pattern)].map(([found]) => found))];
}

/** E-mail addresses. */
export function emails(text: string): readonly string[] {
  return all(text, EMAIL);
}

/** Web addresses. */
export function urls(text: string): readonly string[] {
  return all(text, URL_TEXT);
}

/** Order numbers, case numbers and the like: letters and digits, or long numbers. */
export function codes(text: string): readonly string[] {
  return [...all(text, CODE)].sort((a, b) => Number(/^\d+$/.test(a)) - Number(/^\d+$/.test(b)));
}

/** Telephone numbers. */
export function phones(text: string): readonly string[] {
  return all(text, PHONE).filter((found) => found.replace(/\D/g, '').length >= 7 && !/^\d{4}-\d\d-\d\d/.test(found));
}

function isoDate(year: number, month: number, day: number): string | undefined {
  const made = new Date(Date.UTC(year, month - 1, day));
  // Mail programs have sent years like 0102.
  if (year < 1900) return undefined;
  const real = made.getUTCFullYear() === year && made.getUTCMonth() === month - 1 && made.getUTCDate() === day;
  return real ? made.toISOString().slice(0, 10) : undefined;
}

/** Two digits belong to 1970 to 2069. */
function fullYear(text: string | undefined): number {
  if (text === undefined) return STANDARD_YEAR;
  const year = Number(text);
  if (text.length > 3) return year;
  return year + (year < 70 ? 2000 : 1900);
}

function monthNumber(name: string | undefined): number {
  return MONTHS.indexOf((name ?? '').slice(0, 3).toLowerCase()) + 1;
}

const DATE_FORMS: readonly {
  readonly pattern: RegExp;
  readonly read: (match: RegExpMatchArray) => string | undefined;
}[] = [
  {
    pattern: /\b(\d{4})-(\d{2})-(\d{2})(?!\d)/g,
    read: ([, year, month, day]) => isoDate(Number(year), Number(month), Number(day)),
  },
  {
    pattern: new RegExp(`\\b(\\d{1,2})(?:st|nd|rd|th)?(?: of)?[ -]${MONTH}(?:,?[ -]+(\\d{4}|\\d{2})(?!\\d|:))?`, 'gi'),
    read: ([, day, month, year]) => isoDate(fullYear(year), monthNumber(month), Number(day)),
  },
  {
    pattern: new RegExp(`\\b${MONTH} (\\d{1,2})(?:st|nd|rd|th)?(?!\\d)(?:,? (\\d{4}))?`, 'gi'),
    read: ([, month, day, year]) => isoDate(fullYear(year), monthNumber(month), Number(day)),
  },
  {
    pattern: /\b(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})\b/g,
    read: ([, day, month, year]) => isoDate(fullYear(year), Number(month), Number(day)),
  },
  {
    pattern: /\b(\d{1,2})\/(\d{1,2})\/(\d{4}|\d{2})\b/g,
    read: ([, month, day, year]) => isoDate(fullYear(year), Number(month), Number(day)),
  },
];

/** Dates as YYYY-MM-DD, in the order of the text. */
export function dates(text: string): readonly string[] {
  const found = DATE_FORMS.flatMap(({ pattern, read }) =>
    [...text.matchAll(pattern)].flatMap((match) => {
      const date = read(match);
      return date === undefined ? [] : [{ at: match.index, date }];
    }),
  );
  return [...new Set(found.sort((a, b) => a.at - b.at).map(({ date }) => date))];
}

/** The first time of day as HH:MM:SS. */
export function timeOfDay(text: string): string | undefined {
  const [, hour = '', minute = '', second = '00'] = /\b([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?\b/.exec(text) ?? [];
  return minute === '' ? undefined : `${hour.padStart(2, '0')}:${minute}:${second}`;
}

/** Numbers that are not part of a date, a code or a time. */
export function numbers(text: string): readonly number[] {
  const plain = text.replace(/\b\d{1,2}:\d{2}\b|\b\d{4}-\d{2}-\d{2}\b|\b[A-Z]+[-‑]\d+\b/gi, ' ');
  return [...plain.matchAll(/-?\d+(?:[.,]\d+)*/g)].flatMap(([found]) => readNumber(found));
}

/** `1,234.50`, `1.234,50`, `1234` and `12,5` are numbers. */
export function readNumber(text: string): readonly number[] {
  const digits = /-?\d+(?:[.,]\d+)*/.exec(text)?.[0] ?? '';
  const separators = [...digits.matchAll(/[.,]/g)];
  const last = separators.at(-1);
  const decimals = last === undefined ? '' : digits.slice(last.index + 1);
  const grouped =
    separators.length > 0 && decimals.length === 3 && new Set(separators.map(([sign]) => sign)).size === 1;
  const whole = last === undefined || grouped ? digits : digits.slice(0, last.index);
  const value = Number(whole.replace(/[.,]/g, '') + (last === undefined || grouped ? '' : `.${decimals}`));
  return digits === '' || !Number.isFinite(value) ? [] : [value];
}

/** Amounts of money: numbers beside a currency. */
export function amounts(text: string): readonly number[] {
  const currency = '(?:€|\\$|£|¥|EUR|USD|GBP|CHF)';
  const pattern = new RegExp(`${currency} ?(\\d[\\d.,]*)|(\\d[\\d.,]*) ?${currency}`, 'gi');
  return [...text.matchAll(pattern)].flatMap(([, after, before]) => readNumber(after ?? before ?? ''));
}

/** The name in a From-like header: `"Ann Lee" <a@b.c>`, `a@b.c (Ann Lee)`; undefined when it is an address alone. */
export function headerName(header: string): string | undefined {
  const old = /^\s*<?[^\s<>()]+@[^\s<>()]*>?\s*\((.+)\)\s*$/.exec(header)?.[1];
  const name = oneLine((old ?? header.replace(/<[^>]*>?.*$/, '')).replace(/^["'\s]+|["'\s]+$/g, ''));
  return name === '' || name.includes('@') ? undefined : name;
}

const NAME = "\\p{Lu}[\\p{L}.'-]+(?: \\p{Lu}[\\p{L}.'-]*){0,3}";

/** The person who wrote the text: its From header, what it says of itself, its signature. */
export function writer(text: string): string | undefined {
  const from = labelled(text, ['from', 'name', 'sender', 'author', 'customer']);
  const headed = from === undefined ? undefined : headerName(from);
  if (headed !== undefined) return headed;
  const said = new RegExp(`\\b(?:[Mm]y name is|I am|I'm|[Tt]his is|ich heiße|je m'appelle) (${NAME})`, 'u').exec(text);
  if (said?.[1] !== undefined) return said[1];
  const closing = '(?:thanks|thank you|regards|best|cheers|sincerely|yours|greetings|grüße|gruß|merci|saludos)';
  const signed = new RegExp(`\\n\\s*(?:[\\p{L} ]+ )?${closing}[^\\n]{0,20}\\n\\s*([^\\n]{2,40})(?:\\n|$)`, 'iu').exec(
    text,
  );
  const name = new RegExp(`^${NAME}`, 'u').exec(signed?.[1] ?? '')?.[0];
  return name;
}

/** Words that stand out: capitalised inside a sentence, or long and repeated; most frequent first. */
export function keywords(text: string): readonly string[] {
  const counts = new Map<string, number>();
  for (const sentence of sentences(text)) {
    const words = sentence.match(/\p{L}[\p{L}\d-]{3,}/gu) ?? [];
    for (const [i, word] of words.entries()) {
      const weight = i > 0 && /^\p{Lu}/u.test(word) ? 2 : word.length > 5 ? 1 : 0;
      const key = word.toLowerCase();
      if (weight > 0) counts.set(key, (counts.get(key) ?? 0) + weight);
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([word]) => word);
}
