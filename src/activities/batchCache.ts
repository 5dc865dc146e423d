import { planCache, staticTurns } from '../caching/breakpoints.js';
import { worthCounting } from '../caching/decision.js';
import { uncountedTokens } from '../caching/uncounted.js';
import { parseModelRef } from '../models/modelRef.js';
import type { BatchRow, Control } from '../store/types.js';
import type { BatchCache } from '../task/cachePlan.js';
import { TemperedError, thrownText } from '../task/errors.js';
import type { TaskSpec } from '../task/spec.js';
import { type Ask, cacheOf, withTokens } from './ask.js';
import { cachingOf } from './caching.js';
import type { ActivityDeps } from './context.js';
import { wantsTags, withExplicitCache } from './explicitCache.js';
import { withHeartbeat } from './heartbeat.js';
import { type Job, openJob } from './job.js';
import { askOf } from './jobAsk.js';
import type { CacheActivities, OpenedCaching } from './types.js';

/** What the worker's log is told of a batch's cache. */
interface Log {
  readonly info: (line: string) => void;
  readonly warn: (line: string) => void;
}

/** How a batch begins with its cache; undefined where its settings want none. */
export function openedCaching(
  { providers, optimizing, now }: Pick<ActivityDeps, 'providers' | 'optimizing' | 'now'>,
  row: BatchRow,
  spec: TaskSpec,
): OpenedCaching | undefined {
  const { config, prompts } = cachingOf(row, spec, optimizing);
  if (!config.enabled) return undefined;
  const { model, instructions, schema, messages = [], params } = spec;
  const ref = parseModelRef(model);
  const info = providers.modelInfo(ref, new Date(now()));
  const supported = providers.cachesPrompts(ref.provider);
  const request = { config, info, instructions, schema, messages, params, staticTurns: staticTurns(spec), prompts };
  const { decision, prefix } = planCache({ ...request, supported });
  return {
    plan: { model, prefix, countedBy: 'estimate', decision },
    // Tags that can't be kept are told of.
    ask: worthCounting(decision) || wantsTags(config),
    warmFirst: config.warmFirst,
    settleMs: config.settleSeconds * 1000,
  };
}

/** Activities that prepare a batch's cache at its provider. */
export function createCacheActivities(deps: ActivityDeps): CacheActivities {
  return {
    prepareCache: (input) =>
      withHeartbeat(nothing, async ({ log, cancellationSignal }) => {
        // Which model is asked may have changed a moment ago.
        deps.control.forget(input.batchId);
        const [job, control] = await Promise.all([openJob(deps, input), deps.control.read(input.batchId)]);
        return prepared(deps, job, control, log, cancellationSignal);
      }),
  };
}

const nothing = () => null;

async function prepared(
  deps: ActivityDeps,
  job: Job,
  control: Control,
  log: Log,
  signal: AbortSignal,
): Promise<BatchCache> {
  const warn = (line: string) => log.warn(line);
  const bare = undecided(control);
  const ask = askOf(deps, job, bare, warn);
  const estimated = cacheOf(ask, 'estimate');
  const tokens = await countedPrefix(deps, ask, log, signal);
  const cache =
    tokens === null
      ? estimated
      : cacheOf(askOf(deps, job, { ...bare, cache: withTokens(estimated, tokens) }, warn), 'provider');
  if (cache.decision.cache) log.info(`Cache optimization enabled for provider: ${ask.provider}`);
  else if (cache.decision.reason === 'not_supported') {
    log.warn('Cache optimization requested but not supported by provider');
  }
  return withExplicitCache(deps, job, ask, cache, { control, warn, signal });
}

function undecided({ cache: _decided, ...control }: Control): Control {
  return control;
}

/** Tokens of the prefix as its provider counts them for nothing; null = it can't, or could not be asked. */
async function countedPrefix(deps: ActivityDeps, ask: Ask, log: Log, signal: AbortSignal): Promise<number | null> {
  if (ask.caching === null) return null;
  try {
    const messages = [...ask.caching.turns, { role: 'user', content: '.' } as const];
    const request = { ...ask.request, messages, cachePrefix: false, cacheMarks: undefined };
    const provider = deps.providers.get(ask.provider);
    const tokens = await provider.countTokens(request, signal);
    // All but the full stop that no request goes without.
    return tokens === null ? null : tokens - 1 + uncountedTokens(provider.kind, request);
  } catch (error) {
    if (!(error instanceof TemperedError) || signal.aborted) throw error;
    log.info(`${ask.model} could not count the prefix, so it is estimated: ${thrownText(error)}`);
    return null;
  }
}
