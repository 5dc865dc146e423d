import { isJsonObject, parseJson, type Json, type JsonObject } from '../task/json.js';
import { prose, valueFor } from './answer/values.js';
import type { Source } from './answer/strings.js';

/** More of a record than this is not looked at. */
const MOST_TEXT = 40_000;

/** Places in a text at which a schema is looked for. */
const MOST_TRIES = 50;

/** What a model would say. Both are there for JSON, so that a fault can break the value. */
export interface Said {
  /** The text of the answer. */
  readonly text: string;
  /** The value it holds; undefined for an answer without a schema. */
  readonly value: Json | undefined;
}

/** Answers a prompt: the schema's fields are filled with what the record has. Always the same for the same source. */
export function answerFor(schema: JsonObject | undefined, source: Source): Said {
  const short = { ...source, text: source.text.slice(0, MOST_TEXT) };
  if (schema === undefined) return { text: prose(short), value: undefined };
  const value = valueFor(schema, short);
  return { text: JSON.stringify(value), value };
}

/** The JSON Schema that stands in instructions, where a model is asked for JSON in words; the last one counts. */
export function schemaInText(text: string): JsonObject | undefined {
  const starts = [...text.matchAll(/\{\s*"(?:type|\$schema|properties|anyOf|\$ref|\$defs|title|description)"/g)];
  let covered = -1;
  let found: JsonObject | undefined;
  for (const { index } of starts.slice(0, MOST_TRIES)) {
    if (index < covered) continue;
    const end = endOfObject(text, index);
    // A schema that was cut off: its parts are none.
    if (end === undefined) break;
    const value = parsed(text.slice(index, end));
    if (value === undefined) continue;
    covered = end;
    if (['properties', 'anyOf', '$ref', 'type'].some((key) => key in value)) found = value;
  }
  return found;
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value = parseJson(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    // Braces that are no JSON: an example in words, code.
    return undefined;
  }
}

/** Index behind the brace that closes the one at `start`. */
function endOfObject(text: string, start: number): number | undefined {
  let depth = 0;
  let quoted = false;
  for (let i = start; i < text.length; i += 1) {
    const sign = text[i];
    if (quoted) {
      if (sign === '\\') i += 1;
      else if (sign === '"') quoted = false;
    } else if (sign === '"') quoted = true;
    else if (sign === '{') depth += 1;
    else if (sign === '}') {
      depth -= 1;
      if (depth === 0) return i + 1;
    }
  }
  return undefined;
}
