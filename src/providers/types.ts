import type { BarePrefix, CacheMarks } from '../caching/breakpoints.js';
import type { ModelInfo, ModelRef, ProviderKind } from '../models/types.js';
import type { ExplicitCache } from '../task/cachePlan.js';
import type { ItemError } from '../task/errors.js';
import type { Json, JsonObject } from '../task/json.js';
import type { SafetyRating } from '../task/outcome.js';
import type { Message, PoolLimits } from '../task/spec.js';
import type { Usage } from '../task/usage.js';
import type { ToolCall, ToolChoice, ToolSpec, Turn } from './turns.js';

/** One request to a model, in no provider's words. */
export interface ModelRequest {
  /** The model's name without its provider. */
  readonly model: string;
  /** Static prefix: system prompt. */
  readonly instructions: string | undefined;
  /** The turns of the conversation; the last one is the user's, or tools'. */
  readonly messages: readonly Turn[];
  /** Tools the model may ask for. Default none. */
  readonly tools?: readonly ToolSpec[];
  /** Whether it calls them. Default `auto`. */
  readonly toolChoice?: ToolChoice;
  /** JSON Schema of the answer; undefined = text. */
  readonly schema: JsonObject | undefined;
  /** Most tokens to generate, thinking included. */
  readonly maxOutputTokens: number;
  /** Sent as it is: whether the model takes it was decided before. */
  readonly temperature: number | undefined;
  /** Effort or thinking level; sent as it is. */
  readonly effort: string | undefined;
  /** Cache the static prefix. */
  readonly cachePrefix: boolean;
  /** Where its breakpoints go. Default: one at the end of the instructions, for five minutes. */
  readonly cacheMarks?: CacheMarks | undefined;
  /** A cache that holds the request's beginning, if it holds exactly that. Default none. */
  readonly explicitCache?: Pick<ExplicitCache, 'name' | 'hash' | 'turns'> | undefined;
  /** Provider parameters passed through. */
  readonly params: JsonObject;
  /** Time for the whole answer; milliseconds. */
  readonly timeoutMs: number;
}

/** A request without turns of tools, as batches send them. */
export type PromptRequest = Omit<ModelRequest, 'messages'> & { readonly messages: readonly Message[] };

/** What came back, or why nothing usable did. Adapters never throw for what a provider or network does. */
export type ModelReply = ModelAnswer | ModelFailure;

/** Facts every reply has. */
interface ReplyFacts {
  readonly requestedModel: string;
  /** The model that says it answered; null when nobody answered. */
  readonly model: string | null;
  readonly latencyMs: number;
  /** The provider's body as received, for the journal; null when there was none. */
  readonly raw: JsonObject | string | null;
  /** What response headers said of quotas, when they did. */
  readonly rateLimits: PoolLimits | null;
}

/** A usable text. */
export interface ModelAnswer extends ReplyFacts {
  /** The text can be used. */
  readonly ok: true;
  /** The answer, thinking left out; blank only when tools are asked for. */
  readonly text: string;
  /** Tools the model asks for, in its order. */
  readonly toolCalls: readonly ToolCall[];
  /** The answer's content in the provider's words, to go back before the results of tools. */
  readonly native: Json;
  /** The provider's word for how the answer ended; null when it gave none. */
  readonly finishReason: string | null;
  /** Gemini's ratings; null elsewhere. */
  readonly safetyRatings: readonly SafetyRating[] | null;
  /** Null when the server sent none. */
  readonly usage: Usage | null;
  /** The provider's usage object, untouched. */
  readonly rawUsage: JsonObject | null;
}

/** No usable text. May still be billed: then `usage` says so. */
export interface ModelFailure extends ReplyFacts {
  /** There is no text that can be used. */
  readonly ok: false;
  /** Why. */
  readonly error: ProviderError;
  /** Text that came before a truncation or block. */
  readonly text?: string;
  /** The provider's word for how the answer ended; null when there was no answer. */
  readonly finishReason: string | null;
  /** Gemini's ratings; null elsewhere. */
  readonly safetyRatings: readonly SafetyRating[] | null;
  /** Tokens; null when nobody told. */
  readonly usage: Usage | null;
  /** The provider's usage object, untouched. */
  readonly rawUsage: JsonObject | null;
}

/** An {@link ItemError} with the wire's facts. */
export interface ProviderError extends ItemError {
  /** HTTP status, or the status an error inside an HTTP 200 body names; null when there was no response. */
  readonly status: number | null;
  /** How long the provider said to wait; null = it did not say. */
  readonly retryAfterMs: number | null;
  /**
   * Whether the prompt may have been billed: `no` for requests that were refused before the model ran (429, 401, a
   * refused connection), `yes` when usage came back, `unknown` for a reset, a timeout or a 5xx.
   */
  readonly billed: 'no' | 'yes' | 'unknown';
}

/** A model on a machine of one's own. */
export interface LocalModel {
  /** Its name in requests. */
  readonly id: string;
  /** Whether it is in memory. */
  readonly loaded: boolean;
  /** Context it was loaded with, else the most it can have; tokens. Null = not told. */
  readonly contextTokens: number | null;
}

/** A cache as its provider tells of it. */
export interface RemoteCache {
  /** The provider's name of it. */
  readonly name: string;
  /** The model it is for. */
  readonly model: string;
  /** What its maker called it; null = nothing was kept. */
  readonly displayName: string | null;
  /** Its end; milliseconds since epoch. */
  readonly expiresAt: number;
}

/** A cache to be made. */
export interface CacheOrder {
  /** How many of the request's first turns it holds, beside instructions and tools. */
  readonly turns: number;
  /** How long it lives, from now; seconds. */
  readonly ttlSeconds: number;
  /** Its name for people; null = none. */
  readonly displayName: string | null;
}

/** Caches that are made on purpose. Each method but the first throws `TemperedError`. */
export interface ExplicitCaches {
  /** Hash of all that a cache of the request's instructions, tools and first `turns` turns holds; null = it can't be held. */
  contentHash(request: ModelRequest, turns: number): string | null;
  /** All there are. */
  list(signal: AbortSignal): Promise<readonly RemoteCache[]>;
  /** Makes one. */
  create(request: ModelRequest, order: CacheOrder, signal: AbortSignal): Promise<RemoteCache>;
  /** Lets it live `ttlSeconds` from now. */
  renew(name: string, ttlSeconds: number, signal: AbortSignal): Promise<RemoteCache>;
  /** Ends it. */
  remove(name: string, signal: AbortSignal): Promise<void>;
}

/** One configured endpoint. Stateless between requests but for its HTTP connections. */
export interface Provider {
  /** The name in `provider/model`, also the pool's name. */
  readonly name: string;
  /** Its wire. */
  readonly kind: ProviderKind;
  /**
   * Sends exactly one request; no retries. Resolves also on abort (category `cancelled`). With `onText` the answer is
   * streamed: each piece of its text is told as it comes, and the reply is the same.
   */
  send(request: ModelRequest, signal: AbortSignal, onText?: (text: string) => void): Promise<ModelReply>;
  /** Model ids the endpoint lists. Throws `TemperedError`. */
  listModels(signal: AbortSignal): Promise<readonly string[]>;
  /** Models on the endpoint's machine, and whether they are in memory; null = it does not tell. Throws `TemperedError`. */
  localModels(signal: AbortSignal): Promise<readonly LocalModel[] | null>;
  /**
   * Tokens of a request's prompt, counted by the provider for nothing; null = the endpoint can't count. Gemini counts
   * no schema. Throws `TemperedError`.
   */
  countTokens(request: ModelRequest, signal: AbortSignal): Promise<number | null>;
  /** Its caches that are made on purpose; null = it has none. */
  caches(): Promise<ExplicitCaches | null>;
}

/** The endpoints a process can reach, by provider name. */
export interface ProviderSet {
  /** The endpoint of `provider`. Throws `TemperedError` (`input`: unknown name; `authentication`: no key set). */
  get(provider: string): Provider;
  /**
   * What is known of a model here, with the prices in force at `at`: a named endpoint's model keeps the parameter rules
   * of its wire, and what the config file says of models wins over our tables.
   */
  modelInfo(ref: ModelRef, at: Date): ModelInfo;
  /** Whether an endpoint is known to keep a prompt's prefix and to charge less for it. */
  cachesPrompts(provider: string): boolean;
  /** Whether an endpoint that caches prompts can keep a prefix of nothing but schema and tools: not where no mark fits. */
  cachesBare(ref: ModelRef, bare: BarePrefix): boolean;
  /** Names whose key is set or which need none. */
  readonly available: readonly string[];
  /** Every name, also those without a key. */
  readonly names: readonly string[];
}
