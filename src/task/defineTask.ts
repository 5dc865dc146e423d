import type { z } from 'zod';
import { TemperedError } from './errors.js';
import type { BeforeResult, LoadFunctions, TaskFunctions } from './functions.js';
import { taskHash } from './identity.js';
import type { Json, JsonObject } from './json.js';
import type { MaxFailures } from './maxFailures.js';
import type { CacheConfig, OptimizationOptions } from './optimization.js';
import { parseSettings, SETTING_NAMES } from './settings.js';
import { readsRatings, type SafetyLevel } from './safety.js';
import {
  type ContentPart,
  type Message,
  type PoolLimits,
  type Stage,
  TASK_FUNCTION_NAMES,
  type TaskFunctionName,
  type TaskSpec,
} from './spec.js';
import { codeOf, jsonSchemaOf } from './zodSchema.js';

/** What a task's answers are: what its zod schema gives, else text. */
export type OutputOf<S extends z.ZodType | undefined> = S extends z.ZodType ? z.output<S> : string;

/**
 * What to do with each record. `Input` is the type of a record, taken from the functions' parameters; `S` the zod
 * schema of the answer. Members that are functions are described in {@link TaskFunctions}.
 */
export interface TaskOptions<Input, S extends z.ZodType | undefined> extends TaskFunctions<Input, OutputOf<S>> {
  /** Short name, `[a-z0-9-]`, used in batch ids. */
  readonly name: string;
  /** `provider/model`. */
  readonly model: string;
  /** Asked instead while the endpoint of `model` keeps failing, `provider/model` of another one. Default: prompts wait. */
  readonly fallbackModel?: string;
  /** Static prefix: the system prompt, the same for every record. */
  readonly instructions?: string;
  /**
   * Template with `{{field}}` places, or a function that makes the prompt of a record: a text, the parts of one user
   * turn, or whole turns.
   */
  readonly prompt?:
    | string
    | ((input: Input, context: { readonly prepared: Json }) => string | readonly Message[] | readonly ContentPart[]);
  /** Instead of `prompt`: few-shot turns and the final user turn, templates too. */
  readonly messages?: readonly Message[];
  /** zod schema of the answer. Absent: the answer is text. */
  readonly schema?: S;
  /** Skips, rewrites or answers a record before any prompt; runs where records are loaded. */
  before?(input: Input): BeforeResult<Input, OutputOf<S>> | Promise<BeforeResult<Input, OutputOf<S>>>;
  /** Cap of generated tokens per prompt, thinking included. Default 1,024. */
  readonly maxOutputTokens?: number;
  /** Provider parameters passed through as they are. Default none. */
  readonly params?: JsonObject;
  /** Prompts an item may spend, 1..20. Default 5. */
  readonly maxPrompts?: number;
  /** The ladder, 1..10 rungs, the first one full. Default: full@0, partial@0, full@0.25, partial@0.25. */
  readonly stages?: readonly Stage[];
  /** Time for one prompt, from leaving the gate to the whole answer; milliseconds. Default 120,000. */
  readonly promptTimeout?: number;
  /** Time for a record, from its start, with all its prompts and waits; milliseconds. Default: no limit. */
  readonly itemTimeout?: number;
  /** Ask again after a refusal or safety block. Default false. */
  readonly retryRefusals?: boolean;
  /** Keep safety ratings, finish reason and raw usage in the outcome. Default false. */
  readonly includeMetadata?: boolean;
  /** Prompt caching, short for `optimization.cache`. Default on, where it pays. */
  readonly cache?: Partial<CacheConfig>;
  /** How prompts are made cheaper. Default: what `tempered.config` says for the provider. */
  readonly optimization?: OptimizationOptions;
  /** Quotas of the provider account. Default: not limited by us. */
  readonly limits?: PoolLimits;
  /** Hold answers for a person whose model rated them unsafe (Gemini does), from this level up. Default: none. */
  readonly review?: { readonly safety: SafetyLevel };
  /** Records that may end without a whole answer before the batch pauses: a number or a share (`5%`). Default: any. */
  readonly maxFailures?: MaxFailures;
  /** Part of the task's identity: change it with code that no hash can see (imported helpers, a `superRefine`). */
  readonly version?: string;
}

/** A task: its serialisable part, its identity, and the code beside it. */
export interface Task<Input, Output> {
  /** The serialisable part. */
  readonly spec: TaskSpec;
  /** Identity: SHA-256 of all that changes an answer, hex. */
  readonly hash: string;
  /** zod schema of the answer, when a module defined it. */
  readonly schema: z.ZodType | undefined;
  /** Functions that run in workers. */
  readonly functions: TaskFunctions<Input, Output>;
  /** Functions that run where records are loaded. */
  readonly load: LoadFunctions<Input, Output>;
}

/** Any task, whatever its records and answers are: what workers and loaders handle. */
export type AnyTask = Task<unknown, unknown>;

// A registered symbol: two copies of this package know each other's tasks.
const BRAND = Symbol.for('tempered.task');

/** True for what {@link defineTask} or a task file made. */
export function isTask(value: unknown): value is AnyTask {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** A task from its parts; its hash is made here. `code`: source texts of its functions by name. */
export function makeTask<Input, Output>(
  parts: Omit<Task<Input, Output>, 'hash'>,
  code: Readonly<Record<string, string>> = {},
): Task<Input, Output> {
  const task = { ...parts, hash: taskHash(parts.spec, code) };
  Object.defineProperty(task, BRAND, { value: true });
  return task;
}

/**
 * Defines a task: what to do with each record. Throws `TemperedError` (`input`) naming every option that is unknown or
 * wrong.
 */
export function defineTask<Input = JsonObject, S extends z.ZodType | undefined = undefined>(
  options: TaskOptions<Input, S>,
): Task<Input, OutputOf<S>> {
  const { prompt, schema } = options;
  const entries: readonly (readonly [string, unknown])[] = Object.entries(options).filter(
    ([, value]) => value !== undefined,
  );
  checkFunctions(entries);
  const schemaCode = schema === undefined ? { sources: [], needsModule: false } : codeOf(schema);
  const brings = (name: TaskFunctionName) =>
    options[name] !== undefined || (name === 'validate' && schemaCode.needsModule);
  const inCode = typeof prompt === 'function';
  const facts = {
    schema: schema === undefined ? undefined : jsonSchemaOf(schema),
    functions: TASK_FUNCTION_NAMES.filter(brings),
    promptInCode: inCode,
    rendersInCode: inCode || options.before !== undefined,
  };
  const settings = entries.filter(([name]) => !IN_CODE.has(name) && !(inCode && name === 'prompt'));
  const rated = entries.some(([, value]) => readsRatings(value)) ? { includeMetadata: true } : {};
  const spec = parseSettings(
    { ...rated, ...Object.fromEntries(settings) },
    facts,
    [...SETTING_NAMES, ...IN_CODE],
    undefined,
  );
  const sources: Record<string, string> = {};
  for (const [name, value] of entries) if (typeof value === 'function') sources[name] = String(value);
  const code = {
    ...sources,
    ...(schema === undefined ? {} : { schema: schemaCode.sources.join('\n') }),
  };
  const load: LoadFunctions<Input, OutputOf<S>> = {
    ...(inCode ? { prompt } : {}),
    ...(options.before === undefined ? {} : { before: (input: Input) => options.before?.(input) }),
  };
  return makeTask({ spec, schema, functions: options, load }, code);
}

/** Options that are no settings: a module brings them. */
const IN_CODE = new Set<string>(['schema', 'before', ...TASK_FUNCTION_NAMES]);

function checkFunctions(entries: readonly (readonly [string, unknown])[]): void {
  for (const [name, value] of entries) {
    if (name === 'schema') {
      if (typeof value === 'object' && value !== null && '_zod' in value) continue;
      throw new TemperedError('input', "The task's schema is not a zod 4 schema.", {
        remedy: 'Use z.object({…}) of zod 4, or write a JSON or YAML task to give JSON Schema.',
      });
    }
    if (IN_CODE.has(name) && typeof value !== 'function') {
      throw new TemperedError('input', `The task's ${name} is not a function.`);
    }
  }
}
