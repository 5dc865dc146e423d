import { cacheSavingsNano, costNano } from '../models/cost.js';
import type { ModelFailure, ModelReply, ProviderError } from '../providers/types.js';
import { assessAnswer } from '../recovery/assess.js';
import type { PromptEvent, RetryStateData, Validation } from '../recovery/types.js';
import type { ItemError } from '../task/errors.js';
import type { ClassifyResult, ValidateResult } from '../task/functions.js';
import type { Json, JsonObject } from '../task/json.js';
import type { PromptVerdict } from '../task/outcome.js';
import { safetyReason } from '../task/safety.js';
import type { Usage } from '../task/usage.js';
import type { Ask } from './ask.js';
import type { WorkerTask } from './context.js';
import { reviewError } from './reviewError.js';

/** Kept fields bigger than this stay in the journal; history gets a reference. */
const MAX_KEPT_BYTES = 16 * 1024;

/** Issues a state carries, and the length of each message: the state stays near 1 kB. */
const MAX_ISSUES = 20;
const MAX_ISSUE_CHARS = 300;

/** What a reply came to. */
export interface Judged {
  /** What the ladder is told. */
  readonly event: PromptEvent;
  /** How the prompt ended. */
  readonly verdict: PromptVerdict;
  /** The valid answer, or what a person is asked to look at. */
  readonly output: Json;
  /** Kept fields too big for history. */
  readonly keptAside: JsonObject | null;
  /** Tokens; null when nobody told. */
  readonly usage: Usage | null;
  /** Nano-dollars; null = unknown. */
  readonly costNano: number | null;
  /** Saved by cache reads net of write premiums; nano-dollars. */
  readonly savingsNano: number;
}

/** Judges a reply: shape, meaning, and what of it can be kept. */
export async function judge(reply: ModelReply, ask: Ask, job: JudgeInput): Promise<Judged> {
  const money = priced(reply, ask);
  if (!reply.ok) return { ...failed(refine(reply, job.task)), ...money };
  const held: { review?: string | undefined } = {};
  const validate = async (value: Json): Promise<Validation> => {
    const shape = job.task.checkShape(value);
    if (!shape.ok) return shape;
    const meaning = await job.task.functions.validate?.(shape.output, job.input);
    if (!asksReview(meaning)) return withMeaning(shape.output, meaning ?? []);
    held.review = meaning.review;
    return shape;
  };
  try {
    const { kind, kept } = ask;
    const answer = { text: reply.text, kind, schema: job.task.spec.schema, kept, issues: job.state.issues, validate };
    const verdict = await assessAnswer(answer);
    if (verdict.kind === 'invalid') return { ...invalid(verdict.issues, verdict.kept, job.prompt), ...money };
    const level = job.task.spec.review?.safety;
    held.review ??= level === undefined ? undefined : (safetyReason(reply.safetyRatings, level) ?? undefined);
    if (held.review !== undefined) return { ...failed(reviewError(held.review)), output: verdict.output, ...money };
    return { event: { kind: 'valid' }, verdict: 'valid', output: verdict.output, keptAside: null, ...money };
  } catch (error) {
    return { ...failed(functionError('validate', error)), ...money };
  }
}

/** What `judge` needs beside the reply. */
export interface JudgeInput {
  /** The task. */
  readonly task: WorkerTask;
  /** State before this prompt. */
  readonly state: RetryStateData;
  /** The record. */
  readonly input: Json;
  /** 1-based number of this prompt. */
  readonly prompt: number;
}

/** A task's function threw: the item ends with it, since asking the model again can't help. */
export function functionError(name: string, error: unknown): ItemError {
  const message = `The task's ${name}() threw: ${error instanceof Error ? error.message : String(error)}`;
  return { category: 'unknown', code: `${name}_threw`, message, retryable: false };
}

/** An error as the ladder sees it. */
function failed(error: ItemError): Pick<Judged, 'event' | 'verdict' | 'output' | 'keptAside'> {
  return { event: { kind: 'error', error }, verdict: error.category, output: null, keptAside: null };
}

function invalid(
  issues: RetryStateData['issues'],
  kept: JsonObject | null,
  prompt: number,
): Pick<Judged, 'event' | 'verdict' | 'output' | 'keptAside'> {
  const short = issues
    .slice(0, MAX_ISSUES)
    .map((issue) => ({ ...issue, message: issue.message.slice(0, MAX_ISSUE_CHARS) }));
  const aside = kept !== null && Buffer.byteLength(JSON.stringify(kept)) > MAX_KEPT_BYTES;
  return {
    event: { kind: 'invalid', issues: short, kept: aside ? null : kept, keptRef: aside ? prompt : null },
    verdict: 'invalid',
    output: null,
    keptAside: aside ? kept : null,
  };
}

function priced(reply: ModelReply, ask: Ask): Pick<Judged, 'usage' | 'costNano' | 'savingsNano'> {
  const { usage } = reply;
  if (usage !== null) {
    return {
      usage,
      costNano: costNano(ask.info, usage),
      savingsNano: cacheSavingsNano(ask.info, usage),
    };
  }
  const unbilled = !reply.ok && reply.error.billed === 'no';
  return { usage: null, costNano: unbilled ? 0 : null, savingsNano: 0 };
}

/** Lets the task's `classify` refine an error; its own failure leaves ours. */
function refine(reply: ModelFailure, task: WorkerTask): ItemError {
  const error = plainError(reply.error);
  const { functions } = task;
  if (functions.classify === undefined) return error;
  const body = typeof reply.raw === 'string' ? reply.raw : JSON.stringify(reply.raw);
  let said: ClassifyResult;
  try {
    said = functions.classify(error, { status: reply.error.status, body });
  } catch (thrown) {
    return functionError('classify', thrown);
  }
  if (said === undefined) return error;
  return {
    ...error,
    category: said.category ?? error.category,
    retryable: said.retryable ?? error.retryable,
    ...(said.code === undefined ? {} : { code: said.code }),
  };
}

/** Without the wire's facts. */
export function plainError({ category, code, message, retryable }: ProviderError): ItemError {
  return { category, message, retryable, ...(code === undefined ? {} : { code }) };
}

function asksReview(meaning: ValidateResult): meaning is { readonly review: string } {
  return meaning !== undefined && 'review' in meaning;
}

function withMeaning(output: Json, said: Exclude<ValidateResult, undefined | { readonly review: string }>): Validation {
  if (said.length === 0) return { ok: true, output };
  return { ok: false, issues: said.map((issue) => ({ ...issue, code: 'custom' })) };
}
