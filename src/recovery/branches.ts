import type { Issue } from '../task/outcome.js';
import type { Path } from './paths.js';

/** Code of zod's issues where one single value is allowed: zod itself does not tell those from an enum's. */
export const WRONG_LITERAL = 'invalid_literal';

/** Codes of a value that is none of several allowed ones: perhaps a tag. */
const WRONG_CHOICE = new Set(['enum', 'invalid_value']);

/** Codes of a wrong type, and of a value that is not the only one allowed: most likely a branch's tag. */
const WRONG_TYPE = new Set(['type', 'invalid_type']);
const WRONG_TAG = new Set(['const', WRONG_LITERAL]);

/**
 * The issues of the one branch of a union that the answer was most likely meant to be: of the right type, with the
 * right tag, and the fewest issues. Undefined when two are equally likely: then the union as a whole is wrong.
 */
export function likelyBranch(branches: readonly (readonly Issue[])[], at: Path): readonly Issue[] | undefined {
  const ranked = branches.map((issues) => ({ issues, rank: rankOf(issues, at) }));
  const best = Math.min(...ranked.map(({ rank }) => rank));
  const candidates = ranked.filter(({ rank }) => rank === best).map(({ issues }) => issues);
  const likely = fewest(
    fewest(candidates, (issues) => issues.length),
    (issues) => choicesIn(issues, at),
  );
  const [only, second] = likely;
  return best === UNLIKELY || second !== undefined ? undefined : only;
}

/** Those with the lowest count. */
function fewest<T>(all: readonly T[], count: (one: T) => number): readonly T[] {
  const least = Math.min(...all.map(count));
  return all.filter((one) => count(one) === least);
}

function choicesIn(issues: readonly Issue[], at: Path): number {
  return issues.filter(({ path, code }) => path.length === at.length + 1 && WRONG_CHOICE.has(code)).length;
}

const UNLIKELY = 2;

/** 0: only parts of the value are wrong; 1: the value is of the right type; 2: it is something else. */
function rankOf(issues: readonly Issue[], at: Path): number {
  const whole = issues.filter(({ path }) => path.length === at.length);
  const tags = issues.filter(({ path, code }) => path.length === at.length + 1 && WRONG_TAG.has(code));
  if (tags.length > 0 || whole.some(({ code }) => WRONG_TYPE.has(code))) return UNLIKELY;
  return whole.length === 0 ? 0 : 1;
}
