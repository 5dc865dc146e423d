import type { ModelRef } from './types.js';

/** Dollars for a million tokens kept an hour, by family: Google's price pages of Gemini 2.5 to 3.1. Later ones don't say. */
const GEMINI = { flash: 1, pro: 4.5 } as const;

/** What keeping tokens in an explicit cache costs, dollars for a million tokens an hour; null = not known. */
export function storagePrice({ provider, model }: ModelRef): number | null {
  const family = provider === 'gemini' ? /^gemini-(?:2\.5|3|3\.1)-(flash|pro)\b/.exec(model)?.[1] : undefined;
  return family === 'flash' || family === 'pro' ? GEMINI[family] : null;
}
