import type { IncomingHttpHeaders } from 'node:http';
import type { ModelInfo } from '../../models/types.js';
import { isJsonObject, parseJson, type JsonObject } from '../../task/json.js';
import type { Usage } from '../../task/usage.js';
import type { PromptBlock } from '../promptCache.js';
import type { QuotaState } from '../quota.js';
import type { Scenario } from '../scenario.js';
import type { MadeCall, ToolOffer } from '../tools.js';
import type { SentEvent } from './events.js';

/** An HTTP response. */
export interface HttpReply {
  /** Status code. */
  readonly status: number;
  /** Headers beside content type and length. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body: JsonObject;
  /** Sent as server-sent events instead. */
  readonly events?: readonly SentEvent[];
}

/** Thrown while a request is read: the provider says no to it. */
export class Refused extends Error {
  override readonly name = 'Refused';

  constructor(
    /** What the provider says. */
    readonly reply: HttpReply,
  ) {
    super(`refused with status ${reply.status}`);
  }
}

/** An HTTP request below a provider's prefix. */
export interface Call {
  /** `GET`, `POST`, … */
  readonly method: string;
  /** The prefix: `anthropic`, `gemini`, `openai`, `lmstudio`, `ollama` or `compatible`. */
  readonly provider: string;
  /** Path below the prefix, decoded, without the query. */
  readonly path: string;
  /** The query. */
  readonly query: URLSearchParams;
  /** Headers, names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** The body as it came. */
  readonly text: string;
  /** Our own id for it, told in headers and errors. */
  readonly id: string;
  /** Time of arrival, milliseconds. */
  readonly now: number;
  /** What may be asked for. */
  readonly scenario: Scenario;
}

/** A prompt in no provider's words. */
export interface Asked {
  /** The prefix it came to. */
  readonly provider: string;
  /** The model that will answer. */
  readonly model: string;
  /** What is known of it. */
  readonly info: ModelInfo;
  /** The whole prompt, in the order in which prefixes are compared. */
  readonly blocks: readonly PromptBlock[];
  /** Instructions, to look for a schema in. */
  readonly system: string;
  /** Texts of the user's turns. */
  readonly userTexts: readonly string[];
  /** Structured output that was asked for; undefined = none. */
  readonly schema: JsonObject | undefined;
  /** The tools it may call. */
  readonly offer: ToolOffer;
  /** The answer is to be streamed. */
  readonly stream: boolean;
  /** JSON was asked for without a schema. */
  readonly jsonMode: boolean;
  /** Sampling temperature, if one was sent. */
  readonly temperature: number | undefined;
  /** Effort or thinking level, if one was sent. */
  readonly effort: string | undefined;
  /** Cap of generated tokens, thinking included; undefined = the model's own. */
  readonly maxOutputTokens: number | undefined;
  /** How the provider caches prompts. */
  readonly caching: 'breakpoints' | 'automatic' | 'none';
  /** Tokens of an explicit cache that the prompt begins with (Gemini). */
  readonly explicitTokens: number;
}

/** What the model makes of a prompt, in no provider's words. */
export interface Answer {
  /** `text`, or why there is none. */
  readonly kind: 'text' | 'refusal' | 'safety' | 'empty';
  /** Tools it calls; the text is blank then. */
  readonly toolCalls: readonly MadeCall[];
  /** The answer, or a refusal's words. */
  readonly text: string;
  /** The output cap was reached. */
  readonly truncated: boolean;
  /** What is billed. */
  readonly usage: Usage;
}

/** Why a request is turned away although nothing is wrong with it. */
export type Trouble = 'rateLimit' | 'overloaded' | 'serverError';

/** A provider's way of speaking. Nothing here is shared with the adapters under test. */
export interface Wire {
  /** The key a request carries. */
  key(call: Call): string | undefined;
  /** Whether it needs one. */
  readonly needsKey: boolean;
  /** The answer to a missing or wrong key. */
  keyRefused(call: Call, key: string | undefined): HttpReply;
  /** A prompt, or the reply to anything else. Throws {@link Refused}. */
  open(call: Call): Asked | HttpReply;
  /** The model's answer. */
  answered(call: Call, asked: Asked, answer: Answer): HttpReply;
  /** Trouble; `retryAfterMs` null = without a hint, `refusedBy` = the quota that was used up. */
  failed(
    call: Call,
    trouble: Trouble,
    details: { readonly retryAfterMs: number | null; readonly refusedBy?: QuotaState['refusedBy'] },
  ): HttpReply;
  /** Headers that tell the account's quotas. */
  quotaHeaders(state: QuotaState, now: number): Readonly<Record<string, string>>;
}

/** A body as a JSON object; null when it is none. */
export function bodyObject(text: string): JsonObject | null {
  try {
    const value = parseJson(text);
    return isJsonObject(value) ? value : null;
  } catch {
    // No JSON: the caller answers in its provider's words.
    return null;
  }
}

/** The value of a header. */
export function header(call: Call, name: string): string | undefined {
  const value = call.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The token of `authorization: Bearer …`. */
export function bearer(call: Call): string | undefined {
  const found = /^Bearer\s+(.+)$/i.exec(header(call, 'authorization') ?? '')?.[1]?.trim();
  return found === '' ? undefined : found;
}

/** Whole seconds, for `retry-after`: never less than what is meant. */
export function wholeSeconds(ms: number): string {
  return String(Math.ceil(ms / 1000));
}
