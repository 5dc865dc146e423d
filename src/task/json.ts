/** Any JSON value: what can be stored, hashed and sent as a Temporal payload without loss. */
export type Json = null | boolean | number | string | Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  /** A property. */
  [key: string]: Json;
}

/** True for a plain JSON object (not null, not an array). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `JSON.parse`, with the type it has. Throws SyntaxError. */
export function parseJson(text: string): Json {
  const parse: (text: string) => Json = JSON.parse;
  return parse(text);
}

/** The first place in a value that JSON can't hold, or the value as JSON. */
export type AsJson =
  | { readonly ok: true; readonly value: Json }
  /** `at` is like `a.b.0`, empty for the root; `what` is like `a function`. */
  | { readonly ok: false; readonly at: string; readonly what: string };

/**
 * A value that user code made, as JSON: dates and whatever else has `toJSON` are turned, undefined properties are left
 * out as `JSON.stringify` would. What would be lost in silence (functions, NaN, bigint, maps, sets) is refused.
 */
export function asJson(value: unknown, at = '', depth = 0): AsJson {
  const refused = (what: string): AsJson => ({ ok: false, at, what });
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return { ok: true, value };
    case 'number':
      return Number.isFinite(value) ? { ok: true, value } : refused(String(value));
    case 'object':
      if (value === null) return { ok: true, value };
      if (depth > MAX_DEPTH) return refused('nested too deep, or contains itself');
      return objectAsJson(value, at, depth + 1);
    case 'undefined':
    case 'bigint':
    case 'symbol':
    case 'function':
      return refused(typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`);
  }
}

/** Deeper than this, a value is taken for one that contains itself. */
const MAX_DEPTH = 500;

function objectAsJson(value: object, at: string, depth: number): AsJson {
  if (value instanceof Date && Number.isNaN(value.getTime())) return { ok: false, at, what: 'an invalid date' };
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    const text: string | undefined = JSON.stringify(value);
    return typeof text === 'string' ? { ok: true, value: parseJson(text) } : { ok: false, at, what: 'not JSON' };
  }
  const inner = (key: string | number) => (at === '' ? String(key) : `${at}.${key}`);
  if (Array.isArray(value)) {
    const elements: Json[] = [];
    for (const [i, element] of value.entries()) {
      const made = asJson(element, inner(i), depth);
      if (!made.ok) return made;
      elements.push(made.value);
    }
    return { ok: true, value: elements };
  }
  if (value instanceof Map || value instanceof Set) return { ok: false, at, what: `a ${value.constructor.name}` };
  const entries: [string, Json][] = [];
  for (const [key, property] of Object.entries(value)) {
    if (property === undefined) continue;
    const made = asJson(property, inner(key), depth);
    if (!made.ok) return made;
    entries.push([key, made.value]);
  }
  return { ok: true, value: Object.fromEntries(entries) };
}
