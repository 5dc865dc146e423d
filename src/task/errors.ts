/** Every reason for which a prompt, an item or a command can fail. The list is a contract: extend it, don't rename. */
export const ERROR_CATEGORIES = [
  'rate_limit',
  'overloaded',
  'timeout',
  'network',
  'server_error',
  'authentication',
  'permission',
  'billing',
  'quota_exhausted',
  'model_not_found',
  'invalid_request',
  'context_length',
  'content_too_large',
  'refusal',
  'safety',
  'truncated',
  'empty',
  'invalid_output',
  'review',
  'budget',
  'deadline',
  'cancelled',
  'input',
  'unknown',
] as const;

/** One of {@link ERROR_CATEGORIES}. */
export type ErrorCategory = (typeof ERROR_CATEGORIES)[number];

/** True when `text` is one of {@link ERROR_CATEGORIES}. */
export function isErrorCategory(text: unknown): text is ErrorCategory {
  return ERROR_CATEGORIES.some((category) => category === text);
}

/** Why an item or a prompt failed, as it stands in outcomes and journals. Holds no secrets and no stack. */
export interface ItemError {
  /** The class of the failure; decides whether and how it is retried. */
  readonly category: ErrorCategory;
  /** A finer reason: the provider's own code, or what a task's `classify` said. */
  readonly code?: string;
  /** What happened and what to do next, for a person. */
  readonly message: string;
  /** Whether asking again could help. */
  readonly retryable: boolean;
}

/** Where in a user's file a problem is. */
export interface Place {
  /** Path as the user wrote it. */
  readonly file: string;
  /** 1-based line, when the file has lines. */
  readonly line?: number;
}

/**
 * An error a person can act on: carries a category, what happened and the remedy. The CLI prints its message
 * without a stack trace.
 */
export class TemperedError extends Error {
  /** Always `TemperedError`: tells it from other errors, also between two copies of the package. */
  override readonly name = 'TemperedError';

  constructor(
    /** The class of the problem. */
    readonly category: ErrorCategory,
    /** What happened. */
    message: string,
    /** What to do next, the place in a user's file, and the cause. */
    readonly options: { readonly remedy?: string; readonly place?: Place; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
  }

  /** The whole text for a person: place, what happened, remedy. */
  get explanation(): string {
    const { place, remedy } = this.options;
    const where = place === undefined ? '' : `${place.file}${place.line === undefined ? '' : `, line ${place.line}`}: `;
    return `${where}${this.message}${remedy === undefined ? '' : `\n  ${remedy}`}`;
  }
}

/** What a thrown value says: errors of other realms (another VM context) are no `Error` here. */
export function thrownText(thrown: unknown): string {
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) return String(thrown.message);
  return String(thrown);
}
