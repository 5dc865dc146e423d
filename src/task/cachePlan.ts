/** A lifetime providers sell: five minutes or an hour, renewed by each read. */
export type CacheLife = '5m' | '1h';

/** Whether a prefix is cached, and why: the arithmetic a person can check. Money in dollars, null = price unknown. */
export interface CacheDecision {
  /** Cache it. */
  readonly cache: boolean;
  /**
   * Why, or why not. `off`: the settings want none, or nothing is the same for every record; `not_supported`: the
   * endpoint is not known to cache.
   */
  readonly reason: 'pays' | 'too_short' | 'too_few_reads' | 'price_unknown' | 'off' | 'not_supported';
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
}

/** A decision in words: `cached: 3,012 tokens × 6,045 reads save $48.97, writing costs $0.0023 more: net $48.97`. */
export function decisionText(decision: CacheDecision): string {
  const { reason, prefixTokens, minTokens, reads, premiumUsd, savedUsd, netUsd } = decision;
  const tokens = `${whole(prefixTokens)} tokens`;
  switch (reason) {
    case 'off':
      return 'not cached: switched off, or nothing is the same for every record';
    case 'not_supported':
      return "not cached: the endpoint isn't known to cache prompts";
    case 'too_short':
      return `not cached: ${tokens} are the same for every record, and fewer than ${whole(minTokens)} are not cached`;
    case 'price_unknown':
      return `cached: ${tokens} × ${whole(reads)} reads; the model's price is not known`;
    case 'pays':
    case 'too_few_reads': {
      if (reads === 0) return `not cached: nobody reads the ${tokens} a second time`;
      const sum = `${tokens} × ${whole(reads)} reads save ${usd(savedUsd)}, writing costs ${usd(premiumUsd)} more`;
      return `${reason === 'pays' ? 'cached' : 'not cached'}: ${sum}: net ${usd(netUsd)}`;
    }
  }
}

function whole(count: number): string {
  return Math.round(count).toLocaleString('en');
}

function usd(value: number | null): string {
  if (value === null) return 'an unknown sum';
  const digits = Math.abs(value) >= 1 || value === 0 ? 2 : 6;
  return `${value < 0 ? '-' : ''}$${Math.abs(value).toFixed(digits)}`;
}
