import { perObject, sharedText } from '../task/perObject.js';
import type { Json, JsonObject } from '../task/json.js';
import { isJsonObject } from '../task/json.js';

/**
 * Providers constrain an answer by a subset of JSON Schema. A schema is rewritten for the subset: keywords outside it
 * move into the description as words for the model, so the rewritten schema allows at least what the original does.
 * Answers are always validated against the original. A schema that cannot be said in the subset gives null: then the
 * model is asked by instruction.
 */
interface Subset {
  /** Keywords with a plain value that are kept as they are. */
  readonly plain: ReadonlySet<string>;
  /** String formats that are kept. */
  readonly formats: ReadonlySet<string>;
  /** Objects must be closed with `additionalProperties: false`. */
  readonly closed: boolean;
  /** Every property must be required. */
  readonly allRequired: boolean;
  /** `allOf` is understood. */
  readonly allOf: boolean;
  /** `minItems` works for 0 and 1 only. */
  readonly smallMinItems: boolean;
  /** `const` is not understood, a one-value `enum` is. */
  readonly constAsEnum: boolean;
  /** References may form a cycle. */
  readonly recursion: boolean;
}

const COMMON = ['type', 'title', 'description', 'enum', '$ref'];
const FORMATS = ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'];

const ANTHROPIC: Subset = {
  plain: new Set([...COMMON, 'const', 'required', 'default']),
  formats: new Set([...FORMATS, 'uri']),
  closed: true,
  allRequired: false,
  allOf: true,
  smallMinItems: true,
  constAsEnum: false,
  recursion: false,
};

const NUMBER_LIMITS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'];

const OPENAI_STRICT: Subset = {
  plain: new Set([...COMMON, ...NUMBER_LIMITS, 'const', 'required', 'pattern', 'minItems', 'maxItems']),
  formats: new Set(FORMATS),
  closed: true,
  allRequired: true,
  allOf: false,
  smallMinItems: false,
  constAsEnum: false,
  recursion: true,
};

const GEMINI: Subset = {
  plain: new Set([...COMMON, 'required', 'minItems', 'maxItems', 'minimum', 'maximum', 'propertyOrdering']),
  formats: new Set(['date-time', 'date', 'time']),
  closed: false,
  allRequired: false,
  allOf: false,
  smallMinItems: false,
  constAsEnum: true,
  recursion: true,
};

/** Keywords that change what a schema means in a way no subset can say, not even loosely. */
const INEXPRESSIBLE = [
  'not',
  'if',
  'patternProperties',
  'dependentSchemas',
  'dependentRequired',
  'unevaluatedProperties',
  '$dynamicRef',
];

/** Dialect and identity: they constrain nothing. */
const SILENT: ReadonlySet<string> = new Set(['$schema', '$id', '$comment', '$anchor', 'examples']);

/** Thrown and caught inside this file only: ends a rewrite from any depth. */
class Inexpressible extends Error {}

function rewriteMap(value: Json | undefined, subset: Subset): JsonObject {
  if (!isJsonObject(value)) throw new Inexpressible();
  return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, rewrite(schema, subset)]));
}

function rewriteList(value: Json, subset: Subset): Json[] {
  if (!Array.isArray(value)) throw new Inexpressible();
  return value.map((schema) => rewrite(schema, subset));
}

function isObjectSchema(schema: JsonObject): boolean {
  const { type } = schema;
  return 'properties' in schema || type === 'object' || (Array.isArray(type) && type.includes('object'));
}

/** The object keywords; throws where closing the object would forbid what the schema is for. */
function rewriteObject(schema: JsonObject, subset: Subset): JsonObject {
  const properties = schema['properties'] === undefined ? {} : rewriteMap(schema['properties'], subset);
  const additional = schema['additionalProperties'];
  if (!subset.closed) {
    const rest =
      additional === undefined
        ? {}
        : { additionalProperties: isJsonObject(additional) ? rewrite(additional, subset) : additional };
    return { properties, ...rest };
  }
  if (isJsonObject(additional) || (additional === true && Object.keys(properties).length === 0)) {
    throw new Inexpressible();
  }
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  if (subset.allRequired && Object.keys(properties).some((name) => !required.includes(name))) throw new Inexpressible();
  return { properties, additionalProperties: false, ...(subset.allRequired ? { required } : {}) };
}

interface Kept {
  readonly result: JsonObject;
  readonly words: readonly string[];
}

/** One keyword: kept, rewritten, or turned into words. */
function rewriteKeyword(keyword: string, value: Json, subset: Subset): Kept {
  const keep = (kept: JsonObject): Kept => ({ result: kept, words: [] });
  switch (keyword) {
    case 'items':
      return keep({ items: rewrite(value, subset) });
    case 'prefixItems':
      return subset.closed ? asWords(keyword, value) : keep({ prefixItems: rewriteList(value, subset) });
    case 'anyOf':
    case 'oneOf':
      return keep({ anyOf: rewriteList(value, subset) });
    case 'allOf':
      if (!subset.allOf) throw new Inexpressible();
      return keep({ allOf: rewriteList(value, subset) });
    case '$defs':
    case 'definitions':
      return keep({ [keyword]: rewriteMap(value, subset) });
    case 'const':
      if (!subset.constAsEnum) return keep({ const: value });
      return typeof value === 'boolean' ? asWords(keyword, value) : keep({ enum: [value] });
    case 'format':
      return typeof value === 'string' && subset.formats.has(value) ? keep({ format: value }) : asWords(keyword, value);
    case 'minItems':
      if (subset.smallMinItems && (value === 0 || value === 1)) return keep({ minItems: value });
      break;
    default:
  }
  return subset.plain.has(keyword) ? keep({ [keyword]: value }) : asWords(keyword, value);
}

function asWords(keyword: string, value: Json): Kept {
  return { result: {}, words: [`${keyword}: ${JSON.stringify(value)}`] };
}

const OBJECT_KEYWORDS: ReadonlySet<string> = new Set(['properties', 'additionalProperties']);

function rewrite(value: Json, subset: Subset): Json {
  // `true` allows anything; there is no such schema in the closed subsets.
  if (!isJsonObject(value)) {
    if (subset.closed || typeof value !== 'boolean') throw new Inexpressible();
    return value;
  }
  if (INEXPRESSIBLE.some((keyword) => keyword in value)) throw new Inexpressible();
  // An empty schema allows anything too.
  if (subset.closed && Object.keys(value).every((keyword) => SILENT.has(keyword) || keyword === 'description')) {
    throw new Inexpressible();
  }
  const result: JsonObject = {};
  const words: string[] = [];
  for (const [keyword, content] of Object.entries(value)) {
    if (SILENT.has(keyword) || OBJECT_KEYWORDS.has(keyword)) continue;
    const kept = rewriteKeyword(keyword, content, subset);
    Object.assign(result, kept.result);
    words.push(...kept.words);
  }
  if (isObjectSchema(value)) Object.assign(result, rewriteObject(value, subset));
  if (words.length > 0) {
    const said = typeof result['description'] === 'string' ? `${result['description']} ` : '';
    result['description'] = `${said}{${words.join(', ')}}`;
  }
  return result;
}

/** Every `$ref` below a value. */
function refsIn(value: Json | undefined): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(refsIn);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, content]) =>
    key === '$ref' && typeof content === 'string' ? [content] : refsIn(content),
  );
}

/** Whether following references can come back to where it started, or leaves the document's own definitions. */
function isRecursive(schema: JsonObject): boolean {
  const definitions = new Map<string, Json>();
  for (const keyword of ['$defs', 'definitions']) {
    const group = schema[keyword];
    if (!isJsonObject(group)) continue;
    for (const [name, definition] of Object.entries(group)) definitions.set(`#/${keyword}/${name}`, definition);
  }
  const visit = (ref: string, path: readonly string[]): boolean => {
    if (path.includes(ref) || !definitions.has(ref)) return true;
    return refsIn(definitions.get(ref)).some((next) => visit(next, [...path, ref]));
  };
  return refsIn(schema).some((ref) => visit(ref, []));
}

function rewriteRoot(schema: JsonObject, subset: Subset): JsonObject | null {
  if (!subset.recursion && isRecursive(schema)) return null;
  try {
    const result = rewrite(schema, subset);
    return isJsonObject(result) ? result : null;
  } catch (error) {
    if (error instanceof Inexpressible) return null;
    throw error;
  }
}

/** A schema for Anthropic's `output_config.format`; null = ask by instruction. */
export const anthropicSchema = perObject((schema: JsonObject) => rewriteRoot(schema, ANTHROPIC));

/** A schema for Gemini's `responseJsonSchema`; null = ask by instruction. */
export const geminiSchema = perObject((schema: JsonObject) => rewriteRoot(schema, GEMINI));

/** A schema for OpenAI's `strict: true`; null = it does not qualify. */
export const openaiStrictSchema = perObject((schema: JsonObject) =>
  schema['type'] === 'object' ? rewriteRoot(schema, OPENAI_STRICT) : null,
);

/** A schema without its dialect, which servers reject or warn of. */
export const withoutDialect = perObject((schema: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(schema).filter(([keyword]) => keyword !== '$schema')),
);

/** The system prompt with the schema in words, for models and schemas without native structured output. */
export function withSchemaInstruction(instructions: string | undefined, schema: JsonObject): string {
  const ask =
    'Answer with one JSON value only, without code fences and without any other text. ' +
    `It must conform to this JSON Schema:\n${sharedText(withoutDialect(schema))}`;
  return instructions === undefined || instructions === '' ? ask : `${instructions}\n\n${ask}`;
}

/** A legal name for OpenAI's `json_schema.name`, from the schema's title. */
export function schemaName(schema: JsonObject): string {
  const title = typeof schema['title'] === 'string' ? schema['title'] : '';
  const name = title
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 64);
  return name === '' ? 'answer' : name;
}
