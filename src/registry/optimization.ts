import { debuglog } from 'node:util';
import { type CachePlan, planCache } from '../caching/breakpoints.js';
import { optimizationSwitch, parseOptimization } from '../caching/config.js';
import { type Environment, optimizationAt } from '../caching/environments.js';
import { fallBack } from '../caching/fallback.js';
import { type CacheFacts, type CacheStatistics, cacheStatistics } from '../caching/statistics.js';
import { cacheSavingsNano } from '../models/cost.js';
import type { ModelInfo } from '../models/types.js';
import type { Turn } from '../providers/turns.js';
import type { ModelRequest, Provider } from '../providers/types.js';
import { TemperedError } from '../task/errors.js';
import { nanoToUsd } from '../task/money.js';
import type { OptimizationConfig } from '../task/optimization.js';
import type { Message } from '../task/spec.js';
import { addUsage, type Usage, ZERO_USAGE } from '../task/usage.js';

/** Calls that are taken to begin alike: who optimizes a handle means to use it often. */
const EXPECTED_CALLS = 1_000;

/** Where lines about optimization go. */
export interface OptimizationLog {
  /** What went as it should. */
  readonly note: (line: string) => void;
  /** What did not. */
  readonly warn: (line: string) => void;
}

const debug = debuglog('tempered');

/** Faults are warnings of the process; the rest is told with `NODE_DEBUG=tempered`. */
export const PROCESS_LOG: OptimizationLog = {
  note: (line) => {
    debug(line);
  },
  warn: (line) => {
    process.emitWarning(line, { type: 'TemperedWarning', code: 'TEMPERED_OPTIMIZATION' });
  },
};

/** What decides how the prompts of a handle are made cheaper, beside what it is asked for itself. */
export interface OptimizationSource {
  /** Settings of `tempered.config`; undefined = there are none. */
  readonly environment: Environment | undefined;
  /** For LLM_OPTIMIZATION_ENABLED. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether the endpoint keeps prefixes for less. */
  readonly supported: boolean;
  /** The service it works for; blank = none. */
  readonly service: string;
  /** What it is used for; blank = none. */
  readonly purpose: string;
  /** Where faults are told. */
  readonly log: OptimizationLog;
  /** What marks prompts by these settings; the same for every handle of one model, service and purpose. */
  readonly caching: (config: OptimizationConfig) => PromptCaching;
}

/**
 * What marks the prompts of a handle that asks for `call`; undefined when they go out as they are: they are not to be
 * cached, the provider takes no marks, or the configuration is faulty, which the log tells.
 */
export function cachingFor(
  provider: Pick<Provider, 'name'>,
  source: OptimizationSource,
  call: unknown,
): PromptCaching | undefined {
  const { environment, env, service, purpose, log } = source;
  try {
    const config = optimizationAt({
      environment,
      provider: provider.name,
      service,
      // Handles without a service are not all in or all out together.
      rolloutKey: service === '' ? provider.name : service,
      purpose,
      call: call === undefined ? undefined : parseOptimization(call),
      forced: optimizationSwitch(env),
    });
    if (!config.cache.enabled) return undefined;
    if (source.supported) {
      log.note(`Cache optimization enabled for provider: ${provider.name}`);
      return source.caching(config);
    }
    log.warn(`Cache optimization requested but not supported by provider: ${provider.name}`);
  } catch (error) {
    if (!(error instanceof TemperedError)) throw error;
    log.warn(`Failed to apply optimization: ${error.message}`);
  }
  return undefined;
}

const NOTHING: CacheFacts = { prompts: 1, blocks: 0, marked: 0, markedTokens: 0, usage: ZERO_USAGE, savedUsd: 0 };

/** Marks the prompts of handles that share it, and counts what came of it. */
export class PromptCaching {
  private sums = NOTHING;
  private lastTurns: readonly Turn[] = [];
  private readonly prefixTokens = new WeakMap<ModelRequest, number>();

  constructor(
    private readonly config: OptimizationConfig,
    private readonly log: OptimizationLog,
  ) {}

  /** What was hoped of the cache, and what it did, since the beginning or the last reset. */
  get statistics(): CacheStatistics {
    return cacheStatistics([this.sums]);
  }

  /** Counts from nothing again. */
  reset(): void {
    this.sums = NOTHING;
  }

  /**
   * The request with its breakpoints: at the end of instructions, tools and schema, of leading turns the call before
   * had too, and of blocks that are marked. When they can't be found it stays as it is and the log says why; with
   * `raiseOnFallback`, or without a fallback, `invalid_request` is thrown: `Optimization failed: …`.
   */
  marked(request: ModelRequest, info: ModelInfo): ModelRequest {
    try {
      const { marks, decision } = this.plan(request, info);
      if (marks === undefined) return request;
      this.log.note(`Cache markers injected for ${request.messages.length} messages`);
      const marked = { ...request, cachePrefix: true, cacheMarks: marks };
      this.prefixTokens.set(marked, decision.prefixTokens);
      return marked;
    } catch (cause) {
      fallBack(this.config.fallback, cause, this.log.warn);
      return request;
    }
  }

  /** Counts a request that was sent, with the tokens its provider told. */
  count(request: ModelRequest, info: ModelInfo, usage: Usage | null): void {
    const { sums } = this;
    const saved = usage === null ? 0 : info.prices === null ? null : nanoToUsd(cacheSavingsNano(info, usage));
    this.sums = {
      prompts: 1,
      blocks: sums.blocks + (request.instructions === undefined ? 0 : 1) + request.messages.length,
      marked: sums.marked + (request.cachePrefix ? 1 : 0),
      markedTokens: sums.markedTokens + (this.prefixTokens.get(request) ?? 0),
      usage: usage === null ? sums.usage : addUsage(sums.usage, usage),
      savedUsd: sums.savedUsd === null || saved === null ? null : sums.savedUsd + saved,
    };
  }

  private plan({ instructions, schema, messages, tools, params }: ModelRequest, info: ModelInfo): CachePlan {
    const staticTurns = sharedTurns(this.lastTurns, messages);
    this.lastTurns = messages;
    return planCache({
      config: this.config.cache,
      info,
      instructions,
      schema,
      messages: messages.map(worded),
      params: tools === undefined ? params : { ...params, tools: JSON.stringify(tools) },
      staticTurns,
      prompts: EXPECTED_CALLS,
    });
  }
}

/** A turn as far as its size goes. */
function worded({ role, content }: Turn): Message {
  return { role: role === 'assistant' ? 'assistant' : 'user', content };
}

/** Leading turns both calls have, the last one never: it is what is asked. Few-shot examples, or a growing conversation. */
function sharedTurns(before: readonly Turn[], turns: readonly Turn[]): number {
  const asked = turns.slice(0, -1);
  const first = asked.findIndex((turn, i) => !isPlain(turn) || !same(turn, before[i]));
  return first === -1 ? asked.length : first;
}

/** A turn without tools: it is one message on every wire, so its number is the message's. */
function isPlain(turn: Turn): boolean {
  return turn.role !== 'tool' && !('toolCalls' in turn);
}

function same(turn: Turn, other: Turn | undefined): boolean {
  if (other?.role !== turn.role) return false;
  return turn.content === other.content || JSON.stringify(turn.content) === JSON.stringify(other.content);
}
