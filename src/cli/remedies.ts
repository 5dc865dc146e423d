import type { ErrorCategory } from '../task/errors.js';

/** What a person does about failures of a category: a command to run. Null: nothing is wrong, or nothing helps. */
export function remedyFor(category: ErrorCategory, batchId: string, example: number): string | null {
  const rerun = `tempered retry ${batchId}`;
  const mended = `${rerun} --task TASK`;
  const look = `look: tempered results ${batchId} --failed`;
  switch (category) {
    case 'invalid_output':
    case 'empty':
    case 'unknown':
      return `${look}; ask again: ${rerun}`;
    case 'truncated':
      return `raise maxOutputTokens in the task, then: ${mended}`;
    case 'context_length':
    case 'content_too_large':
      return `choose a model with more context, then: ${mended}`;
    case 'refusal':
    case 'safety':
      return `${look}; answer one yourself: tempered answer ${batchId} ${example} --output JSON`;
    case 'review':
      return `see them: tempered answer ${batchId}; answer: tempered answer ${batchId} ${example} --output JSON`;
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
      return `mend the task's model or params, then: ${mended}`;
    case 'budget':
      return `with more money: ${rerun} --budget USD`;
    case 'deadline':
      return `with more time: ${rerun}`;
    case 'cancelled':
      return `ask again: ${rerun}`;
    case 'input':
      return null;
  }
}
