import type { Capability, EffortRule, PriceBand, SamplingRule } from '../types.js';
import type { BatchShare, CatalogRow, PriceStep, ProviderCatalog } from './row.js';
import { always, HALF, NO_TEMPERATURE } from './row.js';

const TEMPERATURE: SamplingRule = { kind: 'temperature', min: 0, max: 2 };
const FOUR_LEVELS = ['minimal', 'low', 'medium', 'high'];
const THREE_LEVELS = ['low', 'medium', 'high'];
const FLASH: EffortRule = { levels: FOUR_LEVELS, standard: 'medium' };
const FLASH_LITE: EffortRule = { levels: FOUR_LEVELS, standard: 'minimal' };

/** Implicit caching writes for nothing: a written token costs what an input token costs. */
function usd(input: number, output: number, cacheRead: number, upTo: number | null = null): PriceBand {
  return { upTo, input, output, cacheRead, cacheWrite5m: input, cacheWrite1h: input };
}

/** Every Gemini model listed here thinks, calls tools, and takes images, sound, video and PDFs. */
const CAPABLE: readonly Capability[] = ['reasoning', 'function_calling', 'multimodal', 'vision', 'audio', 'video'];

/** Before 3.5 the Batch API charges cache reads in full. */
const HALF_BUT_READS: BatchShare = { tokens: 0.5, cacheRead: 1 };

/** Google rounds what the Batch API of 3.5 Flash-Lite charges for cache reads up: $0.02 for half of $0.03. */
const FLASH_LITE_BATCH: BatchShare = { tokens: 0.5, cacheRead: 0.02 / 0.03 };

interface Gemini {
  readonly output?: number;
  readonly minCache: number | null;
  readonly sampling?: SamplingRule;
  readonly effort: EffortRule | null;
  readonly cutoff?: string;
  readonly batch?: BatchShare | null;
  readonly prices: readonly PriceStep[];
}

function gemini(id: string, facts: Gemini): CatalogRow {
  return {
    id,
    contextTokens: 1_048_576,
    maxOutputTokens: facts.output ?? 65_536,
    minCacheTokens: facts.minCache,
    sampling: facts.sampling ?? NO_TEMPERATURE,
    effort: facts.effort,
    structuredOutput: true,
    capabilities: CAPABLE,
    knowledgeCutoff: facts.cutoff ?? null,
    batch: facts.batch === undefined ? HALF : facts.batch,
    prices: facts.prices,
  };
}

/** Gemini 4 doubles its launch price on 2026-12-01, as announced. */
function gemini4Prices(launch: string): readonly PriceStep[] {
  return [
    { from: launch, bands: [usd(2, 10, 0.1)] },
    { from: '2026-12-01', bands: [usd(4, 20, 0.2)] },
  ];
}

/**
 * Gemini models. From 3 on no temperature is sent: 3.6 and later ignore it, and for the others Google advises to leave
 * it at 1 because lower values make them loop.
 */
export const GEMINI_CATALOG: ProviderCatalog = {
  source:
    'ai.google.dev pricing, caching and thinking pages, read 2026-11-21 through litellm 1.109.1; cut-offs: models.dev',
  rows: [
    gemini('gemini-4-argon', {
      output: 1_048_576,
      minCache: 4096,
      effort: { levels: THREE_LEVELS, standard: null },
      prices: gemini4Prices('2026-10-20'),
    }),
    gemini('gemini-4-carbon', {
      minCache: 4096,
      effort: { levels: THREE_LEVELS, standard: null },
      // No batch price is published yet.
      batch: null,
      prices: gemini4Prices('2026-11-10'),
    }),
    gemini('gemini-3.8-flash', {
      minCache: 4096,
      effort: FLASH,
      // The half price is announced to end with 2026; cache reads stay a tenth of the input.
      prices: [
        { from: '2026-09-02', bands: [usd(0.75, 3.75, 0.075)] },
        { from: '2027-01-01', bands: [usd(1.5, 7.5, 0.15)] },
      ],
    }),
    gemini('gemini-3.7-flash', { minCache: 4096, effort: FLASH, prices: always(usd(0.75, 3.75, 0.075)) }),
    gemini('gemini-3.6-flash', { minCache: 4096, effort: FLASH, prices: always(usd(0.75, 3.75, 0.075)) }),
    gemini('gemini-3.5-flash', { minCache: 4096, effort: FLASH, cutoff: '2025-01', prices: always(usd(1.5, 9, 0.15)) }),
    gemini('gemini-3.5-flash-lite', {
      minCache: null,
      effort: FLASH_LITE,
      batch: FLASH_LITE_BATCH,
      prices: always(usd(0.3, 2.5, 0.03)),
    }),
    gemini('gemini-3.1-pro-preview', {
      minCache: 4096,
      effort: { levels: THREE_LEVELS, standard: 'high' },
      cutoff: '2025-01',
      batch: HALF_BUT_READS,
      prices: [{ from: '', bands: [usd(2, 12, 0.2, 200_000), usd(4, 18, 0.4)] }],
    }),
    gemini('gemini-3.1-flash-lite', {
      minCache: null,
      effort: FLASH_LITE,
      cutoff: '2025-01',
      prices: always(usd(0.25, 1.5, 0.025)),
    }),
    gemini('gemini-2.5-pro', {
      minCache: 2048,
      sampling: TEMPERATURE,
      effort: null,
      cutoff: '2025-01',
      batch: HALF_BUT_READS,
      prices: [{ from: '', bands: [usd(1.25, 10, 0.125, 200_000), usd(2.5, 15, 0.25)] }],
    }),
    gemini('gemini-2.5-flash', {
      minCache: 2048,
      sampling: TEMPERATURE,
      effort: null,
      cutoff: '2025-01',
      batch: HALF_BUT_READS,
      prices: always(usd(0.3, 2.5, 0.03)),
    }),
    gemini('gemini-2.5-flash-lite', {
      minCache: null,
      sampling: TEMPERATURE,
      effort: null,
      cutoff: '2025-01',
      batch: HALF_BUT_READS,
      prices: always(usd(0.1, 0.4, 0.01)),
    }),
  ],
};
