import type { z } from 'zod';
import { assessAnswer } from '../recovery/assess.js';
import { compileValidator } from '../recovery/validators.js';
import { issuesOfZod } from '../recovery/zodIssues.js';
import type { Json, JsonObject } from '../task/json.js';
import { compileSchema } from '../task/jsonSchema.js';
import type { Issue } from '../task/outcome.js';
import { jsonSchemaOf } from '../task/zodSchema.js';
import { LlmError } from './ask.js';
import type { LlmAnswer, StructuredAnswer } from './types.js';

/** Issues named in the message of an invalid answer. */
const MAX_ISSUES = 5;

/** A schema to ask for, and to check answers by. */
export interface AnswerForm<T> {
  /** What the model is asked for. */
  readonly schema: JsonObject;
  /** The value in our types, or what is wrong with it. */
  check(
    value: Json,
  ): { readonly ok: true; readonly output: T } | { readonly ok: false; readonly issues: readonly Issue[] };
}

/** The form of a zod schema. Throws `input` for types JSON does not have. */
export function zodForm<S extends z.ZodType>(zod: S): AnswerForm<z.output<S>> {
  return {
    schema: jsonSchemaOf(zod),
    check(value) {
      const result = zod.safeParse(value);
      return result.success
        ? { ok: true, output: result.data }
        : { ok: false, issues: issuesOfZod(result.error.issues, value) };
    },
  };
}

/** The form of a JSON Schema. Throws `input` for one that is none. */
export function jsonForm(schema: JsonObject): AnswerForm<unknown> {
  compileSchema(schema);
  return { schema, check: compileValidator({ schema }) };
}

/** The answer with its value. Throws {@link LlmError} (`invalid_output`) when it does not fit. */
export async function structured<T>(answer: LlmAnswer, form: AnswerForm<T>): Promise<StructuredAnswer<T>> {
  const { schema } = form;
  const held: { value?: { readonly output: T } } = {};
  const validate = (value: Json) => {
    const checked = form.check(value);
    if (!checked.ok) return Promise.resolve(checked);
    held.value = { output: checked.output };
    return Promise.resolve({ ok: true as const, output: value });
  };
  const verdict = await assessAnswer({ text: answer.text, kind: 'full', schema, kept: null, issues: [], validate });
  if (verdict.kind !== 'invalid' && held.value !== undefined) return { ...answer, output: held.value.output };
  const { text, usage, costUsd } = answer;
  const details = { status: 200, retryable: true, retryAfterMs: null, text, usage, costUsd };
  throw new LlmError('invalid_output', misfit(verdict.kind === 'invalid' ? verdict.issues : []), details);
}

/** What does not fit, for a person. */
export function misfit(issues: readonly Issue[]): string {
  const named = issues.slice(0, MAX_ISSUES).map(({ path, message }) => `${path.join('.') || 'the answer'}: ${message}`);
  const more = issues.length > MAX_ISSUES ? ` (and ${issues.length - MAX_ISSUES} more)` : '';
  return `The answer does not fit the schema: ${named.join('; ')}${more}`;
}
