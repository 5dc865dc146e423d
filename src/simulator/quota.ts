/** Quotas of an account; absent = unlimited. */
export interface QuotaLimits {
  /** Requests a minute. */
  readonly rpm?: number | undefined;
  /** Tokens a minute, input and output together. */
  readonly tpm?: number | undefined;
  /** Input tokens a minute. */
  readonly inputTpm?: number | undefined;
  /** Output tokens a minute. */
  readonly outputTpm?: number | undefined;
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
  /** Null = unlimited. */
  readonly inputTokens: QuotaLevel | null;
  /** Null = unlimited. */
  readonly outputTokens: QuotaLevel | null;
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

  /** Takes a request and its input tokens from the account, if every quota allows. `now` is milliseconds. */
  take(account: string, tokens: number, limits: QuotaLimits, now: number): QuotaState {
    const wait = (name: string, amount: number, limit: number | undefined): number =>
      this.#wait(`${account} ${name}`, amount, limit, now);
    const requestWait = wait('requests', 1, limits.rpm);
    const tokenWait = Math.max(
      wait('tokens', tokens, limits.tpm),
      wait('input', tokens, limits.inputTpm),
      // What an answer takes is known only afterwards: a request passes unless the quota is used up.
      wait('output', 1, limits.outputTpm),
    );
    const passes = requestWait === 0 && tokenWait === 0;
    if (passes) {
      this.#spend(`${account} requests`, 1, limits.rpm, now);
      this.charge(account, { input: tokens, output: 0 }, limits, now);
    }
    return {
      requests: this.#level(`${account} requests`, limits.rpm, now),
      tokens: this.#level(`${account} tokens`, limits.tpm, now),
      inputTokens: this.#level(`${account} input`, limits.inputTpm, now),
      outputTokens: this.#level(`${account} output`, limits.outputTpm, now),
      refusedBy: passes ? null : requestWait >= tokenWait ? 'requests' : 'tokens',
      retryAfterMs: Math.max(requestWait, tokenWait),
    };
  }

  /** Charges tokens, as far as they are known only afterwards (negative: gives back): later requests wait for them. */
  charge(
    account: string,
    tokens: { readonly input: number; readonly output: number },
    limits: QuotaLimits,
    now: number,
  ): void {
    this.#spend(`${account} tokens`, tokens.input + tokens.output, limits.tpm, now);
    this.#spend(`${account} input`, tokens.input, limits.inputTpm, now);
    this.#spend(`${account} output`, tokens.output, limits.outputTpm, now);
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
