import { isJsonObject, parseJson, type Json, type JsonObject } from '../../task/json.js';

/** A schema that stands for one JSON type: references, unions and lists of types are resolved. */
export interface Variant {
  /** The type; `null` for the null of a nullable schema. */
  readonly type: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';
  /** The schema with its own keywords. */
  readonly schema: JsonObject;
}

const TYPES: readonly Variant['type'][] = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];

/** Deeper references than this are circles. */
const MAX_DEPTH = 32;

/** Follows `#/a/b` in the root schema. */
function target(ref: string, root: JsonObject): Json {
  let at: Json = root;
  for (const step of ref.replace(/^#\/?/, '').split('/')) {
    if (step === '') continue;
    const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    at = (Array.isArray(at) ? at[Number(key)] : isJsonObject(at) ? at[key] : undefined) ?? {};
  }
  return at;
}

function merged(a: JsonObject, b: JsonObject): JsonObject {
  const [p, q] = [a['properties'], b['properties']];
  const properties = isJsonObject(p) && isJsonObject(q) ? { properties: { ...p, ...q } } : {};
  const [r, s] = [a['required'], b['required']];
  const required = Array.isArray(r) && Array.isArray(s) ? { required: [...new Set([...r, ...s])] } : {};
  return { ...a, ...b, ...properties, ...required };
}

function without(schema: JsonObject, ...keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !keys.includes(key)));
}

function typeOf(value: Json): Variant['type'] {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (isJsonObject(value)) return 'object';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value === 'boolean' ? 'boolean' : 'string';
}

function impliedType(schema: JsonObject): Variant['type'] {
  if (isJsonObject(schema['properties'])) return 'object';
  if (schema['items'] !== undefined || schema['prefixItems'] !== undefined) return 'array';
  if (schema['minimum'] !== undefined || schema['maximum'] !== undefined) return 'number';
  return 'string';
}

/** Values of `enum` or `const`, by type. */
function enumerated(schema: JsonObject, values: readonly Json[]): readonly Variant[] {
  const types = [...new Set(values.map(typeOf))];
  return types.map((type) => ({ type, schema: { ...schema, enum: values.filter((value) => typeOf(value) === type) } }));
}

/** One keyword in words: `maxLength: 240`, `pattern: "^a"`. */
const WORDED = /\b(\w+): ("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false)/g;

/**
 * Schemas are rewritten for providers: keywords a provider does not know are put into the description, in braces at its
 * end. A model reads them there.
 */
function withWorded(schema: JsonObject): JsonObject {
  const said = /\{((?:\w+: )[^]*)\}\s*$/.exec(textOf(schema, 'description'))?.[1];
  if (said === undefined) return schema;
  const keywords = [...said.matchAll(WORDED)].map(([, keyword = '', value = '']): [string, Json] => [
    keyword,
    parseJson(value),
  ]);
  return { ...Object.fromEntries(keywords), ...schema };
}

/** The variants a schema allows, in its own order, null last. */
export function variantsOf(given: Json | undefined, root: JsonObject, depth = 0): readonly Variant[] {
  if (!isJsonObject(given) || depth > MAX_DEPTH) return [{ type: 'string', schema: {} }];
  const schema = withWorded(given);
  const ref = schema['$ref'];
  if (typeof ref === 'string') {
    const found = target(ref, root);
    return variantsOf(merged(isJsonObject(found) ? found : {}, without(schema, '$ref')), root, depth + 1);
  }
  const all = schema['allOf'];
  if (Array.isArray(all)) {
    const parts = all.filter(isJsonObject).map((part) => {
      const inner = part['$ref'];
      const found = typeof inner === 'string' ? target(inner, root) : part;
      return isJsonObject(found) ? found : {};
    });
    return variantsOf(parts.reduce(merged, without(schema, 'allOf')), root, depth + 1);
  }
  const any = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(any)) {
    const rest = without(schema, 'anyOf', 'oneOf');
    return nullLast(any.filter(isJsonObject).flatMap((part) => variantsOf(merged(rest, part), root, depth + 1)));
  }
  const nullable: readonly Variant[] = schema['nullable'] === true ? [{ type: 'null', schema }] : [];
  if (schema['const'] !== undefined) return enumerated(schema, [schema['const']]);
  if (Array.isArray(schema['enum'])) return nullLast([...enumerated(schema, schema['enum']), ...nullable]);
  const named = [schema['type']].flat().map((name) => (typeof name === 'string' ? name.toLowerCase() : ''));
  const types = TYPES.filter((type) => named.includes(type));
  const listed = types.length === 0 ? [impliedType(schema)] : types;
  return nullLast([...listed.map((type) => ({ type, schema })), ...nullable]);
}

function nullLast(variants: readonly Variant[]): readonly Variant[] {
  return [...variants.filter(({ type }) => type !== 'null'), ...variants.filter(({ type }) => type === 'null')];
}

/** A keyword's number, if it has one. */
export function numberOf(schema: JsonObject, keyword: string): number | undefined {
  const value = schema[keyword];
  // Gemini's own schema dialect writes 64-bit numbers as text.
  if (typeof value === 'string' && /^\d+$/.test(value)) return Number(value);
  return typeof value === 'number' ? value : undefined;
}

/** A keyword's text, empty if it has none. */
export function textOf(schema: JsonObject, keyword: string): string {
  const value = schema[keyword];
  return typeof value === 'string' ? value : '';
}
