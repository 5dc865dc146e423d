import type { ModelInfo } from '../models/types.js';
import type { CacheLife } from '../task/cachePlan.js';

/** What a provider's prompt cache is expected to do for a prompt whose static prefix was sent before. */
export interface ExpectedUse {
  /** Tokens read from the cache. */
  readonly read: number;
  /** Tokens written to it. */
  readonly written: number;
}

/** A prompt's size. */
export interface PromptSize {
  /** Tokens of the part that is the same for every record. */
  readonly prefix: number;
  /** Tokens of all of it. */
  readonly whole: number;
}

/** Automatic caches count in steps of this many tokens (OpenAI documents it; Google does not say). */
const STEP = 128;

/** Smallest prefix an automatic cache keeps, where a model's own is not known (OpenAI). */
const AUTOMATIC_MINIMUM = 1024;

const NOTHING: ExpectedUse = { read: 0, written: 0 };

/** Whether writing to the model's cache costs more than sending plainly. */
export function billsWrites({ prices }: Pick<ModelInfo, 'prices'>): boolean {
  return prices?.some((band) => band.cacheWrite5m > band.input) === true;
}

/** Of the tokens a prompt writes, those billed as kept for an hour: only Anthropic's wire sells two lives. */
export function hourWrites({ ref }: Pick<ModelInfo, 'ref'>, life: CacheLife | undefined, written: number): number {
  return life === '1h' && ref.provider !== 'gemini' && ref.provider !== 'openai' ? written : 0;
}

/**
 * Expected cache use of a prompt. `breakpoint`: the request marks its prefix; hosted Gemini and OpenAI models cache by
 * themselves, but for those that bill what is written and are told where the prefix ends. `first`: the cache is still
 * empty.
 */
export function expectedUse(
  info: Pick<ModelInfo, 'ref' | 'minCacheTokens' | 'prices'>,
  { prefix, whole }: PromptSize,
  { breakpoint, first }: { readonly breakpoint: boolean; readonly first: boolean },
): ExpectedUse {
  const { provider } = info.ref;
  const charged = billsWrites(info);
  if (provider === 'gemini' || (provider === 'openai' && !(charged && breakpoint))) {
    const least = info.minCacheTokens ?? AUTOMATIC_MINIMUM;
    const read = first || prefix < least ? 0 : steps(prefix);
    // Where writing costs extra, all that is new is written and charged.
    return { read, written: charged && whole >= least ? steps(whole) - read : 0 };
  }
  if (!breakpoint || prefix < (info.minCacheTokens ?? 1)) return NOTHING;
  return first ? { read: 0, written: Math.round(prefix) } : { read: Math.round(prefix), written: 0 };
}

function steps(tokens: number): number {
  return Math.floor(tokens / STEP) * STEP;
}
