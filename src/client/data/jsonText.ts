import { isUtf8 } from 'node:buffer';
import { parseJson } from '../../task/json.js';
import { notUtf8, type ReadRecord } from './record.js';

/** Characters shown before and after the place of an error. */
const EXCERPT = 30;

/** Reads one JSON text. Integers JavaScript can't hold are kept as text, so that no digit is lost. */
export function readJson(bytes: Buffer, line: number): ReadRecord {
  if (!isUtf8(bytes)) return notUtf8(line);
  const text = bytes.toString('utf8');
  try {
    return { line, value: parseJson(/\d{16}/.test(text) ? withExactIntegers(text) : text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { line, ...notJson(text) };
  }
}

function notJson(text: string): { problem: string; remedy: string } {
  const at = findJsonError(text);
  const before = text.slice(0, at);
  const row = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  const where = row === 1 ? `column ${column}` : `column ${column} of the record's line ${row}`;
  const excerpt = text.slice(Math.max(0, at - EXCERPT), at + EXCERPT).replaceAll(/\s+/g, ' ');
  if (text.includes('\0')) {
    return { problem: `The text has NUL bytes (${where}).`, remedy: 'Save the file as UTF-8 text.' };
  }
  const what = at >= text.trimEnd().length ? 'The JSON ends too early' : 'This is not valid JSON';
  return { problem: `${what} at ${where}: ${excerpt}`, remedy: 'Write one whole JSON value for each record.' };
}

const LITERAL = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/y;
const SPACE = /[ \t\n\r]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** End of what `pattern` matches at `from`; `from` itself when it matches nothing. */
function skip(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
}

/** The end of the string that starts at `from`, or, negated, `-1 -` the place where it stops being one. */
function stringEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    const next = code === 0x5c ? skip(ESCAPE, text, at) : code < 0x20 ? at : at + 1;
    if (next === at) return -1 - at;
    at = next;
  }
  return -1 - text.length;
}

/** What may come next in a JSON text. */
type Want = 'value' | 'valueOrEnd' | 'key' | 'keyOrEnd' | 'colon' | 'commaOrEnd';

function start(): Want {
  return 'value';
}

/** Where a text that is not JSON stops being JSON: the offset of the first character that can't be there. */
function findJsonError(text: string): number {
  const open: string[] = [];
  let want = start();
  for (let at = skip(SPACE, text, 0); at < text.length; at = skip(SPACE, text, at)) {
    const char = text[at];
    const inside = open.at(-1);
    if (want === 'commaOrEnd' && inside === undefined) return at;
    const closes = inside === '{' ? '}' : ']';
    if (want !== 'value' && want !== 'key' && want !== 'colon' && char === closes) {
      open.pop();
      want = 'commaOrEnd';
      at += 1;
    } else if (want === 'colon' || want === 'commaOrEnd') {
      if (char !== (want === 'colon' ? ':' : ',')) return at;
      want = want === 'colon' || inside === '[' ? 'value' : 'key';
      at += 1;
    } else if (char === '"') {
      const end = stringEnd(text, at);
      if (end < 0) return -1 - end;
      want = want === 'key' || want === 'keyOrEnd' ? 'colon' : 'commaOrEnd';
      at = end;
    } else if (want === 'key' || want === 'keyOrEnd') {
      return at;
    } else if (char === '{' || char === '[') {
      open.push(char);
      want = char === '{' ? 'keyOrEnd' : 'valueOrEnd';
      at += 1;
    } else {
      const end = skip(LITERAL, text, at);
      if (end === at) return at;
      want = 'commaOrEnd';
      at = end;
    }
  }
  return text.length;
}

/** Puts integers beyond 2^53 in quotes; everything else stays as it is. */
function withExactIntegers(text: string): string {
  const parts: string[] = [];
  let copied = 0;
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      const end = stringEnd(text, at);
      if (end < 0) return text;
      at = end;
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      const end = skip(LITERAL, text, at);
      if (end === at) return text;
      const number = text.slice(at, end);
      if (/^-?\d+$/.test(number) && !Number.isSafeInteger(Number(number))) {
        parts.push(text.slice(copied, at), `"${number}"`);
        copied = end;
      }
      at = end;
    } else {
      at += 1;
    }
  }
  return parts.join('') + text.slice(copied);
}
