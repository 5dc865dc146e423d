import type { ModelReply } from '../providers/types.js';
import { type ItemError, TemperedError } from '../task/errors.js';
import type { ExecuteResult, TaskFunctions } from '../task/functions.js';
import type { Json } from '../task/json.js';
import type { Ask } from './ask.js';
import { sendCached, type Sending } from './cacheFaults.js';
import type { ActivityDeps } from './context.js';
import type { Job } from './job.js';
import { functionError } from './reply.js';

/** Sends the request: through the task's own `execute`, else through the provider. Never throws for a failed request. */
export async function send(deps: ActivityDeps, job: Job, ask: Ask, sending: Sending): Promise<ModelReply> {
  const { functions } = job.task;
  if (functions.execute !== undefined) return executed(functions, job, ask, sending.signal);
  try {
    return await sendCached(deps, job, ask, sending);
  } catch (error) {
    // No such provider here, or no key for it: found before anything was sent.
    if (!(error instanceof TemperedError)) throw error;
    const { category, explanation: message } = error;
    const fatal = category === 'authentication' ? category : 'model_not_found';
    return notSent(ask, { category: fatal, message, retryable: false }, 0);
  }
}

async function executed(
  functions: TaskFunctions<Json, Json>,
  job: Job,
  ask: Ask,
  signal: AbortSignal,
): Promise<ModelReply> {
  const started = performance.now();
  const timeout = ask.request.timeoutMs;
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
  const { instructions, messages, schema, maxOutputTokens, temperature } = ask.request;
  const request = { instructions, messages, schema, maxOutputTokens, temperature };
  try {
    const asked = { model: ask.model, ...request, input: job.record.input };
    const context = { attempt: job.prompt, timeout, state: job.user, signal: bounded };
    const result = await Promise.race([functions.execute?.(asked, context), aborted(bounded)]);
    if (result === undefined) throw new Error('it returned nothing');
    return answered(ask, result, performance.now() - started);
  } catch (error) {
    const latencyMs = performance.now() - started;
    if (signal.aborted) {
      return unknownEnd(
        ask,
        { category: 'cancelled', message: 'execute() was cancelled.', retryable: true },
        latencyMs,
      );
    }
    if (bounded.aborted) {
      const message = `execute() took longer than ${timeout} ms.`;
      return unknownEnd(ask, { category: 'timeout', message, retryable: true }, latencyMs);
    }
    const known = error instanceof TemperedError ? itemErrorOf(error) : functionError('execute', error);
    return unknownEnd(ask, known, latencyMs);
  }
}

function itemErrorOf(error: TemperedError): ItemError {
  return { category: error.category, message: error.explanation, retryable: true };
}

function answered(ask: Ask, result: ExecuteResult, latencyMs: number): ModelReply {
  return {
    ok: true,
    text: result.text,
    toolCalls: [],
    native: null,
    finishReason: result.finishReason ?? null,
    safetyRatings: result.safetyRatings ?? null,
    usage: result.usage ?? null,
    rawUsage: null,
    requestedModel: ask.request.model,
    model: ask.request.model,
    latencyMs,
    raw: result.text,
    rateLimits: null,
  };
}

function unknownEnd(ask: Ask, error: ItemError, latencyMs: number): ModelReply {
  return failure(ask, error, latencyMs, 'unknown');
}

function notSent(ask: Ask, error: ItemError, latencyMs: number): ModelReply {
  return failure(ask, error, latencyMs, 'no');
}

function failure(ask: Ask, error: ItemError, latencyMs: number, billed: 'no' | 'unknown'): ModelReply {
  return {
    ok: false,
    error: { ...error, status: null, retryAfterMs: null, billed },
    finishReason: null,
    safetyRatings: null,
    usage: null,
    rawUsage: null,
    requestedModel: ask.request.model,
    model: null,
    latencyMs,
    raw: null,
    rateLimits: null,
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
  });
}
