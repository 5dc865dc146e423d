import { isJsonObject, type Json, type JsonObject } from '../task/json.js';
import { resolveRef } from './schemaRefs.js';

/** More references or unions in one place than this are a loop. */
const MAX_FACETS = 64;

/**
 * Every schema that applies at a place together: the node, what it refers to, the members of its `allOf`, and the one
 * branch of its unions that `value` can only mean. Undefined when a union leaves it open, or a reference leads nowhere.
 */
export function facetsOf(node: Json, value: Json | undefined, root: JsonObject): readonly JsonObject[] | undefined {
  const facets: JsonObject[] = [];
  const open: Json[] = [node];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at === true) continue;
    if (!isJsonObject(at) || facets.length >= MAX_FACETS) return undefined;
    facets.push(at);
    const { $ref, allOf, anyOf, oneOf } = at;
    if (typeof $ref === 'string') {
      const target = resolveRef($ref, root);
      if (target === undefined) return undefined;
      open.push(target);
    }
    if (Array.isArray(allOf)) open.push(...allOf);
    for (const union of [anyOf, oneOf]) {
      if (!Array.isArray(union)) continue;
      const fitting = union.filter((branch) => couldBe(branch, value, root));
      const [only] = fitting;
      if (only === undefined || fitting.length > 1) return undefined;
      open.push(only);
    }
  }
  return facets;
}

/** False when `value`, an answer with parts missing, can't be of this branch: another type, tag or unknown keys. */
function couldBe(branch: Json, value: Json | undefined, root: JsonObject): boolean {
  if (branch === true || value === undefined) return true;
  const facets = facetsOf(branch, value, root);
  return facets?.every((facet) => typeAllows(facet['type'], value) && tagsAllow(facet, value, root)) === true;
}

function typeAllows(type: Json | undefined, value: Json): boolean {
  if (type === undefined) return true;
  if (Array.isArray(type)) return type.some((one) => typeAllows(one, value));
  switch (type) {
    case 'object':
      return isJsonObject(value);
    case 'array':
      return Array.isArray(value);
    case 'null':
      return value === null;
    case 'integer':
      return typeof value === 'number';
    default:
      return typeof value === type;
  }
}

/** A union's branches are told apart by properties with fixed values, and by the keys they know. */
function tagsAllow(facet: JsonObject, value: Json, root: JsonObject): boolean {
  if (!isJsonObject(value)) return true;
  const properties = isJsonObject(facet['properties']) ? facet['properties'] : {};
  const closed = facet['additionalProperties'] === false && facet['patternProperties'] === undefined;
  return Object.entries(value).every(([key, member]) => {
    const schema = Object.hasOwn(properties, key) ? properties[key] : undefined;
    return schema === undefined ? !closed : mayEqual(schema, member, root);
  });
}

function mayEqual(schema: Json, value: Json, root: JsonObject): boolean {
  if (!isJsonObject(schema)) return schema === true;
  const target = typeof schema['$ref'] === 'string' ? resolveRef(schema['$ref'], root) : undefined;
  const fixed = isJsonObject(target) && target !== schema ? { ...target, ...schema } : schema;
  const text = JSON.stringify(value);
  if (fixed['const'] !== undefined) return JSON.stringify(fixed['const']) === text;
  const { enum: allowed } = fixed;
  return !Array.isArray(allowed) || allowed.some((one) => JSON.stringify(one) === text);
}

/** The schema of one property or element, from everything that applies; undefined when nothing says anything of it. */
export function childSchema(facets: readonly JsonObject[], key: string | number, inArray: boolean): Json | undefined {
  const found = facets.flatMap((facet) =>
    inArray ? elementSchemas(facet, Number(key)) : propertySchemas(facet, String(key)),
  );
  const useful = found.filter((schema) => schema !== true);
  if (found.length === 0 || useful.includes(false)) return undefined;
  return useful.length > 1 ? { allOf: useful } : (useful[0] ?? true);
}

function propertySchemas(facet: JsonObject, key: string): readonly Json[] {
  const { properties, patternProperties, additionalProperties } = facet;
  const own = isJsonObject(properties) && Object.hasOwn(properties, key) ? properties[key] : undefined;
  const patterns = isJsonObject(patternProperties) ? Object.entries(patternProperties) : [];
  const matching = patterns.filter(([pattern]) => new RegExp(pattern).test(key)).map(([, schema]) => schema);
  const named = own === undefined ? matching : [own, ...matching];
  return named.length > 0 || additionalProperties === undefined ? named : [additionalProperties];
}

function elementSchemas(facet: JsonObject, position: number): readonly Json[] {
  const { prefixItems, items, additionalItems } = facet;
  // Draft-07 writes a tuple as `items`, and its rest as `additionalItems`.
  const tuple = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : [];
  const rest = Array.isArray(items) ? additionalItems : items;
  const schema = tuple[position] ?? rest;
  return schema === undefined ? [] : [schema];
}
