import { Ajv, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { TemperedError, thrownText } from './errors.js';
import { canonicalJson } from './identity.js';
import type { JsonObject } from './json.js';
import { checkSchema } from './metaSchema.js';
import { perObject } from './perObject.js';

type Dialect = 'draft-07' | '2020-12';

const DIALECTS: ReadonlyMap<string, Dialect> = new Map<string, Dialect>([
  ['http://json-schema.org/draft-07/schema', 'draft-07'],
  ['https://json-schema.org/draft-07/schema', 'draft-07'],
  ['https://json-schema.org/draft/2020-12/schema', '2020-12'],
]);

/** Compiled schemas kept in mind; an answer's schema is compiled once, a task's lives as long as its batch. */
const MAX_COMPILED = 200;

const compiled = new Map<string, ValidateFunction>();

/**
 * The validator of a JSON Schema, draft 2020-12 or draft-07 by its `$schema` (2020-12 without one). Throws `input` for
 * a schema that is none, and for another draft.
 */
export const compileSchema = perObject((schema: JsonObject) => compileText(schema));

/** The same schema read anew, as each record's sub-schema is, is not compiled anew. */
function compileText(schema: JsonObject): ValidateFunction {
  const key = canonicalJson(schema);
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const made = compile(schema);
  const oldest = compiled.keys().next();
  if (compiled.size >= MAX_COMPILED && oldest.done !== true) compiled.delete(oldest.value);
  compiled.set(key, made);
  return made;
}

function compile(schema: JsonObject): ValidateFunction {
  try {
    const dialect = dialectOf(schema);
    // One instance per schema: an `$id` used twice is no conflict.
    const ajv = ajvOf(dialect);
    if (dialect === '2020-12' && !checkSchema(schema)) {
      throw new Error(`schema is invalid: ${ajv.errorsText(checkSchema.errors)}`);
    }
    return ajv.compile(schema);
  } catch (cause) {
    if (cause instanceof TemperedError) throw cause;
    const text = thrownText(cause);
    throw new TemperedError('input', `The schema is not valid JSON Schema: ${text}`, {
      cause,
      remedy: 'Correct the schema; drafts 2020-12 and draft-07 are understood.',
    });
  }
}

function dialectOf({ $schema }: JsonObject): Dialect {
  if ($schema === undefined) return '2020-12';
  const dialect = typeof $schema === 'string' ? DIALECTS.get($schema.replace(/#$/, '')) : undefined;
  if (dialect !== undefined) return dialect;
  throw new TemperedError('input', `The schema's $schema ${JSON.stringify($schema)} is not supported.`, {
    remedy: 'Write it in draft 2020-12 or draft-07, and name that draft (or none).',
  });
}

function ajvOf(dialect: Dialect): Ajv | Ajv2020 {
  const options = {
    allErrors: true,
    // Annotations of other tools are no errors.
    strict: false,
    // A record may have fields named like methods.
    ownProperties: true,
    logger: false,
    // Errors carry their schemas: that tells what a union's branches said.
    verbose: true,
    // Instances of their own would compile that draft's schema, too.
    validateSchema: dialect === 'draft-07',
    code: { regExp: Object.assign(regExp, { code: 'regExp' }) },
  } as const;
  const ajv = dialect === 'draft-07' ? new Ajv(options) : new Ajv2020(options);
  formats.default(ajv);
  return ajv;
}

/** Patterns are Unicode's, as JSON Schema wants; those that are only valid without it are taken as they are meant. */
function regExp(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, flags);
  } catch {
    return new RegExp(pattern);
  }
}
