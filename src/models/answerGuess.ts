import { isJsonObject, type Json, type JsonObject } from '../task/json.js';

/** Elements an array is thought to have when the schema sets no bounds. */
const USUAL_ELEMENTS = 3;

/** Levels below which nothing more is guessed: a schema may contain itself. */
const MAX_DEPTH = 8;

/** A text of usual length: what names, titles and short remarks come to. */
const USUAL_TEXT = 'A short answer in about ten words of plain English.';

const FORMATS: Readonly<Record<string, string>> = {
  date: '2026-01-31',
  time: '12:30:00',
  'date-time': '2026-01-31T12:30:00Z',
  email: 'someone.else@example.com',
  uri: 'https://www.example.com/path/page',
  uuid: '7f3d1c1e-6a52-4a6f-9f3c-2f1b8f0f6a11',
};

/**
 * An answer as it may look, made of a JSON Schema alone: every property, arrays of three, texts of ten words unless
 * the schema says how long they are. Its length is the guess for answers nobody has seen yet.
 */
export function guessAnswer(schema: JsonObject): Json {
  return guess(schema, schema, 0);
}

function guess(node: Json | undefined, root: JsonObject, depth: number): Json {
  if (!isJsonObject(node) || depth > MAX_DEPTH) return null;
  const { enum: choices, type } = node;
  if (node['const'] !== undefined) return node['const'];
  if (Array.isArray(choices)) return middle(choices);
  const reference = node['$ref'];
  if (typeof reference === 'string') return guess(resolved(reference, root), root, depth + 1);
  for (const key of ['anyOf', 'oneOf']) {
    const options = node[key];
    if (Array.isArray(options))
      return guess(
        options.find((option) => !isNull(option)),
        root,
        depth + 1,
      );
  }
  const name = Array.isArray(type) ? type.find((one) => one !== 'null') : type;
  switch (name) {
    case 'string':
      return text(node);
    case 'integer':
      return 12;
    case 'number':
      return 12.5;
    case 'boolean':
      return true;
    case 'array':
      return Array.from({ length: elements(node) }, () => guess(node['items'], root, depth + 1));
    case 'object':
    case undefined:
      return properties(node, root, depth);
    default:
      return null;
  }
}

function properties({ properties: known }: JsonObject, root: JsonObject, depth: number): Json {
  if (!isJsonObject(known)) return {};
  return Object.fromEntries(Object.entries(known).map(([key, value]) => [key, guess(value, root, depth + 1)]));
}

function isNull(option: Json): boolean {
  return isJsonObject(option) && option['type'] === 'null';
}

/** The choice of middle length. */
function middle(choices: readonly Json[]): Json {
  const sorted = [...choices].sort((a, b) => JSON.stringify(a).length - JSON.stringify(b).length);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

function text({ format, minLength, maxLength }: JsonObject): string {
  const usual = (typeof format === 'string' ? FORMATS[format] : undefined) ?? USUAL_TEXT;
  const least = typeof minLength === 'number' ? minLength : 0;
  const most = typeof maxLength === 'number' ? maxLength : Infinity;
  const length = Math.min(Math.max(usual.length, least), most);
  return usual.repeat(Math.ceil(length / usual.length)).slice(0, length);
}

function elements({ minItems, maxItems }: JsonObject): number {
  const least = typeof minItems === 'number' ? minItems : 0;
  const most = typeof maxItems === 'number' ? maxItems : Infinity;
  return Math.min(Math.max(USUAL_ELEMENTS, least), most, 1000);
}

/** What `#/$defs/name` points to. */
function resolved(reference: string, root: JsonObject): Json | undefined {
  let node: Json | undefined = root;
  for (const key of reference.split('/').slice(1)) {
    node = isJsonObject(node) ? node[key.replace(/~1/g, '/').replace(/~0/g, '~')] : undefined;
  }
  return node;
}
