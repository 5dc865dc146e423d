import { z } from 'zod';
import { cacheNameChars, MOST_NAME_CHARS } from './cacheTags.js';

/** Tags of an explicit cache. */
export type CacheTags = Readonly<Record<string, string>>;

const cacheTags = z.record(z.string().min(1), z.string()).superRefine((tags, context) => {
  const chars = cacheNameChars(tags);
  if (chars <= MOST_NAME_CHARS) return;
  const message = `too long: the name of a cache with these tags has ${chars} characters, and ${MOST_NAME_CHARS} are the most`;
  context.addIssue({ code: 'custom', message });
});

/** One layer of cache settings; what is absent is left to the layer below. */
const cacheShape = {
  enabled: z.boolean().exactOptional(),
  minTokensToCache: z.int().min(256).exactOptional(),
  autoDetectCacheable: z.boolean().exactOptional(),
  defaultTtlSeconds: z.int().min(60).max(3600).exactOptional(),
  domainDefinitionsTtlSeconds: z.int().min(300).max(86_400).exactOptional(),
  rolloutPercent: z.number().min(0).max(100).exactOptional(),
  warmFirst: z.boolean().exactOptional(),
  settleSeconds: z.number().min(0).max(60).exactOptional(),
  explicit: z.boolean().exactOptional(),
  cacheTags: cacheTags.exactOptional(),
  cacheTtlSeconds: z.int().min(60).max(604_800).exactOptional(),
  cacheRenewalBufferSeconds: z.int().min(0).exactOptional(),
  autoRenew: z.boolean().exactOptional(),
  keepCache: z.boolean().exactOptional(),
};

const fallbackShape = {
  enabled: z.boolean().exactOptional(),
  logFailures: z.boolean().exactOptional(),
  raiseOnFallback: z.boolean().exactOptional(),
};

const batchShape = {
  // Refused rather than ignored.
  enabled: z.literal(false, "must be false: providers' Batch APIs aren't used yet").exactOptional(),
  maxBatchSize: z.int().min(1).max(10_000).exactOptional(),
  timeoutSeconds: z.int().min(60).max(259_200).exactOptional(),
  accumulationStrategy: z.enum(['time', 'count', 'hybrid']).exactOptional(),
  accumulationTimeSeconds: z.number().min(1).max(300).exactOptional(),
  retryAttempts: z.int().min(0).max(10).exactOptional(),
};

/** `max_batch_size` as `maxBatchSize`. A name given both ways stays as it is and is refused as unknown. */
function camelCased(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries: [string, unknown][] = Object.entries(value);
  const names = new Set(entries.map(([name]) => name));
  return Object.fromEntries(
    entries.map(([name, member]) => {
      const camel = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
      return [camel !== name && names.has(camel) ? name : camel, member];
    }),
  );
}

/** One layer of `optimization.cache`. */
export const cacheLayerSchema = z.preprocess(camelCased, z.strictObject(cacheShape));
const fallbackLayer = z.preprocess(camelCased, z.strictObject(fallbackShape));
const batchLayer = z.preprocess(camelCased, z.strictObject(batchShape));

/**
 * `optimization` as a person writes it, at any place: a call, a task, a service, a provider's document. Strict at every
 * level; `snake_case` names are taken too. Nothing is filled in: that is what the layers below are for.
 */
export const optimizationLayerSchema = z.preprocess(
  camelCased,
  z.strictObject({
    cache: cacheLayerSchema.exactOptional(),
    fallback: fallbackLayer.exactOptional(),
    batch: batchLayer.exactOptional(),
    provider: z.string().min(1).exactOptional(),
  }),
);

/** What {@link optimizationLayerSchema} reads. */
export type OptimizationLayer = z.output<typeof optimizationLayerSchema>;

/** Prompt-cache settings, complete. */
export interface CacheConfig {
  /** Whether prompts are cached. Default false for wrapped models, true for batches. */
  readonly enabled: boolean;
  /** Smallest prefix worth a breakpoint, tokens, 256 or more; the model's own minimum counts too. Default 1,024. */
  readonly minTokensToCache: number;
  /** Find the static prefix; false = only blocks a task marks. Default true. */
  readonly autoDetectCacheable: boolean;
  /** How long a written prefix should live, 60..3,600 s: up to 300 is a provider's short life, more its long one. Default 300. */
  readonly defaultTtlSeconds: number;
  /** The same for blocks a task marks: definitions that outlive one run, 300..86,400 s. Default 3,600. */
  readonly domainDefinitionsTtlSeconds: number;
  /**
   * Share of batches the settings hold for, 0..100; of handles, of services, else of models and purposes. Which ones hangs
   * on their name alone. Default 100.
   */
  readonly rolloutPercent: number;
  /** Send the first prompt alone, so that it writes the cache and all others read it. Default true. */
  readonly warmFirst: boolean;
  /** Wait after that prompt until what it wrote can be read, 0..60 s. Default 1. */
  readonly settleSeconds: number;
  /** Make an explicit cache (Gemini). Absent: where tags are wanted, or where it pays. */
  readonly explicit?: boolean;
  /** Tags of the explicit cache: one that lacks any of them is not taken. Default none. */
  readonly cacheTags: CacheTags;
  /** How long an explicit cache lives, 60..604,800 s. Default 3,600. */
  readonly cacheTtlSeconds: number;
  /** How long before its end it is renewed; less than it lives. Default 300. */
  readonly cacheRenewalBufferSeconds: number;
  /** Renew it while the batch runs. Default true. */
  readonly autoRenew: boolean;
  /** Keep it when the batch ends, for the next one; it then ends by itself. Default false. */
  readonly keepCache: boolean;
}

/** What happens when a request can't be optimized. */
export interface FallbackConfig {
  /** Send the plain request. Default true. */
  readonly enabled: boolean;
  /** Log why. Default true. */
  readonly logFailures: boolean;
  /** Fail instead, although a plain request could be sent. Default false. */
  readonly raiseOnFallback: boolean;
}

/** Provider Batch API settings. */
export interface BatchApiConfig {
  /** Collect requests for the provider's Batch API. Default false. */
  readonly enabled: boolean;
  /** Requests in one job, 1..10,000. Default 100. */
  readonly maxBatchSize: number;
  /** Longest wait for a job, 60..259,200 s. Default 86,400. */
  readonly timeoutSeconds: number;
  /** What closes a job: time, count, or whichever comes first. Default `hybrid`. */
  readonly accumulationStrategy: 'time' | 'count' | 'hybrid';
  /** How long requests are collected, 1..300 s. Default 30. */
  readonly accumulationTimeSeconds: number;
  /** Tries for a job that can't be read, 0..10. Default 3. */
  readonly retryAttempts: number;
}

/** How prompts are made cheaper: every setting, with its default filled in. */
export interface OptimizationConfig {
  /** Prompt caching. */
  readonly cache: CacheConfig;
  /** When a request can't be optimized. */
  readonly fallback: FallbackConfig;
  /** Provider Batch API. */
  readonly batch: BatchApiConfig;
  /** The provider meant; another than the model's own is refused. Absent = the model's own. */
  readonly provider?: string;
}

/** `optimization` as code gives it: any part of {@link OptimizationConfig}; what is absent is left to the layer below. */
export interface OptimizationOptions {
  /** Prompt caching. */
  readonly cache?: Partial<CacheConfig>;
  /** When a request can't be optimized. */
  readonly fallback?: Partial<FallbackConfig>;
  /** Provider Batch API. */
  readonly batch?: Partial<BatchApiConfig>;
  /** The provider meant; another than the model's own is refused. Default: the model's own. */
  readonly provider?: string;
}

/** The settings where nobody says anything; off, as for wrapped models. */
export const OPTIMIZATION_DEFAULTS: OptimizationConfig = {
  cache: {
    enabled: false,
    minTokensToCache: 1024,
    autoDetectCacheable: true,
    defaultTtlSeconds: 300,
    domainDefinitionsTtlSeconds: 3600,
    rolloutPercent: 100,
    warmFirst: true,
    settleSeconds: 1,
    cacheTags: {},
    cacheTtlSeconds: 3600,
    cacheRenewalBufferSeconds: 300,
    autoRenew: true,
    keepCache: false,
  },
  fallback: { enabled: true, logFailures: true, raiseOnFallback: false },
  batch: {
    enabled: false,
    maxBatchSize: 100,
    timeoutSeconds: 86_400,
    accumulationStrategy: 'hybrid',
    accumulationTimeSeconds: 30,
    retryAttempts: 3,
  },
};

/** Names a level of `optimization` may have, for near names; `level` empty = the top. */
export function optimizationNames(level: string): readonly string[] {
  switch (level) {
    case 'cache':
      return Object.keys(cacheShape);
    case 'fallback':
      return Object.keys(fallbackShape);
    case 'batch':
      return Object.keys(batchShape);
    default:
      return ['cache', 'fallback', 'batch', 'provider'];
  }
}
