import type { JsonObject } from '../../task/json.js';
import { hex, hashOf } from '../hash.js';
import type { Random } from '../hash.js';
import { codes, dates, emails, headerName, keywords, phones, timeOfDay, urls, writer } from './find.js';
import { languageName, languageOf } from './language.js';
import { regexOf, textFor } from './pattern.js';
import { numberOf, textOf } from './schema.js';
import { labelled, nameWords, oneLine, sentences, shorten } from './text.js';

/** What an answer is made from. */
export interface Source {
  /** The record: the only text that is looked at. */
  readonly text: string;
  /** Decides where the text does not. */
  readonly random: Random;
}

/** What is known of a place in the answer. */
export interface Place {
  /** The property's name, empty at the root. */
  readonly name: string;
  /** Its schema. */
  readonly schema: JsonObject;
}

/** A value, and whether the text speaks for it. */
export interface Found<T> {
  /** The value. */
  readonly value: T;
  /** False for one that had to be made up. */
  readonly evident: boolean;
}

interface Hint {
  readonly words: readonly string[];
  readonly format: string;
  readonly description: string;
}

interface Kind {
  /** Formats it stands for. A schema with a format is one of these kinds, whatever the name. */
  readonly formats?: readonly string[];
  /** Whether the name or description is one of its own. */
  readonly fits: (hint: Hint) => boolean;
  /** What the text has, best first. */
  readonly find: (text: string, hint: Hint) => readonly (string | undefined)[];
  /** What to say when it has nothing. */
  readonly otherwise: (source: Source, hint: Hint) => string;
}

function names(...known: readonly string[]): (hint: Hint) => boolean {
  return ({ words }) => words.some((word) => known.includes(word));
}

/** The header a description points at (`Date header`): then nothing else counts. */
function headerOnly({ description }: Hint, header: string): boolean {
  return new RegExp(`\\b${header}\\b[^.]{0,20}\\bheader`, 'i').test(description);
}

function firstDate(text: string | undefined): string | undefined {
  return dates(text ?? '')[0];
}

const emailKind: Kind = {
  formats: ['email'],
  fits: ({ words, description }) =>
    words.some((word) => ['email', 'mail', 'emails'].includes(word)) ||
    (words.includes('address') && /e-?mail/i.test(description)),
  find: (text, hint) => {
    const from = emails(labelled(text, ['from', 'reply-to', 'sender', 'e-mail', 'email']) ?? '');
    const found = headerOnly(hint, 'from') ? from : [...from, ...emails(text)];
    return /lower.?case/i.test(hint.description) ? found.map((email) => email.toLowerCase()) : found;
  },
  otherwise: () => 'unknown@example.com',
};

const dateKind: Kind = {
  formats: ['date'],
  fits: names('date', 'day', 'deadline', 'birthday'),
  find: (text, hint) => {
    const headed = firstDate(labelled(text, [hint.words.join(' '), 'date', 'sent', 'received']));
    return headerOnly(hint, 'date') ? [headed] : [headed, ...dates(text)];
  },
  otherwise: ({ random }) => `2026-0${1 + random.below(9)}-${10 + random.below(19)}`,
};

const momentKind: Kind = {
  formats: ['date-time'],
  fits: names('timestamp', 'datetime'),
  find: (text) => {
    const header = labelled(text, ['date', 'sent', 'time']);
    const date = firstDate(header) ?? firstDate(text);
    return [date && `${date}T${timeOfDay(header ?? text) ?? '00:00:00'}Z`];
  },
  otherwise: ({ random }) => `2026-0${1 + random.below(9)}-${10 + random.below(19)}T12:00:00Z`,
};

const timeKind: Kind = {
  formats: ['time'],
  fits: () => false,
  find: (text) => [timeOfDay(text)].map((time) => time && `${time}Z`),
  otherwise: () => '12:00:00Z',
};

const urlKind: Kind = {
  formats: ['uri', 'uri-reference', 'url'],
  fits: names('url', 'link', 'website', 'uri'),
  find: (text) => urls(text),
  otherwise: () => 'https://example.com/',
};

const uuidKind: Kind = {
  formats: ['uuid'],
  fits: names('uuid'),
  find: (text) => /\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/i.exec(text) ?? [],
  otherwise: ({ random }) => {
    const digits = hex(hashOf(random.next())).slice(0, 12);
    return `${digits.slice(0, 8)}-${digits.slice(8)}-4${digits.slice(1, 4)}-8${digits.slice(4, 7)}-${digits}`;
  },
};

const phoneKind: Kind = {
  fits: names('phone', 'telephone', 'mobile', 'tel', 'fax'),
  find: (text) => phones(text),
  otherwise: () => '+1 555 0100',
};

const languageKind: Kind = {
  fits: names('language', 'lang', 'locale'),
  find: (text, { description, words }) => {
    const code = languageOf(text);
    return /iso|code|letter/i.test(description) || !words.includes('language') ? [code] : [languageName(text), code];
  },
  otherwise: () => 'en',
};

const codeKind: Kind = {
  fits: names('number', 'id', 'code', 'reference', 'ref', 'sku', 'no', 'order', 'invoice', 'case', 'serial'),
  find: (text, { words, description }) => {
    const prefix = /\b([A-Z]{2,6})-/.exec(description)?.[1];
    const headed = labelled(text, [words.join(' ')]);
    const found = codes(text);
    if (prefix !== undefined) return found.filter((code) => code.toUpperCase().startsWith(prefix));
    return [headed, ...found];
  },
  otherwise: () => 'unknown',
};

const subjectKind: Kind = {
  fits: names('subject', 'title', 'headline', 'heading'),
  find: (text, hint) => {
    const headed = labelled(text, ['subject', 'title', 'betreff', 're']);
    if (headerOnly(hint, 'subject')) return [headed ?? ''];
    return [headed === '' ? undefined : headed, sentences(text)[0] && shorten(sentences(text)[0] ?? '', 80)];
  },
  otherwise: () => 'No subject',
};

const summaryKind: Kind = {
  fits: names(
    'summary',
    'description',
    'reason',
    'explanation',
    'abstract',
    'gist',
    'comment',
    'note',
    'rationale',
    'answer',
  ),
  find: (text) => [summaryOf(text)],
  otherwise: () => 'The text has nothing that could be read.',
};

const personKind: Kind = {
  fits: names('sender', 'author', 'name', 'customer', 'person', 'contact', 'writer', 'from', 'recipient'),
  find: (text, hint) => {
    if (!headerOnly(hint, 'from')) return [labelled(text, [hint.words.join(' ')]), writer(text)];
    return [headerName(labelled(text, ['from']) ?? '')];
  },
  otherwise: () => 'Unknown',
};

/** Anything else: a line that begins with the name, a sentence that has it, what stands out. */
const otherKind: Kind = {
  fits: () => true,
  find: (text, { words }) => {
    const name = words.join(' ');
    const sentence = sentences(text).find((one) => name !== '' && one.toLowerCase().includes(name));
    const said = name === '' ? null : new RegExp(`\\b${name} (?:is|was|are|=) ([^.,;\\n]{1,60})`, 'i').exec(text);
    return [labelled(text, [name]), said?.[1], sentence, keywords(text)[0]];
  },
  otherwise: () => 'unknown',
};

/** Formats that nobody reads out of a text. */
const PLAIN_FORMATS: Readonly<Record<string, string>> = {
  duration: 'P1D',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
};

function kindOf(hint: Hint): Kind {
  const { format } = hint;
  if (format === '') return KINDS.find(({ fits }) => fits(hint)) ?? otherKind;
  const plain = PLAIN_FORMATS[format];
  if (plain !== undefined) return { fits: () => true, find: () => [], otherwise: () => plain };
  return KINDS.find(({ formats }) => formats?.includes(format)) ?? otherKind;
}

const KINDS: readonly Kind[] = [
  emailKind,
  dateKind,
  momentKind,
  timeKind,
  urlKind,
  uuidKind,
  phoneKind,
  languageKind,
  summaryKind,
  subjectKind,
  codeKind,
  personKind,
];

/** The sentence that says most, without its greeting. */
export function summaryOf(text: string): string | undefined {
  const greeting =
    /^(?:hello|hi|hey|dear [^,!]{1,40}|good (?:morning|day|evening)|hallo|guten tag|bonjour|hola|dzień dobry|merhaba|ciao|olá)[ ,!.-]+(?=\S)/i;
  const found = sentences(text).map((one) => one.replace(greeting, ''));
  const telling = found.find((one) => one.length >= 20) ?? found[0] ?? labelled(text, ['subject']);
  return telling === undefined
    ? undefined
    : shorten(
        telling.replace(/^\p{Ll}/u, (first) => first.toUpperCase()),
        200,
      );
}

/** Whether the schema takes the text. */
function takes(schema: JsonObject, text: string): boolean {
  const pattern = textOf(schema, 'pattern');
  const length = [...text].length;
  if (length < (numberOf(schema, 'minLength') ?? 0) || length > (numberOf(schema, 'maxLength') ?? Infinity))
    return false;
  return pattern === '' || regexOf(pattern)?.test(text) !== false;
}

/** The text made to fit the schema's lengths. */
function fitted(schema: JsonObject, text: string): string {
  const least = numberOf(schema, 'minLength') ?? 0;
  return shorten(text.padEnd(least, '.'), numberOf(schema, 'maxLength') ?? Infinity);
}

/** A string for a place: what the text has of it, else something that fits. */
export function stringFor({ name, schema }: Place, source: Source): Found<string> {
  const hint: Hint = {
    words: nameWords(name),
    format: textOf(schema, 'format'),
    description: textOf(schema, 'description'),
  };
  const kind = kindOf(hint);
  for (const found of kind.find(source.text, hint)) {
    if (found === undefined) continue;
    const value = [found, fitted(schema, oneLine(found))].find((text) => takes(schema, text));
    if (value !== undefined) return { value, evident: true };
  }
  const word = kind.otherwise(source, hint);
  const made = [word, fitted(schema, word)].find((text) => takes(schema, text));
  const value = made ?? textFor(textOf(schema, 'pattern'), source.random) ?? fitted(schema, word);
  return { value, evident: false };
}
