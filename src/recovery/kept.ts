import type { JsonObject } from '../task/json.js';
import type { Issue } from '../task/outcome.js';
import { countLeaves, getAt } from './paths.js';

/** Code of the issue "the reply could not be read as JSON": it says nothing of any field. */
export const NOT_JSON = 'not_json';

/** Codes of issues about a key that nobody asked for: leaving it out is all that is needed. */
const EXTRA_KEY = new Set(['additionalProperties', 'unevaluatedProperties', 'unrecognized_keys']);

/** True when the issue is about a key that nobody asked for. */
export function isExtra({ code }: Issue): boolean {
  return EXTRA_KEY.has(code);
}

/** True when the issue names a part of the answer that must be asked for again. */
export function isFailedPart(issue: Issue): boolean {
  return issue.code !== NOT_JSON && !isExtra(issue);
}

/** What of an answer can be kept, and what was wrong with the rest. */
export interface Kept {
  /** Valid fields; null when there are none, or when they are elsewhere (`keptRef`). */
  readonly kept: JsonObject | null;
  /** Prompt whose journal row holds the kept fields. */
  readonly keptRef: number | null;
  /** What was wrong; one issue for each part that failed. */
  readonly issues: readonly Issue[];
}

/** True when there are valid fields. */
export function hasKept({ kept, keptRef }: Pick<Kept, 'kept' | 'keptRef'>): boolean {
  return keptRef !== null || (kept !== null && Object.keys(kept).length > 0);
}

/** Valid values in kept fields; a place left empty in an array is none. */
function validLeaves(kept: JsonObject | null, issues: readonly Issue[]): number {
  if (kept === null || Object.keys(kept).length === 0) return 0;
  const holes = issues.filter(
    (issue) => isFailedPart(issue) && issue.path.length > 0 && getAt(kept, issue.path) !== undefined,
  );
  return countLeaves(kept) - holes.length;
}

/**
 * Whether asking only for the failed parts makes sense: something is kept, the fault can be located, and no more parts
 * failed than values are valid. Otherwise the whole answer is asked for again.
 */
export function partialHelps(state: Kept): boolean {
  if (!hasKept(state)) return false;
  const failed = state.issues.filter(isFailedPart);
  if (failed.length === 0 || failed.some(({ path }) => path.length === 0)) return false;
  // Kept fields that wait in the journal are big: whatever failed is small beside them.
  return state.keptRef !== null || failed.length <= validLeaves(state.kept, failed);
}

/** The better of two: the one with more valid values, the newer when they are equal. */
export function better(older: Kept, newer: Kept): Kept {
  if (!hasKept(newer)) return hasKept(older) ? older : newer;
  if (!hasKept(older)) return newer;
  if (older.keptRef === null && newer.keptRef === null) {
    const gain = validLeaves(newer.kept, newer.issues) - validLeaves(older.kept, older.issues);
    return gain >= 0 ? newer : older;
  }
  return newer.issues.length <= older.issues.length ? newer : older;
}
