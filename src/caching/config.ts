import { TemperedError } from '../task/errors.js';
import {
  OPTIMIZATION_DEFAULTS,
  type OptimizationConfig,
  type OptimizationLayer,
  optimizationLayerSchema,
} from '../task/optimization.js';
import { inRollout } from './rollout.js';

/** What {@link resolveOptimization} is told beside the layers. */
export interface ResolveOptions {
  /** Whether caching is on where no layer says: false for wrapped models (default), true for batches. */
  readonly enabledByDefault?: boolean;
  /** LLM_OPTIMIZATION_ENABLED as {@link optimizationSwitch} reads it; undefined = the configuration decides. */
  readonly forced?: boolean | undefined;
  /** What a rollout by percentage goes by: the batch's id or the service's name. Default: everything is in. */
  readonly rolloutKey?: string;
}

/** Reads one layer. Throws `input`: `Invalid optimization configuration: …`, naming every wrong setting. */
export function parseOptimization(value: unknown): OptimizationLayer {
  const parsed = optimizationLayerSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const said = parsed.error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
  throw invalid(said.join('; '));
}

/**
 * The settings in force: of each, what the first layer that names it says. `layers` go from the nearest to the
 * farthest: call, task, purpose, service, provider. Throws `input` for settings that exclude each other.
 */
export function resolveOptimization(
  layers: readonly (OptimizationLayer | undefined)[],
  { enabledByDefault = false, forced, rolloutKey }: ResolveOptions = {},
): OptimizationConfig {
  const given = layers.filter((layer) => layer !== undefined).toReversed();
  const base = OPTIMIZATION_DEFAULTS;
  const cache = given.reduce((sum, layer) => ({ ...sum, ...layer.cache }), {
    ...base.cache,
    enabled: enabledByDefault,
  });
  const { cacheTtlSeconds: ttl, cacheRenewalBufferSeconds: buffer } = cache;
  if (buffer >= ttl) throw invalid(`cacheRenewalBufferSeconds (${buffer}) must be less than cacheTtlSeconds (${ttl})`);
  const provider = given.findLast((layer) => layer.provider !== undefined)?.provider;
  const rolledOut = rolloutKey === undefined || inRollout(rolloutKey, cache.rolloutPercent);
  return {
    cache: { ...cache, enabled: forced ?? (cache.enabled && rolledOut) },
    fallback: given.reduce((sum, layer) => ({ ...sum, ...layer.fallback }), base.fallback),
    batch: given.reduce((sum, layer) => ({ ...sum, ...layer.batch }), base.batch),
    ...(provider === undefined ? {} : { provider }),
  };
}

/**
 * LLM_OPTIMIZATION_ENABLED: unset (or empty) follows the configuration, `false` turns everything off, `true` on, in
 * any case. Throws `input` for another word.
 */
export function optimizationSwitch(env: Readonly<Record<string, string | undefined>>): boolean | undefined {
  const said = env['LLM_OPTIMIZATION_ENABLED']?.trim().toLowerCase() ?? '';
  if (said === '') return undefined;
  if (said === 'true' || said === 'false') return said === 'true';
  throw new TemperedError('input', `LLM_OPTIMIZATION_ENABLED is "${said.slice(0, 40)}".`, {
    remedy: 'Set it to true or false, or unset it to follow the configuration.',
  });
}

function invalid(what: string): TemperedError {
  return new TemperedError('input', `Invalid optimization configuration: ${what}.`, {
    remedy: 'The settings, their ranges and defaults are in docs/caching.md.',
  });
}
