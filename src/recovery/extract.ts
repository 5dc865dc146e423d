import { isJsonObject, type Json, parseJson } from '../task/json.js';
import type { Extraction } from './types.js';

/** Deeper nesting is taken for garbage: no answer needs it, and it would exhaust the stack of whoever walks it. */
const MAX_DEPTH = 256;

/** The kind of value a schema's root wants; `any` for scalars and for schemas that do not say. */
export type WantedRoot = 'object' | 'array' | 'any';

/**
 * Reads the JSON value out of a model's text: the whole text, else the first fenced block that is JSON, else the first
 * complete object or array in the prose, one of the wanted kind first. Nothing is repaired: a value that never closes
 * is `truncated`, one that is not JSON is `malformed`. Takes time linear in the text.
 */
export function extractJson(text: string, wanted: WantedRoot = 'any'): Extraction {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed === '') return { ok: false, reason: 'none', message: 'The answer is empty.' };
  const whole = parsed(trimmed);
  if (whole !== undefined) return { ok: true, value: whole, cleaned: false };
  const found = scan(trimmed);
  for (const values of [fenced(trimmed), found.values]) {
    const best = values.find((value) => isWanted(value, wanted));
    if (best !== undefined) return { ok: true, value: best, cleaned: true };
  }
  // A value that breaks off may be the one that was asked for: nothing before it may stand in for it.
  if (found.truncated) return { ok: false, reason: 'truncated', message: 'The JSON breaks off before its end.' };
  const [other] = found.values;
  if (other !== undefined) return { ok: true, value: other, cleaned: true };
  if (found.malformed !== null) return { ok: false, reason: 'malformed', message: found.malformed };
  return { ok: false, reason: 'none', message: 'There is no JSON in the answer.' };
}

function isWanted(value: Json, wanted: WantedRoot): boolean {
  switch (wanted) {
    case 'object':
      return isJsonObject(value);
    case 'array':
      return Array.isArray(value);
    case 'any':
      return true;
  }
}

function parsed(text: string): Json | undefined {
  if (deepest(text) > MAX_DEPTH) return undefined;
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** An upper bound of the nesting: brackets in texts count too, so only odd answers are examined further for nothing. */
function deepest(text: string): number {
  let depth = 0;
  let most = 0;
  let inText = false;
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i];
    if (inText) {
      if (char === '\\') i += 1;
      else if (char === '"') inText = false;
    } else if (char === '"') inText = true;
    else if (char === '{' || char === '[') most = Math.max(most, (depth += 1));
    else if (char === '}' || char === ']') depth -= 1;
  }
  return most;
}

/** Fenced blocks whose whole content is JSON, in order. */
function fenced(text: string): readonly Json[] {
  const blocks = text.split(/^[ \t]*```[^\n`]*$/m).filter((_, i) => i % 2 === 1);
  return blocks.map((block) => parsed(block.trim())).filter((value) => value !== undefined);
}

interface Scan {
  /** Complete top-level objects and arrays, in order. */
  readonly values: readonly Json[];
  /** The text ends inside a value. */
  readonly truncated: boolean;
  /** What is wrong with the first value that is not JSON. */
  readonly malformed: string | null;
}

/** Goes through the text once, from value to value. */
function scan(text: string): Scan {
  const values: Json[] = [];
  let malformed: string | null = null;
  let at = 0;
  for (;;) {
    const start = nextStart(text, at);
    if (start === -1) return { values, truncated: false, malformed };
    const end = closing(text, start);
    if (end === 'open') return { values, truncated: true, malformed };
    const slice = text.slice(start, end.at);
    const value = end.matched ? parsed(slice) : undefined;
    if (value === undefined) malformed ??= `This is not JSON: ${slice.slice(0, 80)}`;
    else values.push(value);
    // Brackets that don't match: what follows may be a piece of the same broken value.
    if (!end.matched) return { values, truncated: false, malformed };
    at = end.at;
  }
}

/** Position of the next bracket that may open JSON: brackets in prose are followed by something else. */
function nextStart(text: string, from: number): number {
  const opening = /\{\s*(?:["}]|$)|\[\s*(?:["{[\]]|-?\d|(?:true|false|null)\b|$)/g;
  opening.lastIndex = from;
  return opening.exec(text)?.index ?? -1;
}

/** Where the value that opens at `start` closes, with texts skipped; `open` when it never does. */
function closing(text: string, start: number): { readonly at: number; readonly matched: boolean } | 'open' {
  const open: string[] = [];
  const token = /["{}[\]]/g;
  token.lastIndex = start;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const [char] = found;
    if (char === '"') {
      const end = endOfText(text, found.index + 1);
      if (end === -1) return 'open';
      token.lastIndex = end + 1;
    } else if (char === '{' || char === '[') open.push(char === '{' ? '}' : ']');
    else if (open.pop() !== char) return { at: found.index + 1, matched: false };
    if (open.length === 0) return { at: found.index + 1, matched: true };
  }
  return 'open';
}

/** Position of the quote that ends a text. */
function endOfText(text: string, from: number): number {
  for (let i = from; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '"') return i;
  }
  return -1;
}
