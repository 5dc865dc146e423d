import { z } from 'zod';
import { overbilled } from './billedParams.js';
import { type Place, TemperedError } from './errors.js';
import type { JsonObject } from './json.js';
import { LIMIT_NAMES } from './limits.js';
import { isMaxFailures, MAX_FAILURES_FORM, type MaxFailures } from './maxFailures.js';
import { messageSchema } from './messageSchema.js';
import { didYouMean } from './nearest.js';
import { cacheLayerSchema, optimizationLayerSchema, optimizationNames } from './optimization.js';
import { secretIn } from './secrets.js';
import { MAX_ITEM_TIMEOUT_MS, type Message, type Stage, type TaskSpec } from './spec.js';
import { parseTemplate } from './template.js';

/** The ladder of a task that names none. */
const DEFAULT_STAGES: readonly Stage[] = [
  { kind: 'full', temperature: 0 },
  { kind: 'partial', temperature: 0 },
  { kind: 'full', temperature: 0.25 },
  { kind: 'partial', temperature: 0.25 },
];

const model = z.string().regex(/^[^/\s]+\/\S+$/, 'a model is written provider/model, like anthropic/claude-sonnet-4-6');
const quota = z.number().positive();

/** Why a task's parameters hold no key, and where it belongs. */
const KEPT =
  "a key must not stand in a task, which is stored: set the provider's variable where workers run, or name one as apiKeyEnv in tempered.config";

const params = z.record(z.string(), z.json()).superRefine((given, context) => {
  for (const { name, reason } of overbilled(given)) {
    context.addIssue({ code: 'custom', message: reason, path: [name] });
  }
  const secret = secretIn(given);
  if (secret !== undefined) context.addIssue({ code: 'custom', message: KEPT, path: [secret] });
});

const stage = z.strictObject({
  kind: z.enum(['full', 'partial']),
  temperature: z.number().min(0).max(2).exactOptional(),
  effort: z.string().min(1).exactOptional(),
  model: model.exactOptional(),
});

/** What a task file and `defineTask` set alike, without the schema. */
const settings = z.strictObject({
  name: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, 'a name has up to 64 of a-z, 0-9 and inner dashes'),
  model,
  fallbackModel: model.exactOptional(),
  instructions: z.string().exactOptional(),
  prompt: z.string().exactOptional(),
  messages: z
    .array(messageSchema)
    .min(1)
    .refine((turns) => turns.at(-1)?.role === 'user', "the last turn is the user's: that is what the model answers")
    .exactOptional(),
  maxOutputTokens: z.int().min(1).max(1_000_000).default(1_024),
  params: params.default({}),
  maxPrompts: z.int().min(1).max(20).default(5),
  stages: z
    .array(stage)
    .min(1)
    .max(10)
    .refine((stages) => stages[0]?.kind === 'full', 'the first stage is full: there is nothing to complete yet')
    .default([...DEFAULT_STAGES]),
  promptTimeout: z.int().min(1).max(3_600_000).default(120_000),
  itemTimeout: z.int().min(1).max(MAX_ITEM_TIMEOUT_MS).exactOptional(),
  retryRefusals: z.boolean().default(false),
  includeMetadata: z.boolean().default(false),
  cache: cacheLayerSchema.exactOptional(),
  optimization: optimizationLayerSchema.exactOptional(),
  limits: z
    .strictObject({
      rpm: quota.exactOptional(),
      tpm: quota.exactOptional(),
      inputTpm: quota.exactOptional(),
      outputTpm: quota.exactOptional(),
      inFlight: z.int().min(1).exactOptional(),
    })
    .default({}),
  review: z.strictObject({ safety: z.enum(['MEDIUM', 'HIGH']) }).exactOptional(),
  maxFailures: z.custom<MaxFailures>(isMaxFailures, MAX_FAILURES_FORM).exactOptional(),
  version: z.string().exactOptional(),
});

/** What the module of a task adds to its settings. */
export interface ModuleFacts {
  /** JSON Schema of the answer. */
  readonly schema: JsonObject | undefined;
  /** Functions the module brings. */
  readonly functions: TaskSpec['functions'];
  /** The prompt is a function. */
  readonly promptInCode: boolean;
  /** The prompt or `before` is a function. */
  readonly rendersInCode: boolean;
}

/** Names a task's settings may have. */
export const SETTING_NAMES: readonly string[] = Object.keys(settings.shape);

/**
 * Reads a task's settings and fills in the defaults. Throws `input` naming every setting that is unknown or wrong;
 * `names` are the options that are allowed beside them, for near names.
 */
export function parseSettings(
  value: unknown,
  module: ModuleFacts,
  names: readonly string[],
  place: Place | undefined,
): TaskSpec {
  const parsed = settings.safeParse(value);
  if (!parsed.success)
    throw problem(
      parsed.error.issues.map((issue) => said(issue, names)),
      place,
    );
  const { promptTimeout, itemTimeout, cache: short, optimization, ...rest } = parsed.data;
  if (short !== undefined && optimization?.cache !== undefined) {
    throw problem(['cache and optimization.cache are the same setting: give one of them'], place);
  }
  const ways = [rest.prompt !== undefined || module.promptInCode, rest.messages !== undefined];
  if (ways.filter(Boolean).length !== 1) throw problem(['a task has either a prompt or messages'], place);
  if (rest.fallbackModel?.split('/')[0] === rest.model.split('/')[0]) {
    throw problem(['fallbackModel is asked while the endpoint of model fails, so it must be of another one'], place);
  }
  checkTemplates(rest, place);
  return {
    ...rest,
    promptTimeoutMs: promptTimeout,
    ...(itemTimeout === undefined ? {} : { itemTimeoutMs: itemTimeout }),
    cache: { enabled: (short ?? optimization?.cache)?.enabled ?? true },
    ...(short === undefined && optimization === undefined
      ? {}
      : { optimization: { ...optimization, ...(short === undefined ? {} : { cache: short }) } }),
    functions: module.functions,
    ...(module.schema === undefined ? {} : { schema: module.schema }),
    ...(module.rendersInCode ? { rendersInCode: true } : {}),
  };
}

/** An error about a task's settings. */
export function problem(texts: readonly string[], place: Place | undefined): TemperedError {
  const shown = [...new Set(texts)].slice(0, 10).join('; ');
  return new TemperedError('input', `The task is not right: ${shown}.`, {
    remedy: 'Correct the task; the README lists its settings.',
    ...(place === undefined ? {} : { place }),
  });
}

function said(issue: z.core.$ZodIssue, names: readonly string[]): string {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = issue.path.length === 0 ? names : innerNames(issue.path);
    return issue.keys
      .map(
        (key) =>
          `unknown setting "${path === '' ? key : `${path}.${key}`}"${didYouMean(key, known).replace(/\?$/, '')}`,
      )
      .join('; ');
  }
  const shown = issue.code === 'invalid_union' ? 'is neither a text nor a list of parts' : issue.message;
  return path === '' ? shown : `${path}: ${shown}`;
}

function innerNames(path: readonly PropertyKey[]): readonly string[] {
  switch (path[0]) {
    case 'stages':
      return Object.keys(stage.shape);
    case 'limits':
      return LIMIT_NAMES;
    case 'messages':
      return ['role', 'content'];
    case 'review':
      return ['safety'];
    case 'cache':
      return optimizationNames('cache');
    default:
      return optimizationNames(String(path[1] ?? ''));
  }
}

function checkTemplates(
  task: { readonly prompt?: string; readonly messages?: readonly Message[] },
  place: Place | undefined,
) {
  try {
    if (task.prompt !== undefined) parseTemplate(task.prompt);
    for (const { content } of task.messages ?? []) {
      const texts =
        typeof content === 'string' ? [content] : content.map((part) => (part.type === 'text' ? part.text : part.url));
      for (const text of texts) parseTemplate(text, 'A message');
    }
    if (cachesRecord(task.messages ?? [])) {
      throw new TemperedError('input', 'A block marked `cache` has a place of the record in it or before it.', {
        remedy: 'Put what is the same for every record first, and mark the last block of that.',
      });
    }
  } catch (error) {
    if (!(error instanceof TemperedError) || place === undefined) throw error;
    throw new TemperedError(error.category, error.message, { ...error.options, place });
  }
}

/** Whether a marked block, or one before it, differs from record to record: its cache would never be read. */
function cachesRecord(messages: readonly Message[]): boolean {
  const parts = messages.flatMap(({ content }) =>
    typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content,
  );
  const last = parts.findLastIndex((part) => part.type === 'text' && 'cache' in part && part.cache);
  return parts
    .slice(0, last + 1)
    .some((part) => parseTemplate(part.type === 'text' ? part.text : part.url).some((piece) => 'field' in piece));
}
