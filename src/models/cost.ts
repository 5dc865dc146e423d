import type { NanoUsd } from '../task/money.js';
import type { Usage } from '../task/usage.js';
import type { ModelInfo, PriceBand } from './types.js';

/** A price of one dollar per million tokens is a thousand nano-dollars a token. */
const NANO_PER_TOKEN_AT_ONE_USD_PER_MILLION = 1000;

/** The band for a whole prompt (cached tokens included); the last one when none reaches that far. */
function bandFor(bands: readonly PriceBand[], promptTokens: number): PriceBand | undefined {
  return bands.find((band) => band.upTo === null || promptTokens <= band.upTo) ?? bands[bands.length - 1];
}

function split(usage: Usage): { readonly plain: number; readonly write5m: number; readonly write1h: number } {
  const write5m = usage.cacheWriteTokens - usage.cacheWrite1hTokens;
  const plain = usage.inputTokens - usage.cachedInputTokens - usage.cacheWriteTokens;
  return { plain, write5m, write1h: usage.cacheWrite1hTokens };
}

/** What a prompt cost, rounded once to whole nano-dollars; null when the price is unknown. */
export function costNano(info: ModelInfo, usage: Usage): NanoUsd | null {
  const band = info.prices === null ? undefined : bandFor(info.prices, usage.inputTokens);
  if (band === undefined) return null;
  const { plain, write5m, write1h } = split(usage);
  const usdPerMillion =
    plain * band.input +
    usage.cachedInputTokens * band.cacheRead +
    write5m * band.cacheWrite5m +
    write1h * band.cacheWrite1h +
    usage.outputTokens * band.output;
  return Math.round(usdPerMillion * NANO_PER_TOKEN_AT_ONE_USD_PER_MILLION);
}

/**
 * The most a prompt can cost: every byte of the request one token, all of it written to the dearest cache, and the
 * whole output allowance used (thinking counts towards it). Null when the price is unknown.
 */
export function worstCaseNano(info: ModelInfo, requestBytes: number, maxOutputTokens: number): NanoUsd | null {
  const band = info.prices === null ? undefined : bandFor(info.prices, requestBytes);
  if (band === undefined) return null;
  const input = Math.max(band.input, band.cacheWrite5m, band.cacheWrite1h);
  return Math.ceil((requestBytes * input + maxOutputTokens * band.output) * NANO_PER_TOKEN_AT_ONE_USD_PER_MILLION);
}

/** What cache reads saved, net of what cache writes cost extra; negative when writes cost more. 0 without a price. */
export function cacheSavingsNano(info: ModelInfo, usage: Usage): NanoUsd {
  const band = info.prices === null ? undefined : bandFor(info.prices, usage.inputTokens);
  if (band === undefined) return 0;
  const { write5m, write1h } = split(usage);
  const usdPerMillion =
    usage.cachedInputTokens * (band.input - band.cacheRead) -
    write5m * (band.cacheWrite5m - band.input) -
    write1h * (band.cacheWrite1h - band.input);
  return Math.round(usdPerMillion * NANO_PER_TOKEN_AT_ONE_USD_PER_MILLION);
}
