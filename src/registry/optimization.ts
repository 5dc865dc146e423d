import { debuglog } from 'node:util';
import { type CachePlan, planCache } from '../caching/breakpoints.js';
import { optimizationSwitch, parseOptimization } from '../caching/config.js';
import { type Environment, optimizationAt } from '../caching/environments.js';
import { fallBack } from '../caching/fallback.js';
import { type CacheFacts, type CacheStatistics, cacheStatistics, prefixBlocks } from '../caching/statistics.js';
import { cacheSavingsNano } from '../models/cost.js';
import type { ModelInfo } from '../models/types.js';
import { failureOfMarks, refusesMarks, unmarked } from '../providers/cacheFaults.js';
import type { Turn } from '../providers/turns.js';
import type { ModelReply, ModelRequest, Provider, ProviderSet } from '../providers/types.js';
import { TemperedError } from '../task/errors.js';
import { nanoToUsd } from '../task/money.js';
import type { OptimizationConfig, OptimizationLayer, OptimizationOptions } from '../task/optimization.js';
import type { Message } from '../task/spec.js';
import { addUsage, ZERO_USAGE } from '../task/usage.js';
import { RecentTurns } from './recentTurns.js';

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
  /** What a rollout by percentage goes by. */
  readonly rolloutKey: string;
  /** Where faults are told. */
  readonly log: OptimizationLog;
  /** What marks prompts by these settings; the same for every handle of one model, service and purpose. */
  readonly caching: (config: OptimizationConfig) => PromptCaching;
}

/** What was asked of optimization for a handle, and what came of it. */
export interface Settled {
  /** As it was asked for, in our spelling; false = nothing is to be done, undefined = nothing was asked. */
  readonly optimization?: OptimizationOptions | false | undefined;
  /** Marks its prompts; undefined = they go out as they are. */
  readonly caching?: PromptCaching | undefined;
}

/**
 * What comes of `asked`. Prompts go out as they are when they are not to be cached, the provider takes no marks, or the
 * configuration is faulty; the last two the log tells. Undefined = what is asked can't be read.
 */
export function settle(
  provider: Pick<Provider, 'name'>,
  source: OptimizationSource,
  asked: OptimizationOptions | undefined,
): Settled | undefined {
  const optimization = logged(source, () => (asked === undefined ? {} : parseOptimization(asked)));
  if (optimization === undefined) return undefined;
  const caching = logged(source, () => cachingFor(provider, source, optimization));
  return { optimization: asked === undefined ? undefined : optimization, caching };
}

/** What is found, or undefined and a line in the log. */
function logged<T>({ log }: OptimizationSource, find: () => T): T | undefined {
  try {
    return find();
  } catch (error) {
    if (!(error instanceof TemperedError)) throw error;
    log.warn(`Failed to apply optimization: ${error.message}`);
    return undefined;
  }
}

function cachingFor(
  provider: Pick<Provider, 'name'>,
  { environment, env, service, purpose, rolloutKey, log, supported, caching }: OptimizationSource,
  call: OptimizationLayer,
): PromptCaching | undefined {
  const config = optimizationAt({
    environment,
    provider: provider.name,
    service,
    rolloutKey,
    purpose,
    call,
    forced: optimizationSwitch(env),
  });
  if (!config.cache.enabled) return undefined;
  if (supported) {
    log.note(`Cache optimization enabled for provider: ${provider.name}`);
    return caching(config);
  }
  log.warn(`Cache optimization requested but not supported by provider: ${provider.name}`);
  return undefined;
}

const NOTHING: CacheFacts = { prompts: 1, blocks: 0, marked: 0, markedTokens: 0, usage: ZERO_USAGE, savedUsd: 0 };

/** Marks the prompts of handles that share it, and counts what came of it. */
export class PromptCaching {
  private sums = NOTHING;
  private isRefused = false;
  private isTold = false;
  private readonly recent = new RecentTurns();
  private readonly prefixes = new WeakMap<ModelRequest, Pick<CacheFacts, 'marked' | 'markedTokens'>>();

  constructor(
    private readonly config: OptimizationConfig,
    private readonly log: OptimizationLog,
    private readonly endpoints: Pick<ProviderSet, 'cachesBare'>,
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
   * had too, and of blocks that are marked. When they can't be found, or the provider refused them before, it stays as
   * it is; of the first the log says why, and with `raiseOnFallback`, or without a fallback, `invalid_request` is
   * thrown: `Optimization failed: …`.
   */
  marked(request: ModelRequest, info: ModelInfo): ModelRequest {
    if (this.isRefused) return request;
    try {
      const { marks, decision, turns } = this.plan(request, info);
      if (marks === undefined) return request;
      this.log.note(`Cache markers injected for ${request.messages.length} messages`);
      const marked = { ...request, cachePrefix: true, cacheMarks: marks };
      const { instructions } = request;
      this.prefixes.set(marked, { marked: prefixBlocks(instructions, turns), markedTokens: decision.prefixTokens });
      return marked;
    } catch (cause) {
      fallBack(this.config.fallback, cause, this.log.warn);
      return request;
    }
  }

  /**
   * Sends a request, and counts it with the tokens its provider told: a failed answer may be billed too. When its
   * breakpoints are refused, which is not billed, it goes out without, and so do all later ones, unless the settings want
   * it to fail.
   */
  async send(
    request: ModelRequest,
    info: ModelInfo,
    send: (request: ModelRequest) => Promise<ModelReply>,
  ): Promise<ModelReply> {
    const reply = await send(request);
    if (!refusesMarks(request, reply)) return this.counted(request, info, reply);
    // Calls that were on their way together are refused together; one of them is told of.
    const warn = this.isTold ? () => undefined : this.log.warn;
    const failure = failureOfMarks(reply, this.config.fallback, warn);
    if (failure !== undefined) return this.counted(request, info, failure);
    this.isTold = true;
    const plain = unmarked(request);
    const second = await send(plain);
    // Else something in the handle's own parameters may be to blame: the next call asks anew.
    if (second.ok) this.isRefused = true;
    return this.counted(plain, info, second);
  }

  private counted(request: ModelRequest, info: ModelInfo, reply: ModelReply): ModelReply {
    const { sums } = this;
    const { usage } = reply;
    const { marked, markedTokens } = this.prefixes.get(request) ?? NOTHING;
    const saved = usage === null ? 0 : info.prices === null ? null : nanoToUsd(cacheSavingsNano(info, usage));
    this.sums = {
      prompts: 1,
      blocks: sums.blocks + (request.instructions === undefined ? 0 : 1) + request.messages.length,
      marked: sums.marked + marked,
      markedTokens: sums.markedTokens + markedTokens,
      usage: usage === null ? sums.usage : addUsage(sums.usage, usage),
      savedUsd: sums.savedUsd === null || saved === null ? null : sums.savedUsd + saved,
    };
    return reply;
  }

  private plan({ instructions, schema, messages, tools, params }: ModelRequest, info: ModelInfo): CachePlan {
    const offered = tools === undefined ? params : { ...params, tools: JSON.stringify(tools) };
    const starts = instructions !== undefined || schema !== undefined || offered['tools'] !== undefined;
    return planCache({
      config: this.config.cache,
      info,
      instructions,
      schema,
      messages: messages.map(worded),
      params: offered,
      staticTurns: this.recent.shared(messages),
      // The key stays while a conversation grows: by it a provider finds the server that has its beginning.
      keyTurns: starts ? 0 : 1,
      prompts: EXPECTED_CALLS,
      cachesBare: (bare) => this.endpoints.cachesBare(info.ref, bare),
    });
  }
}

/** A turn as far as its size goes. */
function worded({ role, content }: Turn): Message {
  return { role: role === 'assistant' ? 'assistant' : 'user', content };
}
