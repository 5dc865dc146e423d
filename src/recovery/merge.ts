import type { Json, JsonObject } from '../task/json.js';
import { getAt, type Path, setAt } from './paths.js';

/** Kept fields with what a partial answer brought. */
export interface Merged {
  /** The whole answer so far. */
  readonly value: Json;
  /** Parts that were asked for and not answered. */
  readonly missing: readonly Path[];
}

/**
 * Puts the parts that were asked for into the kept fields. Whatever else the patch holds is ignored: a kept field is
 * never lost or changed.
 */
export function merge(kept: JsonObject, patch: Json, paths: readonly Path[]): Merged {
  const missing: Path[] = [];
  let value: Json = kept;
  for (const path of paths) {
    const part = getAt(patch, path);
    if (part === undefined) missing.push(path);
    else value = setAt(value, path, part);
  }
  return { value, missing };
}
