import { z } from 'zod';
import { TemperedError, thrownText } from './errors.js';
import { asJson, isJsonObject, type JsonObject } from './json.js';

/**
 * The JSON Schema of what a model must answer so that `schema` accepts it: the schema's input side, since transforms
 * run on the answer. Objects take no keys beside their own. Throws `input` for types JSON does not have.
 */
export function jsonSchemaOf(schema: z.ZodType): JsonObject {
  let made: unknown;
  try {
    made = z.toJSONSchema(schema, {
      io: 'input',
      override: ({ zodSchema, jsonSchema, path }) => {
        const { def } = zodSchema._zod;
        // The members of an intersection are open: each would refuse the other's keys.
        if (def.type === 'object' && def.catchall === undefined && path.at(-2) !== 'allOf') {
          jsonSchema.additionalProperties = false;
        }
      },
    });
  } catch (cause) {
    const text = thrownText(cause);
    throw new TemperedError('input', `The schema can't be written as JSON Schema: ${text}`, {
      cause,
      remedy: 'Use types JSON has (a date as z.iso.date()), and turn them into others with .transform().',
    });
  }
  const json = asJson(made);
  if (!json.ok || !isJsonObject(json.value)) {
    throw new TemperedError('input', "The schema can't be written as JSON Schema.", {
      remedy: 'Give the answer a z.object().',
    });
  }
  // The draft is the default one everywhere; models need not read it.
  return Object.fromEntries(Object.entries(json.value).filter(([key]) => key !== '$schema'));
}

/** The code in a schema. */
export interface SchemaCode {
  /** Source texts of refinements, transforms and patterns, in the order of the schema. */
  readonly sources: readonly string[];
  /** JSON Schema says less than the zod schema does: workers need the module to validate. */
  readonly needsModule: boolean;
}

/** Types whose meaning JSON Schema can't carry: they run code, or change the answer. */
const CODE_TYPES = new Set(['custom', 'transform', 'catch', 'default', 'prefault']);

/** Where zod keeps functions it was given; the others are its own. */
const USER_CODE = new Set(['fn', 'tx', 'transform', 'reverseTransform', 'catchValue']);

/**
 * Finds the code in a schema. The body of a `superRefine` is hidden by zod itself: a change in one changes no hash, so
 * it needs a new `version`.
 */
export function codeOf(schema: z.ZodType): SchemaCode {
  const sources: string[] = [];
  const seen = new Set<unknown>();
  let needsModule = false;

  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if (!('_zod' in value)) {
      if (value instanceof RegExp) notePattern(value);
      else if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) visitAll(value);
      return;
    }
    const { def, check } = internals(value._zod);
    if (def === undefined) return;
    if (CODE_TYPES.has(String(def['type'])) || def['coerce'] === true) needsModule = true;
    if (def['check'] === 'custom' && def['fn'] === undefined && typeof check === 'function') {
      needsModule = true;
      sources.push(String(check));
    }
    visitAll(def);
  };

  const visitAll = (container: object): void => {
    const members: readonly [string, unknown][] = Object.entries(container);
    for (const [key, member] of members) {
      if (!isFunction(member)) visit(member);
      else if (key === 'getter') visit(called(member));
      else if (key === 'error') sources.push(`error ${errorText(member)}`);
      else if (USER_CODE.has(key)) {
        needsModule = true;
        sources.push(`${key} ${String(member)}`);
      }
    }
  };

  const notePattern = (pattern: RegExp): void => {
    sources.push(String(pattern));
    if (pattern.flags.replace('u', '') !== '') needsModule = true;
  };

  visit(schema);
  return { sources, needsModule };
}

interface Internals {
  readonly def?: Readonly<Record<string, unknown>>;
  readonly check?: unknown;
}

function internals(value: unknown): Internals {
  const { def, check } = isRecord(value) ? value : {};
  return { ...(isRecord(def) ? { def } : {}), check };
}

function isFunction(value: unknown): value is (...args: never[]) => unknown {
  return typeof value === 'function';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** A fixed message is wrapped in a function of zod's; its text tells more than the wrapper's source. */
function errorText(fn: (...args: never[]) => unknown): string {
  if (fn.length > 0) return String(fn);
  const text = called(fn);
  return typeof text === 'string' ? text : String(fn);
}

function called(fn: (...args: never[]) => unknown): unknown {
  try {
    return fn();
  } catch {
    return undefined;
  }
}
