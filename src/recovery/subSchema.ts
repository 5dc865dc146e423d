import { isJsonObject, type Json, type JsonObject } from '../task/json.js';
import type { Issue } from '../task/outcome.js';
import { isFailedPart } from './kept.js';
import type { Path } from './paths.js';
import { selfContained } from './schemaRefs.js';
import { childSchema, facetsOf } from './schemaWalk.js';

/** What a partial prompt asks for. */
export interface PartialPlan {
  /**
   * Schema of the failed parts alone: objects as in the answer, all keys required, no others allowed. Elements of an
   * array are asked for as an object with their positions (`"0"`) as keys.
   */
  readonly schema: JsonObject;
  /** The parts asked for, from the answer's root. None lies in another. */
  readonly paths: readonly Path[];
}

/**
 * The smallest schema that asks for what `kept` lacks, by the issues' paths. A part whose own schema can't be told (in a
 * union that is open, or made by `if` and the like) is asked for with what encloses it; null when that is the whole
 * answer, or there is nothing to ask.
 */
export function planPartial(schema: JsonObject, kept: JsonObject, issues: readonly Issue[]): PartialPlan | null {
  const failed = issues.filter(isFailedPart).map(({ path }) => path);
  if (failed.length === 0) return null;
  const part = ask(schema, failed, kept, schema);
  if (part === undefined || !isJsonObject(part.schema) || part.paths.some((path) => path.length === 0)) return null;
  const whole = selfContained(part.schema, schema);
  return whole === undefined ? null : { schema: whole, paths: part.paths };
}

interface Part {
  readonly schema: Json;
  /** Relative to the part's own place. */
  readonly paths: readonly Path[];
}

/** The schema that asks for `paths` within a node; undefined when the node must be asked for as a whole. */
function ask(node: Json, paths: readonly Path[], value: Json | undefined, root: JsonObject): Part | undefined {
  if (paths.some((path) => path.length === 0)) return undefined;
  const facets = facetsOf(node, value, root);
  if (facets === undefined) return undefined;
  const inArray = Array.isArray(value);
  const properties: [string, Json][] = [];
  const asked: Path[] = [];
  for (const [key, inner] of byFirstKey(paths)) {
    const child = childSchema(facets, key, inArray);
    if (child === undefined) return undefined;
    const part = ask(child, inner, memberOf(value, key), root) ?? { schema: child, paths: [[]] };
    properties.push([String(key), part.schema]);
    asked.push(...part.paths.map((path) => [key, ...path]));
  }
  return { schema: objectOf(properties, facets), paths: asked };
}

function byFirstKey(paths: readonly Path[]): ReadonlyMap<string | number, readonly Path[]> {
  const groups = new Map<string | number, Path[]>();
  for (const [key, ...rest] of paths) {
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [rest]);
    else group.push(rest);
  }
  return groups;
}

function memberOf(value: Json | undefined, key: string | number): Json | undefined {
  if (Array.isArray(value)) return value[Number(key)];
  return isJsonObject(value) && Object.hasOwn(value, String(key)) ? value[String(key)] : undefined;
}

function objectOf(properties: readonly (readonly [string, Json])[], facets: readonly JsonObject[]): JsonObject {
  const description = facets.map((facet) => facet['description']).find((text) => typeof text === 'string');
  return {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    properties: Object.fromEntries(properties),
    required: properties.map(([key]) => key),
    additionalProperties: false,
  };
}
