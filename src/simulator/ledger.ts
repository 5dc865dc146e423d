import type { ModelInfo, PriceBand } from '../models/types.js';
import type { Usage } from '../task/usage.js';
import type { AnswerFault } from './scenario.js';

/** A request that was billed. */
export interface LedgerEntry {
  /** 1-based number since the last reset. */
  readonly n: number;
  /** When it was accepted, milliseconds since 1970. */
  readonly at: number;
  /** `anthropic`, `gemini`, `openai`, `lmstudio`, `ollama` or `compatible`. */
  readonly provider: string;
  /** The model that answered. */
  readonly model: string;
  /** Hash of schema, instructions and turns: equal for equal prompts. */
  readonly promptHash: string;
  /** Whole prompt, cached and written tokens included. */
  readonly inputTokens: number;
  /** Part of the prompt read from the cache. */
  readonly cachedInputTokens: number;
  /** Part of the prompt written to the cache, where the provider counts it. */
  readonly cacheWriteTokens: number;
  /** Part of the written tokens that was written for an hour. */
  readonly cacheWrite1hTokens: number;
  /** Generated tokens, thinking included. */
  readonly outputTokens: number;
  /** Nano-dollars; null = no price is known. */
  readonly costNanoUsd: number | null;
  /** HTTP status of the response. */
  readonly status: number;
  /** What was wrong with the answer; null = nothing. */
  readonly fault: AnswerFault | null;
  /** Size of the request's body. */
  readonly requestBytes: number;
}

/** Sums over billed requests. */
export interface LedgerSums {
  /** Billed requests. */
  readonly requests: number;
  /** Whole prompts. */
  readonly inputTokens: number;
  /** Read from the cache. */
  readonly cachedInputTokens: number;
  /** Written to the cache. */
  readonly cacheWriteTokens: number;
  /** Written to the cache for an hour. */
  readonly cacheWrite1hTokens: number;
  /** Generated. */
  readonly outputTokens: number;
  /** Of the requests with a known price. */
  readonly costNanoUsd: number;
  /** Requests without a known price. */
  readonly unpriced: number;
}

/** Everything since the last reset. */
export interface LedgerTotals extends LedgerSums {
  /** The cost in dollars. */
  readonly costUsd: number;
  /** By `provider/model`. */
  readonly byModel: Readonly<Record<string, LedgerSums>>;
  /** Billed answers with a fault, by fault. */
  readonly faults: Readonly<Record<string, number>>;
  /** Requests that were not billed, by cause: a fault of the way, `quota`, `key`, or `refused` with 4xx. */
  readonly unbilled: Readonly<Record<string, number>>;
}

/** Entries kept; totals go on beyond. */
const MOST_ENTRIES = 100_000;

/** One dollar per million tokens is a million pico-dollars a token. */
const PICO_PER_TOKEN_AT_ONE_USD_PER_MILLION = 1_000_000;

type Sums = { -readonly [K in keyof LedgerSums]: LedgerSums[K] };

function noSums(): Sums {
  return {
    requests: 0,
    inputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    cacheWrite1hTokens: 0,
    outputTokens: 0,
    costNanoUsd: 0,
    unpriced: 0,
  };
}

function add(sums: Sums, entry: LedgerEntry): void {
  sums.requests += 1;
  sums.inputTokens += entry.inputTokens;
  sums.cachedInputTokens += entry.cachedInputTokens;
  sums.cacheWriteTokens += entry.cacheWriteTokens;
  sums.cacheWrite1hTokens += entry.cacheWrite1hTokens;
  sums.outputTokens += entry.outputTokens;
  if (entry.costNanoUsd === null) sums.unpriced += 1;
  else sums.costNanoUsd += entry.costNanoUsd;
}

/** What the provider charged: it keeps the books that a client's own are compared with. */
export class Ledger {
  #entries: LedgerEntry[] = [];
  #oldest = 0;
  #sums = noSums();
  readonly #byModel = new Map<string, Sums>();
  readonly #faults = new Map<string, number>();
  readonly #unbilled = new Map<string, number>();

  /** Books a billed request; its number is given here. */
  bill(entry: Omit<LedgerEntry, 'n'>): void {
    const numbered = { n: this.#sums.requests + 1, ...entry };
    const name = `${entry.provider}/${entry.model}`;
    const ofModel = this.#byModel.get(name) ?? noSums();
    this.#byModel.set(name, ofModel);
    add(this.#sums, numbered);
    add(ofModel, numbered);
    if (entry.fault !== null) this.#faults.set(entry.fault, (this.#faults.get(entry.fault) ?? 0) + 1);
    if (this.#entries.length < MOST_ENTRIES) {
      this.#entries.push(numbered);
      return;
    }
    this.#entries[this.#oldest] = numbered;
    this.#oldest = (this.#oldest + 1) % MOST_ENTRIES;
  }

  /** Counts a request that cost nothing. */
  unbilled(cause: string): void {
    this.#unbilled.set(cause, (this.#unbilled.get(cause) ?? 0) + 1);
  }

  /** The last 100,000 billed requests, oldest first. */
  entries(): readonly LedgerEntry[] {
    return [...this.#entries.slice(this.#oldest), ...this.#entries.slice(0, this.#oldest)];
  }

  /** Sums over everything. */
  totals(): LedgerTotals {
    const byModel = Object.fromEntries([...this.#byModel].map(([name, sums]) => [name, { ...sums }]));
    return {
      ...this.#sums,
      costUsd: this.#sums.costNanoUsd / 1e9,
      byModel,
      faults: Object.fromEntries(this.#faults),
      unbilled: Object.fromEntries(this.#unbilled),
    };
  }

  /** Starts again. */
  reset(): void {
    this.#entries = [];
    this.#oldest = 0;
    this.#sums = noSums();
    this.#byModel.clear();
    this.#faults.clear();
    this.#unbilled.clear();
  }
}

/** List prices are exact in pico-dollars a token: with integers, no sum can be off by a rounding. */
function pico(usdPerMillion: number): number {
  return Math.round(usdPerMillion * PICO_PER_TOKEN_AT_ONE_USD_PER_MILLION);
}

function bandOf(prices: readonly PriceBand[], inputTokens: number): PriceBand | undefined {
  return prices.find(({ upTo }) => upTo === null || inputTokens <= upTo) ?? prices.at(-1);
}

/**
 * The price of a request in whole nano-dollars, rounded half up; null without a price. Arithmetic of its own over the
 * same price list: an error in the client's shows as a difference.
 */
export function priceOf({ prices }: Pick<ModelInfo, 'prices'>, usage: Usage): number | null {
  const band = prices === null ? undefined : bandOf(prices, usage.inputTokens);
  if (band === undefined) return null;
  const { inputTokens, cachedInputTokens, cacheWriteTokens, cacheWrite1hTokens, outputTokens } = usage;
  const sum =
    (inputTokens - cachedInputTokens - cacheWriteTokens) * pico(band.input) +
    cachedInputTokens * pico(band.cacheRead) +
    (cacheWriteTokens - cacheWrite1hTokens) * pico(band.cacheWrite5m) +
    cacheWrite1hTokens * pico(band.cacheWrite1h) +
    outputTokens * pico(band.output);
  return Math.floor((sum + 500) / 1000);
}
