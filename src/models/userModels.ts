import { z } from 'zod';
import { CAPABILITIES, type ModelInfo, type PriceBand } from './types.js';

/** Where the numbers of the user's own models come from. */
export const USER_SOURCE = 'tempered.config';

const whole = z.number().int().positive();
const price = z.number().nonnegative();
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** One price list in USD per million tokens. */
const priceSchema = z.strictObject({
  /** The day from which it holds, UTC. Default: always. */
  from: z.string().regex(DAY, 'write a day as 2026-11-27').optional(),
  /** Largest whole prompt it holds for, tokens. Default: any. */
  upTo: whole.optional(),
  /** Prompt tokens outside caches. */
  input: price,
  /** Generated tokens, thinking included. */
  output: price,
  /** Tokens read from a cache. Default: the input price, since no discount is known. */
  cacheRead: price.optional(),
  /** Tokens written to a cache for five minutes. Default: the input price. */
  cacheWrite5m: price.optional(),
  /** Tokens written for an hour. Default: the price for five minutes. */
  cacheWrite1h: price.optional(),
});

const modelSchema = z.strictObject({
  /** Largest whole prompt, tokens. */
  contextTokens: whole.optional(),
  /** Most tokens of one answer. */
  maxOutputTokens: whole.optional(),
  /** Smallest prefix that is cached, tokens. */
  minCacheTokens: whole.optional(),
  /** Range of its temperature; false = it takes none. */
  temperature: z.union([z.literal(false), z.strictObject({ min: z.number(), max: z.number() })]).optional(),
  /** Effort or thinking levels, rising. */
  effort: z.array(z.string().min(1)).min(1).optional(),
  /** Whether it has native structured output. */
  structuredOutput: z.boolean().optional(),
  /** What it can do beside text. */
  capabilities: z.array(z.enum(CAPABILITIES)).optional(),
  /** What it knows of the world ends here. */
  knowledgeCutoff: z
    .string()
    .regex(/^\d{4}-\d{2}(-\d{2})?$/, 'write it as 2025-08 or 2025-08-31')
    .optional(),
  /** Price lists, with tiers by prompt size and dates. */
  prices: z.array(priceSchema).min(1).optional(),
  /** Share of the prices that the Batch API charges, for example 0.5. */
  batch: z.number().positive().max(1).optional(),
});

/** `models` of the config file: what users know of models, by `provider/model`. It wins over our tables. */
export const userModelsSchema = z.record(z.string().regex(/^[^/\s]+\/\S+$/, 'write provider/model'), modelSchema);

/** Models of the config file. */
export type UserModels = z.infer<typeof userModelsSchema>;

/** One model of the config file. */
export type UserModel = UserModels[string];

/** Names of everything a model of the config file can have, for near names. */
export const USER_MODEL_MEMBERS: readonly string[] = [
  ...Object.keys(modelSchema.shape),
  ...Object.keys(priceSchema.shape),
  'min',
  'max',
];

/** The price bands in force at a day; null when no list holds yet. */
export function userBands(model: UserModel, day: string): readonly PriceBand[] | null {
  const lists = model.prices ?? [];
  const from = lists
    .map((list) => list.from ?? '')
    .filter((start) => start <= day)
    .sort()
    .at(-1);
  if (from === undefined) return null;
  return lists
    .filter((list) => (list.from ?? '') === from)
    .map(({ upTo = null, input, output, cacheRead = input, cacheWrite5m = input, cacheWrite1h = cacheWrite5m }) => ({
      upTo,
      input,
      output,
      cacheRead,
      cacheWrite5m,
      cacheWrite1h,
    }))
    .sort((a, b) => (a.upTo ?? Infinity) - (b.upTo ?? Infinity));
}

/** What our tables say of a model, with what the user says in its place. Prices are not touched. */
export function withUserFacts(info: ModelInfo, user: UserModel): ModelInfo {
  const { temperature, effort, capabilities } = user;
  return {
    ...info,
    contextTokens: user.contextTokens ?? info.contextTokens,
    maxOutputTokens: user.maxOutputTokens ?? info.maxOutputTokens,
    minCacheTokens: user.minCacheTokens ?? info.minCacheTokens,
    sampling:
      temperature === undefined
        ? info.sampling
        : temperature === false
          ? { kind: 'none' }
          : { kind: 'temperature', ...temperature },
    effort: effort === undefined ? info.effort : { levels: effort, standard: null },
    structuredOutput: user.structuredOutput ?? info.structuredOutput,
    capabilities:
      capabilities === undefined ? info.capabilities : CAPABILITIES.filter((name) => capabilities.includes(name)),
    knowledgeCutoff: user.knowledgeCutoff ?? info.knowledgeCutoff,
    source: user.prices === undefined ? (info.source ?? USER_SOURCE) : USER_SOURCE,
  };
}
