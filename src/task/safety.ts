import { TemperedError } from './errors.js';
import type { PostProcessResult } from './functions.js';
import type { Outcome, SafetyRating } from './outcome.js';

/** Ratings from this one up are held for a person. */
export type SafetyLevel = 'MEDIUM' | 'HIGH';

const LEVELS: Readonly<Record<SafetyLevel, readonly string[]>> = { MEDIUM: ['MEDIUM', 'HIGH'], HIGH: ['HIGH'] };

/** Why an answer with these ratings is held; null = it is not. */
export function safetyReason(ratings: readonly SafetyRating[] | null, level: SafetyLevel): string | null {
  const flagged = (ratings ?? []).filter(({ probability }) => LEVELS[level].includes(probability));
  if (flagged.length === 0) return null;
  return `the model rated its answer ${flagged.map(({ category, probability }) => `${category} ${probability}`).join(', ')}`;
}

/** Post-processors made by {@link reviewSafety}: their tasks keep the ratings. */
const MADE = new WeakSet<object>();

/** True for what {@link reviewSafety} made. */
export function readsRatings(value: unknown): boolean {
  return typeof value === 'function' && MADE.has(value);
}

/**
 * A `postProcess` that holds answers for a person which the model itself rated unsafe (Gemini does). The task then
 * keeps the ratings (`includeMetadata`). Called by a post-processor of your own, it needs that setting: it throws
 * `TemperedError` (`input`) without it. `level`: the lowest rating that is held.
 */
export function reviewSafety({ level }: { readonly level: SafetyLevel }): (outcome: Outcome) => PostProcessResult {
  const review = ({ status, metadata }: Outcome): PostProcessResult => {
    if (status !== 'succeeded' && status !== 'partial') return undefined;
    if (metadata === undefined) {
      throw new TemperedError('input', 'reviewSafety finds no safety ratings in the outcome.', {
        remedy: 'Set includeMetadata: true in the task.',
      });
    }
    const reason = safetyReason(metadata.safetyRatings, level);
    return reason === null ? undefined : { review: reason };
  };
  // A task's identity is made of its functions' sources, which don't show what they were made with.
  Object.defineProperty(review, 'toString', { value: () => `reviewSafety(${JSON.stringify({ level })})` });
  MADE.add(review);
  return review;
}
