import { costNano } from '../models/cost.js';
import { parseModelRef } from '../models/modelRef.js';
import { variationFor } from '../models/variation.js';
import type { ModelAnswer, ModelFailure, ProviderError, ProviderSet } from '../providers/types.js';
import { assessAnswer } from '../recovery/assess.js';
import { misfit } from '../registry/structured.js';
import { compileValidator } from '../recovery/validators.js';
import type { Json, JsonObject } from '../task/json.js';
import { compileSchema } from '../task/jsonSchema.js';
import { nanoToUsd } from '../task/money.js';
import type { Issue, SafetyRating, Variation } from '../task/outcome.js';
import type { Usage } from '../task/usage.js';

const DEFAULT_MAX_OUTPUT_TOKENS = 1024;
const DEFAULT_TIMEOUT_MS = 120_000;

/** One question to one model. */
export interface CallOptions {
  /** Endpoints to ask, usually of `createProviderSet`. */
  readonly providers: ProviderSet;
  /** `provider/model`. */
  readonly model: string;
  /** The user's turn. */
  readonly prompt: string;
  /** System prompt. Default none. */
  readonly system?: string;
  /** JSON Schema of the answer. Default none: the answer is text. */
  readonly schema?: JsonObject;
  /** Sampling temperature; left out for a model that takes none. Default the model's own. */
  readonly temperature?: number;
  /** Most tokens to generate, thinking included. Default 1,024. */
  readonly maxOutputTokens?: number;
  /** Time for the whole answer; milliseconds. Default 120,000. */
  readonly timeoutMs?: number;
  /** Aborts the request. Default never. */
  readonly signal?: AbortSignal;
}

/** What came of a {@link call}. */
export type CallResult = CallAnswer | CallFailure;

/** A usable answer. */
export interface CallAnswer {
  /** The answer can be used. */
  readonly ok: true;
  /** What the model wrote, thinking left out. */
  readonly text: string;
  /** The answer: JSON that fits the schema, or the text when there is none. */
  readonly output: Json;
  /** The provider's word for how the answer ended. */
  readonly finishReason: string | null;
  /** Gemini's ratings; null elsewhere. */
  readonly safetyRatings: readonly SafetyRating[] | null;
  /** Tokens; null when the server sent none. */
  readonly usage: Usage | null;
  /** Null when usage or price is unknown. */
  readonly costUsd: number | null;
  /** The model that says it answered; null when it does not say. */
  readonly model: string | null;
  /** The model that was asked. Another one answering is no error. */
  readonly requestedModel: string;
  /** Time from request to complete answer; milliseconds. */
  readonly latencyMs: number;
  /** What was sent of the wished-for temperature: nothing, for a model that takes none. */
  readonly variation: Variation;
}

/** No usable answer: also a refusal, a safety block, a truncated, an empty or an invalid answer. */
export interface CallFailure {
  /** There is no answer that can be used. */
  readonly ok: false;
  /** Why. */
  readonly error: CallError;
  /** What the model wrote before it was stopped, or what does not fit the schema. */
  readonly text?: string;
  /** Tokens, when they were told: a failed answer may be billed too. */
  readonly usage?: Usage;
  /** Present with `usage`; null when the price is unknown. */
  readonly costUsd?: number | null;
}

/** The error of a failed call. */
export type CallError = Pick<ProviderError, 'category' | 'code' | 'status' | 'message' | 'retryable' | 'retryAfterMs'>;

function invalid(issues: readonly Issue[]): CallError {
  return { category: 'invalid_output', status: 200, message: misfit(issues), retryable: true, retryAfterMs: null };
}

function errorOf({ category, code, status, message, retryable, retryAfterMs }: ProviderError): CallError {
  return { category, ...(code === undefined ? {} : { code }), status, message, retryable, retryAfterMs };
}

/** What is common to every failure: text and bill, where there are any. */
function failure(error: CallError, reply: ModelAnswer | ModelFailure, costUsd: number | null): CallFailure {
  const { text, usage } = reply;
  return {
    ok: false,
    error,
    ...(text === undefined ? {} : { text }),
    ...(usage === null ? {} : { usage, costUsd }),
  };
}

/**
 * Asks a model once: exactly one request, no other before it, no retries, no Temporal. What the provider or the
 * network does is in the result. Throws `TemperedError` for what the caller does: `input` for a model that is not
 * `provider/model`, an unknown provider or an invalid schema, `authentication` for a key that is not set.
 */
export async function call(options: CallOptions): Promise<CallResult> {
  const { providers, prompt, system, schema, temperature } = options;
  const ref = parseModelRef(options.model);
  const provider = providers.get(ref.provider);
  // A schema that is none is found before anything is sent.
  if (schema !== undefined) compileSchema(schema);
  const info = providers.modelInfo(ref, new Date());
  const wished = variationFor(info, { kind: 'full', ...(temperature === undefined ? {} : { temperature }) }).sent;
  const variation: Variation = wished.temperature === undefined ? {} : { temperature: wished.temperature };
  const request = {
    model: ref.model,
    instructions: system,
    messages: [{ role: 'user', content: prompt }] as const,
    schema,
    maxOutputTokens: options.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS,
    temperature: variation.temperature,
    effort: undefined,
    cachePrefix: false,
    params: {},
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  };
  const reply = await provider.send(request, options.signal ?? new AbortController().signal);
  const nano = reply.usage === null ? null : costNano(info, reply.usage);
  const costUsd = nano === null ? null : nanoToUsd(nano);
  if (!reply.ok) return failure(errorOf(reply.error), reply, costUsd);
  const { text, finishReason, safetyRatings, usage, model, requestedModel, latencyMs } = reply;
  // Read and checked as a batch does it.
  const validate = compileValidator({ schema });
  const checked = await assessAnswer({ text, kind: 'full', schema, kept: null, issues: [], validate });
  if (checked.kind === 'invalid') return failure(invalid(checked.issues), reply, costUsd);
  const facts = { finishReason, safetyRatings, usage, costUsd, model, requestedModel, latencyMs, variation };
  return { ok: true, text, output: checked.output, ...facts };
}
