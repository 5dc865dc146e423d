import type { z } from 'zod';
import type { Json } from '../task/json.js';
import type { Issue } from '../task/outcome.js';
import { likelyBranch, WRONG_LITERAL } from './branches.js';
import { getAt, type Path } from './paths.js';

/** zod's issues about `value` as ours, each at the place that must be asked for again. */
export function issuesOfZod(issues: readonly z.core.$ZodIssue[], value: Json, base: Path = []): readonly Issue[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))];
    switch (issue.code) {
      case 'unrecognized_keys':
        return issue.keys.map((key) => ({ path: [...path, key], message: 'is not asked for', code: issue.code }));
      case 'invalid_union': {
        const branches = issue.errors.map((errors) => issuesOfZod(errors, value, path));
        const likely = branches.length === 0 ? undefined : likelyBranch(branches, path);
        return likely ?? [{ path, message: unionMessage(issue, branches, path, value), code: issue.code }];
      }
      case 'invalid_key': {
        // A wrong key can't be asked for by its name: the object that has it can.
        const [inner] = issue.issues;
        const message = `its key "${String(path.at(-1))}" is not allowed: ${inner?.message ?? issue.message}`;
        return [{ path: path.slice(0, -1), message, code: issue.code }];
      }
      case 'invalid_value': {
        const code = issue.values.length === 1 ? WRONG_LITERAL : issue.code;
        return [{ path, message: messageOf(issue, path, value), code }];
      }
      default:
        return [{ path, message: messageOf(issue, path, value), code: issue.code }];
    }
  });
}

function messageOf(issue: z.core.$ZodIssue, path: Path, value: Json): string {
  const text = issue.message.replace(/^Invalid (?:input|option): /, '').replace(/, received undefined$/, '');
  return getAt(value, path) === undefined ? `is missing: ${text}` : text;
}

function unionMessage(
  issue: z.core.$ZodIssue,
  branches: readonly (readonly Issue[])[],
  path: Path,
  value: Json,
): string {
  if (branches.length === 0) return messageOf(issue, path, value);
  const told = branches.map((issues) => issues.map(({ message }) => message).join(' and '));
  const what = getAt(value, path) === undefined ? 'is missing' : 'fits none of the allowed forms';
  return `${what}: ${[...new Set(told)].join('; or ')}`;
}
