import type { Capability, EffortRule, PriceBand, SamplingRule } from '../types.js';
import type { CatalogRow, PriceStep, ProviderCatalog } from './row.js';
import { always, HALF, NO_TEMPERATURE } from './row.js';

/** Taken only with the header `anthropic-version: 2023-06-01`; the newer version rejects it for every model. */
const LEGACY: SamplingRule = { kind: 'temperature-legacy-api', min: 0, max: 1 };
const ALL_LEVELS = ['low', 'medium', 'high', 'xhigh', 'max'];
const EFFORT: EffortRule = { levels: ALL_LEVELS, standard: 'high' };
const EFFORT_MEDIUM: EffortRule = { levels: ALL_LEVELS, standard: 'medium' };
const EFFORT_4_6: EffortRule = { levels: ['low', 'medium', 'high', 'max'], standard: 'high' };
const EFFORT_4_5: EffortRule = { levels: ['low', 'medium', 'high'], standard: 'high' };

/** Cache writes cost 1.25 times the input for five minutes and twice for an hour, for every model. */
function usd(input: number, output: number, cacheRead: number, upTo: number | null = null): PriceBand {
  return { upTo, input, output, cacheRead, cacheWrite5m: input * 1.25, cacheWrite1h: input * 2 };
}

/** Every Claude model listed here thinks, calls tools, and reads images and PDFs. */
const CAPABLE: readonly Capability[] = ['reasoning', 'function_calling', 'multimodal', 'vision'];

interface Claude {
  readonly aliases?: readonly string[];
  readonly context?: number;
  readonly output?: number | null;
  readonly minCache: number | null;
  readonly sampling?: SamplingRule;
  readonly effort: EffortRule | null;
  readonly cutoff?: string;
  readonly prices: readonly PriceStep[];
}

function claude(id: string, facts: Claude): CatalogRow {
  return {
    id,
    ...(facts.aliases === undefined ? {} : { aliases: facts.aliases }),
    contextTokens: facts.context ?? 1_000_000,
    maxOutputTokens: facts.output === undefined ? 128_000 : facts.output,
    minCacheTokens: facts.minCache,
    sampling: facts.sampling ?? NO_TEMPERATURE,
    effort: facts.effort,
    structuredOutput: true,
    capabilities: CAPABLE,
    knowledgeCutoff: facts.cutoff ?? null,
    batch: HALF,
    prices: facts.prices,
  };
}

const SMALL = { context: 200_000, output: 64_000 };

/** Claude models. Sold without a list price we know: the `mythos` family. */
export const ANTHROPIC_CATALOG: ProviderCatalog = {
  source: 'platform.claude.com pricing and model pages, read 2026-11-21 through litellm 1.109.1; cut-offs: models.dev',
  rows: [
    claude('claude-haiku-5-5', {
      minCache: 512,
      effort: EFFORT_MEDIUM,
      // Above 100,000 prompt tokens every token of the request costs five times as much, output too.
      prices: [{ from: '', bands: [usd(0.1, 0.5, 0.01, 100_000), usd(0.5, 2.5, 0.05)] }],
    }),
    claude('claude-sonnet-5-5', {
      minCache: 512,
      effort: EFFORT,
      prices: [
        { from: '2026-09-28', bands: [usd(2, 10, 0.2)] },
        { from: '2026-10-07', bands: [usd(2, 10, 0.1)] },
      ],
    }),
    claude('claude-opus-5-5', { minCache: 512, effort: EFFORT_MEDIUM, prices: always(usd(4, 20, 0.2)) }),
    claude('claude-fable-5-2', {
      output: null,
      minCache: null,
      effort: EFFORT,
      prices: [{ from: '2026-11-09', bands: [usd(8, 40, 0.2)] }],
    }),
    claude('claude-fable-5-1', { minCache: 512, effort: EFFORT, prices: always(usd(10, 50, 0.25)) }),
    claude('claude-fable-5', { minCache: 512, effort: EFFORT, cutoff: '2026-01-31', prices: always(usd(10, 50, 1)) }),
    claude('claude-opus-5', { minCache: 512, effort: EFFORT, prices: always(usd(5, 25, 0.5)) }),
    claude('claude-sonnet-5', {
      minCache: 1024,
      effort: EFFORT,
      cutoff: '2026-01-31',
      prices: always(usd(2, 10, 0.2)),
    }),
    claude('claude-opus-4-8', { minCache: 1024, effort: EFFORT, prices: always(usd(5, 25, 0.5)) }),
    claude('claude-opus-4-7', {
      minCache: 2048,
      effort: EFFORT,
      cutoff: '2026-01-31',
      prices: always(usd(5, 25, 0.5)),
    }),
    claude('claude-opus-4-6', {
      minCache: 4096,
      sampling: LEGACY,
      effort: EFFORT_4_6,
      cutoff: '2025-05-31',
      prices: always(usd(5, 25, 0.5)),
    }),
    claude('claude-sonnet-4-6', {
      minCache: 1024,
      sampling: LEGACY,
      effort: EFFORT_4_6,
      cutoff: '2025-08-31',
      prices: always(usd(3, 15, 0.3)),
    }),
    claude('claude-haiku-4-5', {
      ...SMALL,
      aliases: ['claude-haiku-4-5-20251001'],
      minCache: 4096,
      sampling: LEGACY,
      effort: null,
      cutoff: '2025-02-28',
      prices: always(usd(1, 5, 0.1)),
    }),
    claude('claude-opus-4-5', {
      ...SMALL,
      aliases: ['claude-opus-4-5-20251101'],
      minCache: 4096,
      sampling: LEGACY,
      effort: EFFORT_4_5,
      cutoff: '2025-03-31',
      prices: always(usd(5, 25, 0.5)),
    }),
    claude('claude-sonnet-4-5', {
      ...SMALL,
      aliases: ['claude-sonnet-4-5-20250929'],
      minCache: 1024,
      sampling: LEGACY,
      effort: null,
      cutoff: '2025-07-31',
      prices: always(usd(3, 15, 0.3)),
    }),
    ...['claude-mythos-5-2', 'claude-mythos-5-1', 'claude-mythos-5', 'claude-mythos-preview'].map((id) =>
      claude(id, { output: null, minCache: null, effort: EFFORT, prices: [] }),
    ),
  ],
};
