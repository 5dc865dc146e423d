import { type CacheInput, markedBlocks, planCache, staticTurns } from '../caching/breakpoints.js';
import { worthCounting } from '../caching/decision.js';
import { uncountedTokens } from '../caching/uncounted.js';
import { parseModelRef } from '../models/modelRef.js';
import type { BatchRow, Control } from '../store/types.js';
import type { BatchCache } from '../task/cachePlan.js';
import { TemperedError, thrownText } from '../task/errors.js';
import type { Counters } from '../task/outcome.js';
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

/** Records whose marked blocks are compared. */
const COMPARED = 10;

/**
 * How a batch begins with its cache; undefined where its settings want none. `before`: what of its records was settled
 * by the task's `before`, or taken over from earlier batches.
 */
export function openedCaching(
  { providers, optimizing, now }: Pick<ActivityDeps, 'providers' | 'optimizing' | 'now'>,
  row: BatchRow,
  spec: TaskSpec,
  before: Pick<Counters, 'succeeded' | 'partial' | 'failed' | 'notRun'>,
): OpenedCaching | undefined {
  const settled = before.succeeded + before.partial + before.failed + before.notRun;
  const { config, prompts } = cachingOf(row, spec, optimizing, settled);
  if (!config.enabled) return undefined;
  const { model, instructions, schema, messages = [], params } = spec;
  const ref = parseModelRef(model);
  const info = providers.modelInfo(ref, new Date(now()));
  const supported = providers.cachesPrompts(ref.provider);
  const request = { config, info, instructions, schema, messages, params, staticTurns: staticTurns(spec), prompts };
  const cachesBare: CacheInput['cachesBare'] = (bare) => providers.cachesBare(ref, bare);
  const { decision, prefix } = planCache({ ...request, supported, cachesBare });
  return {
    plan: { model, prefix, countedBy: 'estimate', decision },
    // Tags that can't be kept are told of; and what a function makes of the records is known when one is looked at.
    ask: worthCounting(decision) || wantsTags(config) || (isInCode(spec) && decision.reads > 0),
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

/** Whether a function makes the prompts. */
function isInCode({ prompt, messages }: TaskSpec): boolean {
  return prompt === undefined && messages === undefined;
}

async function prepared(
  deps: ActivityDeps,
  job: Job,
  control: Control,
  log: Log,
  signal: AbortSignal,
): Promise<BatchCache> {
  const warn = (line: string) => log.warn(line);
  const word = await withCompared(deps, job, undecided(control), warn);
  const differ = word.cache?.marksDiffer === true ? { marksDiffer: true } : {};
  const ask = askOf(deps, job, word, warn);
  const estimated = { ...cacheOf(ask, 'estimate'), ...differ };
  const tokens = worthCounting(estimated.decision) ? await countedPrefix(deps, ask, log, signal) : null;
  const recount = (cache: BatchCache) => cacheOf(askOf(deps, job, { ...word, cache }, warn), 'provider');
  const cache = tokens === null ? estimated : { ...recount(withTokens(estimated, tokens)), ...differ };
  if (cache.decision.cache) log.info(`Cache optimization enabled for provider: ${ask.provider}`);
  else if (cache.decision.reason === 'not_supported') {
    log.warn('Cache optimization requested but not supported by provider');
  }
  return withExplicitCache(deps, job, ask, cache, { control, warn, signal });
}

/** The batch's word before its prefix is counted: of its cache only what can't be found out again is left. */
function undecided({ cache, ...control }: Control): Control {
  return cache === undefined ? control : { ...control, cache: uncounted(cache) };
}

function uncounted({ explicit: _explicit, explicitHeldBack: _heldBack, ...known }: BatchCache): BatchCache {
  return { ...known, countedBy: 'estimate' };
}

/**
 * The batch's word, with whether what a prompt function marks differs from record to record: no two of the first ten
 * share their prefix. Each of them would be written to the cache, for more than its price, and read by nobody.
 */
async function withCompared(
  deps: ActivityDeps,
  job: Job,
  word: Control,
  warn: (line: string) => void,
): Promise<Control> {
  if (!isInCode(job.task.spec)) return word;
  const first = askOf(deps, job, word, warn);
  if (markedBlocks(first.request.messages).every((blocks) => blocks.length === 0)) return word;
  const { batch, record } = job;
  const indices = Array.from({ length: COMPARED - 1 }, (_, i) => record.index + 1 + i);
  const names = [first.caching?.prefix];
  for await (const other of deps.store.openRecords(batch.id, indices)) {
    names.push(askOf(deps, { ...job, record: other.record }, word, warn).caching?.prefix);
  }
  if (names.length === 1 || new Set(names).size < names.length) return word;
  warn('Cache markers ignored: the blocks that prompt() marks differ from record to record');
  return { ...word, cache: { ...(word.cache ?? cacheOf(first, 'estimate')), marksDiffer: true } };
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
