import { nearestModels } from '../models/modelRef.js';
import type { ErrorCategory } from '../task/errors.js';
import type { ErrorBody } from './errorBody.js';
import type { ResponseHeaders } from './http.js';
import { retryAfterFromHeaders } from './retryAfter.js';
import type { ProviderError } from './types.js';

/** Codes that say more than the status: they win over it. */
const SPECIFIC: ReadonlyMap<string, ErrorCategory> = new Map<string, ErrorCategory>([
  // Spend limits come as 429, but waiting does not lift them.
  ['contract_spend_limit_reached', 'quota_exhausted'],
  ['enforced_spend_limit_reached', 'quota_exhausted'],
  ['insufficient_quota', 'quota_exhausted'],
  ['billing_error', 'billing'],
  ['billing_not_active', 'billing'],
  ['billing_hard_limit_reached', 'billing'],
  ['ramp_limit_exceeded', 'rate_limit'],
  // Gemini answers a wrong key with 400.
  ['api_key_invalid', 'authentication'],
  ['api_key_expired', 'authentication'],
  ['invalid_api_key', 'authentication'],
  ['model_not_found', 'model_not_found'],
  ['context_length_exceeded', 'context_length'],
  ['exceed_context_size_error', 'context_length'],
  ['request_too_large', 'content_too_large'],
  ['content_filter', 'safety'],
  ['content_policy_violation', 'safety'],
  ['deadline_exceeded', 'timeout'],
  ['timeout_error', 'timeout'],
  ['overloaded_error', 'overloaded'],
]);

/** Statuses with a meaning of their own; the rest goes by class. */
const BY_STATUS: ReadonlyMap<number, ErrorCategory> = new Map<number, ErrorCategory>([
  [401, 'authentication'],
  [402, 'billing'],
  [403, 'permission'],
  [404, 'model_not_found'],
  [408, 'timeout'],
  [409, 'server_error'],
  [413, 'content_too_large'],
  [429, 'rate_limit'],
  [503, 'overloaded'],
  [529, 'overloaded'],
]);

/** Types that only repeat what a status would say: read when there is none (an error inside HTTP 200). */
const GENERAL: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['invalid_argument', 400],
  ['failed_precondition', 400],
  ['authentication_error', 401],
  ['unauthenticated', 401],
  ['permission_error', 403],
  ['permission_denied', 403],
  ['not_found_error', 404],
  ['not_found', 404],
  ['rate_limit_error', 429],
  ['rate_limit_exceeded', 429],
  ['resource_exhausted', 429],
  ['api_error', 500],
  ['internal', 500],
  ['internal_server_error', 500],
  ['server_error', 500],
  ['unavailable', 503],
]);

/** The status a provider gives these when it gives one. */
const STATUS_OF_SPECIFIC: ReadonlyMap<ErrorCategory, number> = new Map<ErrorCategory, number>([
  ['rate_limit', 429],
  ['quota_exhausted', 429],
  ['billing', 402],
  ['authentication', 401],
  ['model_not_found', 404],
  ['context_length', 400],
  ['content_too_large', 413],
  ['timeout', 504],
  ['overloaded', 529],
]);

/** Last of all, words: only where providers give a general status and no code. */
const WORDS: readonly {
  readonly statuses: readonly number[];
  readonly match: RegExp;
  readonly category: ErrorCategory;
}[] = [
  {
    statuses: [400, 413, 422, 500],
    match: /prompt is too long|context (length|limit|window|size)|input token count .* exceeds/i,
    category: 'context_length',
  },
  {
    statuses: [400, 403],
    match: /credit balance is too low|(enable|active) billing|billing (account|to be enabled)/i,
    category: 'billing',
  },
  { statuses: [400], match: /api key (not valid|not found|expired)/i, category: 'authentication' },
  {
    statuses: [400, 404, 422, 500],
    match: /no models? (are |is )?loaded|failed to load model|not a valid model|model .*(not found|does not exist)/i,
    category: 'model_not_found',
  },
];

function statusOf(body: ErrorBody, httpStatus: number): number {
  if (httpStatus >= 400) return httpStatus;
  const general = body.codes.map((code) => GENERAL.get(code)).find((status) => status !== undefined);
  const specific = specificCategory(body);
  const implied = specific === undefined ? undefined : STATUS_OF_SPECIFIC.get(specific);
  return body.status ?? implied ?? general ?? httpStatus;
}

function specificCategory(body: ErrorBody): ErrorCategory | undefined {
  if (body.quotaIds.some((id) => id.includes('PerDay'))) return 'quota_exhausted';
  if (body.codes.some((code) => code.startsWith('linked_organization_'))) return 'billing';
  return body.codes.map((code) => SPECIFIC.get(code)).find((category) => category !== undefined);
}

function categorise(body: ErrorBody, status: number, isJson: boolean): ErrorCategory {
  const specific = specificCategory(body);
  if (specific !== undefined) return specific;
  // A page or plain text for an unknown path is not an API that lacks a model.
  if (status === 404 && !isJson) return 'invalid_request';
  const worded = WORDS.find(({ statuses, match }) => statuses.includes(status) && match.test(body.message));
  if (worded !== undefined) return worded.category;
  const known = BY_STATUS.get(status);
  if (known !== undefined) return known;
  if (status >= 500) return 'server_error';
  return status >= 400 ? 'invalid_request' : 'unknown';
}

/** Whether the same request may succeed later. */
export function isRetryable(category: ErrorCategory): boolean {
  return ['rate_limit', 'overloaded', 'timeout', 'network', 'server_error', 'truncated', 'empty'].includes(category);
}

/** Categories after which the model may have run although nobody says what it cost. */
function billedAfter(category: ErrorCategory): ProviderError['billed'] {
  return ['timeout', 'server_error', 'unknown'].includes(category) ? 'unknown' : 'no';
}

/** What error messages say of an endpoint. */
export interface EndpointNames {
  /** The provider's name. */
  readonly name: string;
  /** The variable its key comes from; undefined = it needs none. */
  readonly keyVariable: string | undefined;
  /** Where the request went. */
  readonly baseUrl: string;
  /** The model asked for; undefined for requests that name none. */
  readonly model: string | undefined;
}

function remedy(category: ErrorCategory, endpoint: EndpointNames): string {
  const { name, keyVariable, baseUrl, model } = endpoint;
  const key = keyVariable ?? `${name}'s key`;
  switch (category) {
    case 'authentication':
      return ` Check ${key} in the worker's environment.`;
    case 'permission':
      return ` Check what the key in ${key} may use.`;
    case 'billing':
      return ` Settle the billing of the ${name} account, then resume.`;
    case 'quota_exhausted':
      return ` A quota or spend limit of the ${name} account is used up: raise it or wait for its reset, then resume.`;
    case 'model_not_found':
      return model === undefined ? '' : nearestModels({ provider: name, model });
    case 'context_length':
    case 'content_too_large':
      return ' Shorten the record or the instructions, or take a model with a larger context.';
    case 'invalid_request':
      return ` (sent to ${baseUrl})`;
    default:
      return '';
  }
}

/** A response that is an error, by specific code, then status, then general type, and words only last. */
export function classify(
  body: ErrorBody,
  response: { readonly status: number; readonly headers: ResponseHeaders; readonly isJson: boolean },
  endpoint: EndpointNames,
): ProviderError {
  const status = statusOf(body, response.status);
  const category = categorise(body, status, response.isJson);
  return {
    category,
    ...(body.code === undefined ? {} : { code: body.code }),
    message: `${endpoint.name} answered ${status}: ${body.message}${remedy(category, endpoint)}`,
    retryable: isRetryable(category),
    status,
    retryAfterMs: body.retryInfoMs ?? retryAfterFromHeaders(response.headers),
    billed: billedAfter(category),
  };
}
