import { isJsonObject, type Json, type JsonObject } from '../task/json.js';
import type { Issue, StageKind } from '../task/outcome.js';
import { extractJson, type WantedRoot } from './extract.js';
import { better, isExtra, NOT_JSON } from './kept.js';
import { merge } from './merge.js';
import { split } from './parts.js';
import { getAt } from './paths.js';
import { resolveRef } from './schemaRefs.js';
import { planPartial } from './subSchema.js';
import type { Validation } from './types.js';

/** An answer and what it is judged by. */
export interface AnswerInput {
  /** The model's text. */
  readonly text: string;
  /** What was asked for. */
  readonly kind: StageKind;
  /** Schema of the whole answer; absent for tasks whose answer is text. */
  readonly schema: JsonObject | undefined;
  /** Valid fields a partial prompt was to complete. */
  readonly kept: JsonObject | null;
  /** What was wrong with the answer they are from. */
  readonly issues: readonly Issue[];
  /** Checks a whole answer: its shape, then its meaning. */
  readonly validate: (value: Json) => Validation | Promise<Validation>;
}

/** The verdict on an answer. */
export type Assessment =
  | { readonly kind: 'valid'; readonly output: Json }
  | {
      readonly kind: 'invalid';
      /** At most about twenty; one for each failed part. */
      readonly issues: readonly Issue[];
      /** Valid fields, earlier ones included; null when there are none. */
      readonly kept: JsonObject | null;
    };

/**
 * Judges an answer: reads it, puts a partial one together with the kept fields, validates the whole, and takes what is
 * invalid apart. Valid fields are never lost: a partial answer that makes it worse leaves the kept ones as they were.
 */
export async function assessAnswer(answer: AnswerInput): Promise<Assessment> {
  const { schema, kept, issues, kind, text, validate } = answer;
  if (schema === undefined) return assessWhole(text.trim(), validate);
  const plan = kind === 'partial' && kept !== null ? planPartial(schema, kept, issues) : null;
  const read = extractJson(text, plan === null ? wantedRoot(schema) : 'object');
  if (plan === null || kept === null) {
    if (read.ok) return assessWhole(read.value, validate);
    if (read.reason === 'none' && text.trim() !== '' && takesText(schema)) return assessWhole(text.trim(), validate);
    return { kind: 'invalid', issues: [unread(read.message)], kept: null };
  }
  const before = { kind: 'invalid', issues: issues.filter(({ code }) => code !== NOT_JSON), kept } as const;
  if (!read.ok) return { ...before, issues: [unread(read.message), ...before.issues] };
  const merged = merge(kept, read.value, plan.paths);
  // A gap in an array could pass for a valid null.
  const gaps = merged.missing
    .filter((path) => getAt(merged.value, path) !== undefined)
    .map((path) => ({ path, message: 'is missing', code: 'required' }));
  const now = await assessWhole(merged.value, validate, gaps);
  return now.kind === 'valid' ? now : notWorse(before, now);
}

type Invalid = Extract<Assessment, { kind: 'invalid' }>;

function notWorse(before: Invalid, now: Invalid): Invalid {
  const ref = { keptRef: null };
  const best = better({ ...before, ...ref }, { ...now, ...ref });
  if (best.kept === now.kept) return now;
  // What is wrong with the whole is told too: no part can mend it.
  const whole = now.issues.filter(({ path }) => path.length === 0);
  return { ...before, issues: [...whole, ...before.issues] };
}

async function assessWhole(
  value: Json,
  validate: AnswerInput['validate'],
  gaps: readonly Issue[] = [],
): Promise<Assessment> {
  const verdict = await validate(value);
  if (verdict.ok && gaps.length === 0) return { kind: 'valid', output: verdict.output };
  const issues = [...gaps, ...(verdict.ok ? [] : verdict.issues)];
  const parts = split(value, issues);
  // Nothing is wrong but keys that nobody asked for: what is left is the answer, if it is valid.
  if (issues.every(isExtra) && parts.kept !== null) {
    const rest = await validate(parts.kept);
    if (rest.ok) return { kind: 'valid', output: rest.output };
    return { kind: 'invalid', ...split(parts.kept, rest.issues) };
  }
  return { kind: 'invalid', ...parts };
}

function unread(message: string): Issue {
  return { path: [], message, code: NOT_JSON };
}

/** The kind of value a schema's root wants. */
function wantedRoot(schema: JsonObject): WantedRoot {
  const type = rootOf(schema)['type'];
  return type === 'object' || type === 'array' ? type : 'any';
}

/** True when a bare text can be the answer: models leave the quotes out. */
function takesText(schema: JsonObject): boolean {
  const { type, enum: allowed, const: only } = rootOf(schema);
  if (type !== undefined) return Array.isArray(type) ? type.includes('string') : type === 'string';
  return [...(Array.isArray(allowed) ? allowed : []), only].some((value) => typeof value === 'string');
}

function rootOf(schema: JsonObject): JsonObject {
  const { $ref } = schema;
  const target = typeof $ref === 'string' ? resolveRef($ref, schema) : undefined;
  return isJsonObject(target) ? target : schema;
}
