import type { ErrorObject } from 'ajv';
import type { Json, JsonObject } from '../task/json.js';
import { isJsonObject } from '../task/json.js';
import { compileSchema } from '../task/jsonSchema.js';
import type { Issue } from '../task/outcome.js';
import { likelyBranch } from './branches.js';
import { getAt, type Path } from './paths.js';
import { resolveRef, selfContained } from './schemaRefs.js';

/** Unions in unions looked into: deeper ones are wrong as a whole. */
const MAX_UNION_DEPTH = 4;

/** What is wrong with `value` by `schema`; empty when nothing is. */
export function issuesOfSchema(schema: JsonObject, value: Json): readonly Issue[] {
  return look({ schema, value, base: [], depth: 0 });
}

interface Look {
  /** The schema looked at now, self-contained. */
  readonly schema: JsonObject;
  readonly value: Json;
  /** Where `value` is in the answer. */
  readonly base: Path;
  readonly depth: number;
}

function look(at: Look): readonly Issue[] {
  const validate = compileSchema(at.schema);
  if (validate(at.value)) return [];
  const errors = validate.errors ?? [];
  const { schema: compiled } = validate;
  const root = isJsonObject(compiled) ? compiled : at.schema;
  const unions = errors.filter(isUnion);
  const branchErrors = new Set(unions.flatMap((union) => errorsOfBranches(union, errors, root)));
  return errors
    .filter((error) => !branchErrors.has(error))
    .flatMap((error) => (isUnion(error) ? unionIssues(error, at) : issueOf(error, at)));
}

function isUnion({ keyword }: ErrorObject): boolean {
  return keyword === 'anyOf' || keyword === 'oneOf';
}

/** The errors that a union's branches made: they are looked into one branch at a time. */
function errorsOfBranches(
  union: ErrorObject,
  errors: readonly ErrorObject[],
  root: JsonObject,
): readonly ErrorObject[] {
  const schemas = reachable(union.schema, root);
  const within = (error: ErrorObject) => `${error.instancePath}/`.startsWith(`${union.instancePath}/`);
  return errors.filter((error) => error !== union && within(error) && schemas.has(error.parentSchema));
}

/** Every schema in `from`, references followed. */
function reachable(from: unknown, root: JsonObject): ReadonlySet<unknown> {
  const seen = new Set<unknown>();
  const open: unknown[] = [from];
  while (open.length > 0) {
    const at = open.pop();
    if (typeof at !== 'object' || at === null || seen.has(at)) continue;
    seen.add(at);
    const members: readonly unknown[] = Object.values(at);
    open.push(...members);
    if ('$ref' in at && typeof at.$ref === 'string') open.push(resolveRef(at.$ref, root));
  }
  return seen;
}

function unionIssues(error: ErrorObject, at: Look): readonly Issue[] {
  const inner = pathOf(error.instancePath, at.value);
  const path = [...at.base, ...inner];
  const value = getAt(at.value, inner);
  const union: unknown = error.schema;
  const whole = [{ path, message: 'fits none of the allowed forms', code: error.keyword }];
  if (isMatchedTwice(error)) return [{ path, message: 'fits more than one of the allowed forms', code: error.keyword }];
  if (!Array.isArray(union) || value === undefined || at.depth >= MAX_UNION_DEPTH) return whole;
  const branches = union.map((branch): readonly Issue[] => {
    const schema = isJsonObject(branch) ? selfContained(branch, at.schema) : undefined;
    if (schema === undefined) return [{ path, message: 'is not allowed', code: 'type' }];
    return look({ schema, value, base: path, depth: at.depth + 1 });
  });
  const likely = likelyBranch(branches, path);
  if (likely !== undefined) return likely;
  const told = branches.map((issues) => issues.map((issue) => issue.message).join(' and '));
  return [
    { path, message: `fits none of the allowed forms: ${[...new Set(told)].join('; or ')}`, code: error.keyword },
  ];
}

function isMatchedTwice({ keyword, params }: ErrorObject): boolean {
  const facts: Readonly<Record<string, unknown>> = params;
  return keyword === 'oneOf' && Array.isArray(facts['passingSchemas']);
}

function issueOf(error: ErrorObject, { value, base }: Look): readonly Issue[] {
  const inner = pathOf(error.instancePath, value);
  const path = [...base, ...inner];
  const { keyword: code, message = 'is wrong' } = error;
  const params: Readonly<Record<string, unknown>> = error.params;
  // The key's own error is told by `propertyNames`, that of a branch by what is wrong in it.
  if (error.propertyName !== undefined || code === 'if') return [];
  const member = (name: string) => String(params[name]);
  switch (code) {
    case 'required':
    case 'dependentRequired':
    case 'dependencies':
      return [{ path: [...path, member('missingProperty')], message: 'is missing', code: 'required' }];
    case 'additionalProperties':
      return [{ path: [...path, member('additionalProperty')], message: 'is not asked for', code }];
    case 'unevaluatedProperties':
      return [{ path: [...path, member('unevaluatedProperty')], message: 'is not asked for', code }];
    case 'propertyNames':
      return [{ path, message: `its key "${member('propertyName')}" is not allowed`, code }];
    case 'enum':
      return [{ path, message: `must be one of ${listed(params['allowedValues'])}`, code }];
    case 'const':
      return [{ path, message: `must be ${JSON.stringify(params['allowedValue'])}`, code }];
    default:
      return [{ path, message, code }];
  }
}

function listed(values: unknown): string {
  return Array.isArray(values) ? values.map((value) => JSON.stringify(value)).join(', ') : 'the allowed values';
}

/** A JSON pointer as a path; what is a position and what a key, the value tells. */
function pathOf(pointer: string, value: Json): Path {
  const path: (string | number)[] = [];
  let at: Json | undefined = value;
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    const step: string | number = Array.isArray(at) ? Number(key) : key;
    path.push(step);
    at = at === undefined ? undefined : getAt(at, [step]);
  }
  return path;
}
