import type { CachePlan } from '../caching/breakpoints.js';
import { resolveOptimization } from '../caching/config.js';
import { fallBack } from '../caching/fallback.js';
import type { CacheConfig, FallbackConfig, OptimizationConfig } from '../task/optimization.js';
import type { TaskSpec } from '../task/spec.js';
import type { BatchFacts } from './context.js';

/** Records an open input is taken to grow to at least, when nobody knows. */
const OPEN_INPUT_ITEMS = 1_000;

/** How a batch's prompts are cached. */
export interface Caching {
  /** Its settings. */
  readonly config: CacheConfig;
  /** What happens when a request can't be marked. */
  readonly fallback: FallbackConfig;
  /** Prompts that share a prefix. */
  readonly prompts: number;
  /** Tells the worker's log. */
  readonly warn: (line: string) => void;
}

/** How a batch's prompts are made cheaper: as its start recorded, else as its task says. */
function optimizationOf(
  { options }: Pick<BatchFacts, 'options'>,
  { optimization }: Pick<TaskSpec, 'optimization'>,
): OptimizationConfig {
  return options.optimization ?? resolveOptimization([optimization], { enabledByDefault: true });
}

/**
 * How prompts of a batch are cached, and how many share a prefix: those of all its records but `settled`, which had an
 * outcome before it began. `optimizing`: what this process is told.
 */
export function cachingOf(
  batch: Pick<BatchFacts, 'options' | 'items'>,
  spec: Pick<TaskSpec, 'optimization'>,
  optimizing: boolean | undefined,
  settled = 0,
): Omit<Caching, 'warn'> {
  const { cache, fallback } = optimizationOf(batch, spec);
  const asked = batch.items - settled;
  const prompts = batch.options.open ? Math.max(asked, OPEN_INPUT_ITEMS) : asked;
  return { config: { ...cache, enabled: optimizing ?? cache.enabled }, fallback, prompts };
}

/** How prompts of a task are cached where no batch is known: as it says, with prompts enough to read what one writes. */
export function ownCaching({ optimization }: Pick<TaskSpec, 'optimization'>): Caching {
  const { cache, fallback } = resolveOptimization([optimization], { enabledByDefault: true });
  return { config: cache, fallback, prompts: OPEN_INPUT_ITEMS, warn: () => undefined };
}

/**
 * What `plan` finds. When it fails the plain request is sent and the log says why; with `raiseOnFallback`, or without a
 * fallback, it throws `invalid_request`: `Optimization failed: …`.
 */
export function planned(
  { fallback, warn }: Pick<Caching, 'fallback' | 'warn'>,
  plan: () => CachePlan,
): CachePlan | undefined {
  try {
    return plan();
  } catch (cause) {
    fallBack(fallback, cause, warn);
    return undefined;
  }
}
