import type { ErrorCategory } from '../task/errors.js';

/** What a person does about failures of a category: a command to run. Null: nothing is wrong, or nothing helps. */
export function remedyFor(category: ErrorCategory, batchId: string, example: number, rerun: string): string | null {
  const look = `look: tempered results ${batchId} --failed`;
  switch (category) {
    case 'invalid_output':
    case 'empty':
    case 'unknown':
      return `${look}; ask again: ${rerun}`;
    case 'truncated':
      return `raise maxOutputTokens in the task, then: ${rerun}`;
    case 'context_length':
    case 'content_too_large':
      return `shorten these records or choose a model with more context, then: ${rerun}`;
    case 'refusal':
    case 'safety':
      return `${look}; answer one yourself: tempered answer ${batchId} ${example} --output JSON`;
    case 'review':
      return `answer: tempered answer ${batchId} ${example} --output JSON`;
    case 'rate_limit':
    case 'overloaded':
    case 'timeout':
    case 'network':
    case 'server_error':
      return `the provider failed; ask again: ${rerun}`;
    case 'authentication':
    case 'permission':
    case 'billing':
    case 'quota_exhausted':
      return `mend the provider account or key, then: ${rerun}`;
    case 'model_not_found':
    case 'invalid_request':
      return `mend the task's model or params, then: ${rerun}`;
    case 'budget':
    case 'deadline':
      return `with a higher budget or later deadline: ${rerun}`;
    case 'cancelled':
      return `ask again: ${rerun}`;
    case 'input':
      return null;
  }
}
