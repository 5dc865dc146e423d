import type { JsonObject } from '../task/json.js';
import { isJsonObject } from '../task/json.js';
import { durationMs } from './retryAfter.js';

/** What an error body says, whichever provider wrote it. */
export interface ErrorBody {
  /** Every machine-readable word in it (type, code, status, reason), in lower case; the most specific ones first. */
  readonly codes: readonly string[];
  /** The provider's own code to show, as it wrote it. */
  readonly code: string | undefined;
  /** What happened, in the provider's words. */
  readonly message: string;
  /** A number in place of a code, as Gemini and OpenRouter send it: the status the error would have had. */
  readonly status: number | null;
  /** Google's `RetryInfo`; milliseconds. */
  readonly retryInfoMs: number | null;
  /** Google's `QuotaFailure` ids. */
  readonly quotaIds: readonly string[];
}

function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

function strings(...values: readonly unknown[]): readonly string[] {
  return values.filter((value): value is string => typeof value === 'string' && value !== '');
}

/** Google's typed details: RetryInfo, QuotaFailure, ErrorInfo. */
function googleDetails(details: unknown): Pick<ErrorBody, 'retryInfoMs' | 'quotaIds'> & { reasons: readonly string[] } {
  const list = Array.isArray(details) ? details.filter(isJsonObject) : [];
  const delays = list.flatMap((detail) => strings(detail['retryDelay'])).map(durationMs);
  const violations = list.flatMap((detail) => (Array.isArray(detail['violations']) ? detail['violations'] : []));
  return {
    retryInfoMs: delays.find((delay) => delay !== null) ?? null,
    quotaIds: violations.filter(isJsonObject).flatMap((violation) => strings(violation['quotaId'])),
    reasons: list.flatMap((detail) => strings(detail['reason'])),
  };
}

/** Anthropic's `details.error_code`. */
function anthropicCode(details: unknown): readonly string[] {
  return isJsonObject(details) ? strings(details['error_code']) : [];
}

function fromObject(error: JsonObject): ErrorBody {
  const message = strings(error['message'], error['detail'])[0] ?? JSON.stringify(error);
  // A message that is itself an error body (Gemini behind a proxy that lost the content type).
  const nested = message.startsWith('{') ? parseObject(message) : null;
  if (nested !== null && isJsonObject(nested['error'])) return fromObject(nested['error']);
  const details = googleDetails(error['details']);
  const own = strings(error['code'], error['status'], error['type']);
  const specific = [...anthropicCode(error['details']), ...details.reasons];
  const numeric = error['code'];
  return {
    codes: [...specific, ...own].map((code) => code.toLowerCase()),
    code: specific[0] ?? own[0],
    message,
    status: typeof numeric === 'number' && numeric >= 400 && numeric <= 599 ? numeric : null,
    retryInfoMs: details.retryInfoMs,
    quotaIds: details.quotaIds,
  };
}

function fromText(message: string): ErrorBody {
  return { codes: [], code: undefined, message, status: null, retryInfoMs: null, quotaIds: [] };
}

/** The text of a page for people, without its tags. */
function pageText(html: string): string {
  const title = /<title[^>]*>([^<]*)<\/title>/i.exec(html)?.[1];
  const text = title ?? html.replace(/<[^>]*>/g, ' ');
  return text.replace(/\s+/g, ' ').trim();
}

/** Longest piece of an unreadable body that goes into a message. */
const MAX_TEXT = 300;

/**
 * The error in a parsed body; null when there is none. `error` may be an object, or a bare string (LM Studio), or a
 * list with one of them (Gemini's streams); some servers put its fields at the top (`object: "error"`, `detail`).
 */
export function findError(body: unknown): ErrorBody | null {
  const first: unknown = Array.isArray(body) ? body[0] : body;
  if (!isJsonObject(first)) return null;
  const error = first['error'];
  if (typeof error === 'string' && error !== '') return fromText(error);
  if (isJsonObject(error)) return fromObject(error);
  return first['object'] === 'error' ? fromObject(first) : null;
}

/** The error of a response whose status says that it is one: also for bodies that are no JSON, or empty. */
export function readErrorBody(text: string, status: number): ErrorBody {
  const value = parseBody(text);
  const found = findError(value);
  if (found !== null) return found;
  if (isJsonObject(value)) return fromObject(value);
  const plain = text.includes('<') ? pageText(text) : text.trim();
  return fromText(plain === '' ? `HTTP ${status} without a body` : plain.slice(0, MAX_TEXT));
}

/** A body as JSON; the text itself when it is none. */
export function parseBody(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}
