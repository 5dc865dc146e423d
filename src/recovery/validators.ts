import { z } from 'zod';
import { TemperedError } from '../task/errors.js';
import { asJson, type Json, type JsonObject } from '../task/json.js';
import { issuesOfSchema } from './ajvIssues.js';
import type { Validation } from './types.js';
import { issuesOfZod } from './zodIssues.js';

/** What an answer must fit. */
export interface AnswerSchema {
  /** JSON Schema; absent for tasks whose answer is text. */
  readonly schema: JsonObject | undefined;
  /** The zod schema it was made of, where the module is loaded: it says more, and makes the output. */
  readonly zod?: z.ZodType | undefined;
}

/**
 * A function that checks an answer's shape: by zod where it is there, else by JSON Schema; a text without a schema must
 * not be blank. It throws `input` for a zod schema that can't be used on answers.
 */
export function compileValidator({ schema, zod }: AnswerSchema): (value: Json) => Validation {
  if (zod !== undefined) return (value) => byZod(zod, value);
  if (schema === undefined) return byText;
  return (value) => {
    const issues = issuesOfSchema(schema, value);
    return issues.length === 0 ? { ok: true, output: value } : { ok: false, issues };
  };
}

function byText(value: Json): Validation {
  if (typeof value === 'string' && value.trim() !== '') return { ok: true, output: value };
  return { ok: false, issues: [{ path: [], message: 'must be a text that is not blank', code: 'type' }] };
}

function byZod(schema: z.ZodType, value: Json): Validation {
  const result = parsed(schema, value);
  if (!result.success) return { ok: false, issues: issuesOfZod(result.error.issues, value) };
  const output = asJson(result.data);
  if (output.ok) return { ok: true, output: output.value };
  const place = output.at === '' ? '' : ` at ${output.at}`;
  throw new TemperedError('input', `The task's schema makes an output that is not JSON: ${output.what}${place}.`, {
    remedy: 'Let its transforms return JSON values; make others of them in postProcess().',
  });
}

function parsed(schema: z.ZodType, value: Json): z.ZodSafeParseResult<unknown> {
  try {
    return schema.safeParse(value);
  } catch (cause) {
    if (!(cause instanceof z.core.$ZodAsyncError)) throw cause;
    throw new TemperedError('input', "The task's schema has an asynchronous check.", {
      cause,
      remedy: "Move it to the task's validate(), which may be async.",
    });
  }
}
