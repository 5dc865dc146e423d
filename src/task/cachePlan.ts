import { count } from './digits.js';

/** A lifetime providers sell: five minutes or an hour, renewed by each read. */
export type CacheLife = '5m' | '1h';

/** Whether a prefix is cached, and why: the arithmetic a person can check. Money in dollars, null = price unknown. */
export interface CacheDecision {
  /** Cache it. */
  readonly cache: boolean;
  /**
   * Why, or why not. `off`: the settings want none, or nothing is the same for every record; `not_supported`: the
   * endpoint is not known to cache; `no_place`: schema and tools alone come first, and nothing of them can be marked.
   */
  readonly reason: 'pays' | 'too_short' | 'too_few_reads' | 'price_unknown' | 'off' | 'not_supported' | 'no_place';
  /** Tokens of the prefix. */
  readonly prefixTokens: number;
  /** The minimum in force. */
  readonly minTokens: number;
  /** Prompts that would read it. */
  readonly reads: number;
  /** How long it lives. */
  readonly life: CacheLife;
  /** What writing it costs more than sending it plainly. */
  readonly premiumUsd: number | null;
  /** What its reads save. */
  readonly savedUsd: number | null;
  /** Saved less premium. */
  readonly netUsd: number | null;
}

/** A cache that was made on purpose, and is named in each prompt (Gemini). */
export interface ExplicitCache {
  /** The provider's name of it. */
  readonly name: string;
  /** Hash of all it holds; a prompt that begins otherwise does not use it. */
  readonly hash: string;
  /** Leading turns it holds. */
  readonly turns: number;
  /** `own`: made for this batch; `other`: found, and another's. */
  readonly owner: 'own' | 'other';
  /** When it ends unless it is renewed; milliseconds since epoch. */
  readonly expiresAt: number;
  /** How long it lives from its making or renewal; seconds. */
  readonly ttlSeconds: number;
  /** How long before its end it is renewed, seconds; null = it is not. */
  readonly renewBeforeSeconds: number | null;
  /** It outlives the batch. */
  readonly keep: boolean;
  /** What keeping it costs an hour, which is billed apart from prompts; null = not known. */
  readonly storageUsdPerHour: number | null;
  /** The record whose prompt told its content: the same makes it again. */
  readonly index?: number;
}

/** How the prompts of a batch are cached: decided once, before the first one. */
export interface BatchCache {
  /** `provider/model` it was decided for. */
  readonly model: string;
  /** Name of the prefix: another one, of a partial prompt for instance, is decided on by itself. */
  readonly prefix: string;
  /** Who counted the prefix: the one who bills, or an estimate of this machine. */
  readonly countedBy: 'provider' | 'estimate';
  /** The decision. */
  readonly decision: CacheDecision;
  /** The cache prompts name; absent = none. */
  readonly explicit?: ExplicitCache;
  /** Blocks that code marked differ from record to record: prompts go out without their marks. */
  readonly marksDiffer?: boolean;
  /** One would pay, and was not made: what it costs apart from prompts is in no budget. */
  readonly explicitHeldBack?: boolean;
  /** The `provider/model` one was ordered for, while nobody knows what came of it: the batch's end looks for it. */
  readonly explicitOrdered?: string;
}

/** A decision in words: `cached: 3,012 tokens × 6,045 reads save $48.97, writing costs $0.0023 more: net $48.97`. */
export function decisionText(decision: CacheDecision): string {
  const { reason, prefixTokens, minTokens, reads, premiumUsd, savedUsd, netUsd } = decision;
  const tokens = `${count(prefixTokens)} tokens`;
  switch (reason) {
    case 'off':
      return 'not cached: switched off, or nothing is the same for every record';
    case 'not_supported':
      return "not cached: the endpoint isn't known to cache prompts";
    case 'no_place':
      return `not cached: the ${tokens} of schema and tools alone can't be marked; instructions before the record could`;
    case 'too_short':
      return `not cached: ${tokens} are the same for every record, and fewer than ${count(minTokens)} are not cached`;
    case 'price_unknown':
      return `cached: ${tokens} × ${count(reads)} reads; the model's price is not known`;
    case 'pays':
    case 'too_few_reads': {
      if (reads === 0) return `not cached: nobody reads the ${tokens} a second time`;
      const sum = `${tokens} × ${count(reads)} reads save ${usd(savedUsd)}, writing costs ${usd(premiumUsd)} more`;
      return `${reason === 'pays' ? 'cached' : 'not cached'}: ${sum}: net ${usd(netUsd)}`;
    }
  }
}

/** Why there is no explicit cache, though it would pay. */
export const EXPLICIT_HELD_BACK =
  'no explicit cache, though it would pay: what it costs is in no budget (cache.explicit: true makes it anyway)';

const DIFFERENT = 'blocks the prompt function marks are not cached: they differ from record to record';

/** The decision about a batch's cache, who counted, and the cache that was made for it. */
export function batchCacheText({ decision, countedBy, marksDiffer, explicit, explicitHeldBack }: BatchCache): string {
  const counted = countedBy === 'provider' ? 'counted by the provider' : 'estimated';
  const said = `${decisionText(decision)} (${counted})${marksDiffer === true ? `; ${DIFFERENT}` : ''}`;
  if (explicitHeldBack === true) return `${said}; ${EXPLICIT_HELD_BACK}`;
  if (explicit === undefined) return said;
  const { name, owner, storageUsdPerHour } = explicit;
  const whose = owner === 'own' ? 'made for the batch' : 'found';
  return `${said}; explicit cache ${name}, ${whose}, storage ${usd(storageUsdPerHour)} an hour`;
}

function usd(value: number | null): string {
  if (value === null) return 'an unknown sum';
  const digits = Math.abs(value) >= 1 || value === 0 ? 2 : 6;
  return `${value < 0 ? '-' : ''}$${Math.abs(value).toFixed(digits)}`;
}
