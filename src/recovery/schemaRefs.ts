import { isJsonObject, type Json, type JsonObject } from '../task/json.js';

/** Keywords whose values are data, not schemas. */
const DATA = new Set(['const', 'enum', 'default', 'examples']);

/** Keywords that are the root's alone. */
const NOT_CARRIED = new Set(['$defs', 'definitions', '$id', '$schema']);

/** What a `$ref` of `root` points to; undefined for references that are no JSON pointer into it. */
export function resolveRef(ref: string, root: JsonObject): Json | undefined {
  if (ref === '#') return root;
  if (!ref.startsWith('#/')) return undefined;
  let at: Json | undefined = root;
  for (const token of ref.slice(2).split('/')) {
    const key = decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(at)) at = at[Number(key)];
    else at = isJsonObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  }
  return at;
}

/**
 * A part of `root` as a schema of its own: everything its references reach comes along in `$defs`. Undefined when a
 * reference can't be followed.
 */
export function selfContained(part: JsonObject, root: JsonObject): JsonObject | undefined {
  const names = new Map<string, string>();
  const defs: JsonObject = {};
  const open: string[] = [];
  const nameOf = (ref: string): string => {
    const known = names.get(ref);
    if (known !== undefined) return known;
    const wanted = ref === '#' ? 'answer' : (ref.split('/').at(-1) ?? 'part').replaceAll(/[^A-Za-z0-9_-]/g, '_');
    const taken = new Set(names.values());
    const name = taken.has(wanted) ? `${wanted}_${names.size}` : wanted;
    names.set(ref, name);
    open.push(ref);
    return name;
  };
  const moved = redirected(part, (ref) => `#/$defs/${nameOf(ref)}`);
  for (let ref = open.pop(); ref !== undefined; ref = open.pop()) {
    const target = resolveRef(ref, root);
    if (target === undefined) return undefined;
    defs[nameOf(ref)] = redirected(withoutDefs(target), (inner) => `#/$defs/${nameOf(inner)}`);
  }
  if (!isJsonObject(moved)) return undefined;
  const dialect = root['$schema'] === undefined ? {} : { $schema: root['$schema'] };
  return { ...dialect, ...moved, ...(Object.keys(defs).length === 0 ? {} : { $defs: defs }) };
}

/** Definitions are carried one by one, as far as they are used; a second `$id` would be a second root. */
function withoutDefs(schema: Json): Json {
  if (!isJsonObject(schema)) return schema;
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !NOT_CARRIED.has(key)));
}

function redirected(schema: Json, redirect: (ref: string) => string): Json {
  if (Array.isArray(schema)) return schema.map((member) => redirected(member, redirect));
  if (!isJsonObject(schema)) return schema;
  const members = Object.entries(schema).map(([key, member]): [string, Json] => {
    if (key === '$ref' && typeof member === 'string') return [key, redirect(member)];
    return [key, DATA.has(key) ? member : redirected(member, redirect)];
  });
  return Object.fromEntries(members);
}
