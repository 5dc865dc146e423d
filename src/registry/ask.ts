import { costNano } from '../models/cost.js';
import type { ModelInfo } from '../models/types.js';
import type { ModelFailure, ModelRequest, Provider } from '../providers/types.js';
import { type ErrorCategory, TemperedError } from '../task/errors.js';
import { nanoToUsd } from '../task/money.js';
import type { Usage } from '../task/usage.js';
import type { PromptCaching } from './optimization.js';
import type { LlmAnswer } from './types.js';

/** What is known of a failed call beside its category. */
export interface LlmErrorDetails {
  /** HTTP status; null when there was no response. */
  readonly status: number | null;
  /** Whether asking again could help. */
  readonly retryable: boolean;
  /** How long the provider said to wait; null = it did not say. */
  readonly retryAfterMs: number | null;
  /** The provider's own code. */
  readonly code?: string | undefined;
  /** What the model wrote before it was stopped, or what does not fit. */
  readonly text?: string | undefined;
  /** Tokens: a failed answer may be billed too. Null when nobody told. */
  readonly usage: Usage | null;
  /** What it cost; null when usage or price is unknown. */
  readonly costUsd: number | null;
}

/** A call that gave no usable answer. Nothing was tried again: that is the caller's choice. */
export class LlmError extends TemperedError {
  constructor(
    category: ErrorCategory,
    message: string,
    /** What is known beside. */
    readonly details: LlmErrorDetails,
  ) {
    super(category, message);
  }
}

/** What tokens cost; null when usage or price is unknown. */
export function usdOf(info: ModelInfo, usage: Usage | null): number | null {
  const nano = usage === null ? null : costNano(info, usage);
  return nano === null ? null : nanoToUsd(nano);
}

function errorOf({ error, text, usage }: ModelFailure, info: ModelInfo): LlmError {
  const { category, message, status, retryable, retryAfterMs, code } = error;
  return new LlmError(category, message, {
    status,
    retryable,
    retryAfterMs,
    code,
    text,
    usage,
    costUsd: usdOf(info, usage),
  });
}

/** Where a request goes, and who listens. */
export interface AskPlace {
  /** The endpoint. */
  readonly provider: Provider;
  /** What is known of the model. */
  readonly info: ModelInfo;
  /** Ends the request. */
  readonly signal: AbortSignal;
  /** Told the answer's text as it comes: the answer is streamed. */
  readonly onText?: (text: string) => void;
  /** What marks its prompts; undefined = nothing does. */
  readonly caching?: PromptCaching | undefined;
}

/** Sends one request; see {@link PromptCaching.send}. Throws {@link LlmError} when nothing usable comes back. */
export async function askOnce(
  request: ModelRequest,
  { provider, info, signal, onText, caching }: AskPlace,
): Promise<LlmAnswer> {
  const send = (sent: ModelRequest) => provider.send(sent, signal, onText);
  const reply = await (caching === undefined ? send(request) : caching.send(request, info, send));
  if (!reply.ok) throw errorOf(reply, info);
  const { text, toolCalls, native, finishReason, safetyRatings, usage, model, latencyMs } = reply;
  const turn = {
    role: 'assistant',
    content: text,
    toolCalls,
    native: { kind: provider.kind, content: native },
  } as const;
  return { text, toolCalls, turn, finishReason, safetyRatings, usage, costUsd: usdOf(info, usage), model, latencyMs };
}
