import { isJsonObject, type Json, type JsonObject } from '../task/json.js';

/** Where in an answer: keys and array positions from the root; empty for the root itself. */
export type Path = readonly (string | number)[];

/** The value at `path`, or undefined. A position may come as text (`"1"`): partial answers name elements so. */
export function getAt(value: Json, path: Path): Json | undefined {
  let at: Json | undefined = value;
  for (const key of path) {
    if (Array.isArray(at)) at = Object.hasOwn(at, key) ? at[Number(key)] : undefined;
    else if (isJsonObject(at)) at = Object.hasOwn(at, key) ? at[String(key)] : undefined;
    else return undefined;
  }
  return at;
}

/** A copy of `value` with `part` at `path`; missing objects on the way are made. Arrays grow by nulls. */
export function setAt(value: Json | undefined, path: Path, part: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return part;
  if (Array.isArray(value)) {
    const position = Number(key);
    const filled: Json[] = [...value, ...Array<null>(Math.max(0, position - value.length)).fill(null)];
    filled[position] = setAt(value[position], rest, part);
    return filled;
  }
  const object: JsonObject = isJsonObject(value) ? value : {};
  const name = String(key);
  const inner = Object.hasOwn(object, name) ? object[name] : undefined;
  // A computed key defines an own property even when it is "__proto__".
  return { ...object, [name]: setAt(inner, rest, part) };
}

/**
 * A copy of `value` without what is at `path`: a property is left out; an array's element becomes null, so that the
 * others keep their places. What does not exist is left alone; the root can't be left out.
 */
export function without(value: Json, path: Path): Json {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(value)) {
    const position = Number(key);
    const element = value[position];
    if (element === undefined) return value;
    return value.with(position, rest.length === 0 ? null : without(element, rest));
  }
  if (!isJsonObject(value) || !Object.hasOwn(value, String(key))) return value;
  const name = String(key);
  if (rest.length === 0) return Object.fromEntries(Object.entries(value).filter(([other]) => other !== name));
  const inner = value[name];
  return inner === undefined ? value : { ...value, [name]: without(inner, rest) };
}

/** `address.lines[0]`, as people and models read it; `the answer` for the root. */
export function pathText(path: Path): string {
  if (path.length === 0) return 'the answer';
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

/** Values in `value` that hold no others: texts, numbers, booleans, nulls and empty containers. */
export function countLeaves(value: Json): number {
  let leaves = 0;
  const open: Json[] = [value];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const inner = typeof at === 'object' && at !== null ? Object.values(at) : [];
    if (inner.length === 0) leaves += 1;
    else for (const child of inner) open.push(child);
  }
  return leaves;
}
