/** Quotas of an account; absent = unlimited. */
export interface QuotaLimits {
  /** Requests a minute. */
  readonly rpm?: number | undefined;
  /** Tokens a minute, input and output together. */
  readonly tpm?: number | undefined;
}

/** One quota as providers tell it in their headers. */
export interface QuotaLevel {
  /** The quota of a minute. */
  readonly limit: number;
  /** What is left of it, whole units. */
  readonly remaining: number;
  /** Until it is full again; milliseconds. */
  readonly resetMs: number;
}

/** Where an account stands after a request. */
export interface QuotaState {
  /** Null = unlimited. */
  readonly requests: QuotaLevel | null;
  /** Null = unlimited. */
  readonly tokens: QuotaLevel | null;
  /** Which quota refused the request; null = it may pass. */
  readonly refusedBy: 'requests' | 'tokens' | null;
  /** When a refused request would pass; milliseconds. */
  readonly retryAfterMs: number;
}

interface Bucket {
  level: number;
  at: number;
}

const MINUTE = 60_000;

/**
 * Token buckets, as the providers describe theirs: full at first, refilled all the time, never more than a minute's
 * quota. A request that needs more tokens than that passes when the bucket is full.
 */
export class Quota {
  readonly #buckets = new Map<string, Bucket>();

  /** Takes a request and its input tokens from the account, if both quotas allow. `now` is milliseconds. */
  take(account: string, tokens: number, limits: QuotaLimits, now: number): QuotaState {
    const requestWait = this.#wait(`${account} requests`, 1, limits.rpm, now);
    const tokenWait = this.#wait(`${account} tokens`, tokens, limits.tpm, now);
    const passes = requestWait === 0 && tokenWait === 0;
    if (passes) {
      this.#spend(`${account} requests`, 1, limits.rpm, now);
      this.#spend(`${account} tokens`, tokens, limits.tpm, now);
    }
    return {
      requests: this.#level(`${account} requests`, limits.rpm, now),
      tokens: this.#level(`${account} tokens`, limits.tpm, now),
      refusedBy: passes ? null : requestWait >= tokenWait ? 'requests' : 'tokens',
      retryAfterMs: Math.max(requestWait, tokenWait),
    };
  }

  /** Charges output tokens, known only afterwards; later requests wait for them. */
  charge(account: string, tokens: number, limits: QuotaLimits, now: number): void {
    this.#spend(`${account} tokens`, tokens, limits.tpm, now);
  }

  /** Fills every bucket. */
  clear(): void {
    this.#buckets.clear();
  }

  #bucket(name: string, limit: number, now: number): Bucket {
    const found = this.#buckets.get(name);
    const bucket = found ?? { level: limit, at: now };
    if (found === undefined) this.#buckets.set(name, bucket);
    bucket.level = Math.min(limit, bucket.level + ((now - bucket.at) * limit) / MINUTE);
    bucket.at = now;
    return bucket;
  }

  #wait(name: string, amount: number, limit: number | undefined, now: number): number {
    if (limit === undefined) return 0;
    const missing = Math.min(amount, limit) - this.#bucket(name, limit, now).level;
    return missing <= 0 ? 0 : (missing * MINUTE) / limit;
  }

  #spend(name: string, amount: number, limit: number | undefined, now: number): void {
    if (limit !== undefined) this.#bucket(name, limit, now).level -= amount;
  }

  #level(name: string, limit: number | undefined, now: number): QuotaLevel | null {
    if (limit === undefined) return null;
    const { level } = this.#bucket(name, limit, now);
    return { limit, remaining: Math.max(0, Math.floor(level)), resetMs: ((limit - level) * MINUTE) / limit };
  }
}
