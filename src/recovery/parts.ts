import { isJsonObject, type Json, type JsonObject } from '../task/json.js';
import type { Issue } from '../task/outcome.js';
import { isExtra } from './kept.js';
import { type Path, pathText, without } from './paths.js';

/** Parts asked for at once. More failed parts in one place are asked for together, as what encloses them. */
const MAX_PARTS = 20;

/** Characters of one issue's message. */
const MAX_MESSAGE_CHARS = 300;

/** An invalid answer, taken apart. */
export interface Split {
  /** What was wrong: one issue for each failed part, none within another; then keys that nobody asked for. */
  readonly issues: readonly Issue[];
  /**
   * The answer without its failed parts and foreign keys; a failed element of an array is null, so that the others keep
   * their places. Null when the answer is no object, failed as a whole, or nothing is left.
   */
  readonly kept: JsonObject | null;
}

/** Takes an invalid answer apart by its issues. */
export function split(value: Json, issues: readonly Issue[]): Split {
  const extras = issues.filter(isExtra);
  const parts = failedParts(issues.filter((issue) => !isExtra(issue)));
  const all = [...parts, ...extras];
  if (!isJsonObject(value) || parts.some(({ path }) => path.length === 0)) return { issues: all, kept: null };
  const left = all.reduce<Json>((rest, { path }) => without(rest, path), value);
  const some = isJsonObject(left) && Object.keys(left).length > 0;
  return { issues: all, kept: some ? left : null };
}

/** One issue for each failed part, none within another, at most {@link MAX_PARTS} where they can be put together. */
function failedParts(issues: readonly Issue[]): readonly Issue[] {
  let parts = folded(issues);
  for (let depth = deepest(parts); parts.length > MAX_PARTS && depth > 1; depth -= 1) {
    const level = depth;
    parts = folded(parts.map((issue) => (issue.path.length < level ? issue : raised(issue, level - 1))));
  }
  return parts.map((issue) => ({ ...issue, message: shortened(issue.message) }));
}

function deepest(issues: readonly Issue[]): number {
  return Math.max(0, ...issues.map(({ path }) => path.length));
}

/** The same issue, told of the place that encloses its own. */
function raised(issue: Issue, length: number): Issue {
  const inner = pathText(issue.path.slice(length));
  return { path: issue.path.slice(0, length), message: `${inner}: ${issue.message}`, code: issue.code };
}

/** Issues of one part in one, and those within another part in that. */
function folded(issues: readonly Issue[]): readonly Issue[] {
  const parts = new Map<string, Issue>();
  for (const issue of issues.toSorted((a, b) => a.path.length - b.path.length)) {
    const key = prefixes(issue.path).find((prefix) => parts.has(prefix));
    const outer = key === undefined ? undefined : parts.get(key);
    if (key === undefined || outer === undefined) {
      parts.set(JSON.stringify(issue.path.map(String)), issue);
      continue;
    }
    const told = issue.path.length === outer.path.length ? issue : raised(issue, outer.path.length);
    if (outer.message.length < MAX_MESSAGE_CHARS && !outer.message.includes(told.message)) {
      parts.set(key, { ...outer, message: `${outer.message}; ${told.message}` });
    }
  }
  return [...parts.values()];
}

/** Keys of a path and of everything that encloses it, outermost first. */
function prefixes(path: Path): readonly string[] {
  return [[], ...path.map((_, i) => path.slice(0, i + 1))].map((prefix) => JSON.stringify(prefix.map(String)));
}

function shortened(text: string): string {
  return text.length <= MAX_MESSAGE_CHARS ? text : `${text.slice(0, MAX_MESSAGE_CHARS - 1)}…`;
}
