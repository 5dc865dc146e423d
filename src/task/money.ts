/**
 * Money is counted in whole nano-dollars (1e-9 USD) so that sums are exact: a price of $1 per million tokens is
 * 1,000 nano-dollars a token, and 2^53 of them are nine million dollars. Each prompt's cost is rounded once.
 */
export type NanoUsd = number;

/** Nano-dollars in one dollar. */
const NANO_PER_USD = 1_000_000_000;

/** Dollars as whole nano-dollars. */
export function usdToNano(usd: number): NanoUsd {
  return Math.round(usd * NANO_PER_USD);
}

/** Nano-dollars as dollars. */
export function nanoToUsd(nano: NanoUsd): number {
  return nano / NANO_PER_USD;
}
