import type { Capability, EffortRule, PriceBand, SamplingRule } from '../types.js';
import type { BatchShare, CatalogRow, PriceStep, ProviderCatalog } from './row.js';
import { always, HALF, NO_TEMPERATURE } from './row.js';

const TEMPERATURE: SamplingRule = { kind: 'temperature', min: 0, max: 2 };
const WITHOUT_REASONING: SamplingRule = { kind: 'temperature-without-reasoning', min: 0, max: 2 };
const GPT_5: EffortRule = { levels: ['minimal', 'low', 'medium', 'high'], standard: 'medium' };
const GPT_5_4: EffortRule = { levels: ['none', 'low', 'medium', 'high', 'xhigh'], standard: 'none' };
const GPT_6: EffortRule = { levels: ['none', 'low', 'medium', 'high', 'xhigh'], standard: null };
const GPT_6_1: EffortRule = { levels: ['low', 'medium', 'high', 'xhigh'], standard: null };

/** Largest prompt at the normal price; above it input and cache cost twice, output one and a half times as much. */
const LONG_PROMPT = 272_000;

/** `cacheWrite` is the input price before GPT-5.6, which writes its cache for nothing. */
function usd(input: number, output: number, cacheRead: number, cacheWrite = input): PriceBand {
  return { upTo: null, input, output, cacheRead, cacheWrite5m: cacheWrite, cacheWrite1h: cacheWrite };
}

function withLongPrompts(band: PriceBand): readonly PriceStep[] {
  const long: PriceBand = {
    upTo: null,
    input: band.input * 2,
    output: band.output * 1.5,
    cacheRead: band.cacheRead * 2,
    cacheWrite5m: band.cacheWrite5m * 2,
    cacheWrite1h: band.cacheWrite1h * 2,
  };
  return [{ from: '', bands: [{ ...band, upTo: LONG_PROMPT }, long] }];
}

/** Every GPT model listed here calls tools and reads images. */
const CAPABLE: readonly Capability[] = ['function_calling', 'multimodal', 'vision'];

/** GPT-4.1's Batch API names no price for cache reads: they are charged like its input, half of the normal one. */
const READS_LIKE_INPUT: BatchShare = { tokens: 0.5, cacheRead: 2 };

/** OpenAI rounds what GPT-5.4's Batch API charges for cache reads to whole cents: $0.13 for half of $0.25. */
const GPT_5_4_BATCH: BatchShare = { tokens: 0.5, cacheRead: 0.13 / 0.25 };

interface Gpt {
  readonly aliases?: readonly string[];
  readonly context: number;
  readonly output?: number;
  readonly sampling: SamplingRule;
  readonly effort: EffortRule | null;
  readonly cutoff?: string;
  readonly batch?: BatchShare;
  readonly prices: readonly PriceStep[];
}

function gpt(id: string, facts: Gpt): CatalogRow {
  return {
    id,
    ...(facts.aliases === undefined ? {} : { aliases: facts.aliases }),
    contextTokens: facts.context,
    maxOutputTokens: facts.output ?? 128_000,
    // Caching is automatic from this prompt size on, for every model.
    minCacheTokens: 1024,
    sampling: facts.sampling,
    effort: facts.effort,
    structuredOutput: true,
    capabilities: facts.effort === null ? CAPABLE : ['reasoning', ...CAPABLE],
    knowledgeCutoff: facts.cutoff ?? null,
    batch: facts.batch ?? HALF,
    prices: facts.prices,
  };
}

const GPT_6_1_FACTS = { context: 922_000, sampling: NO_TEMPERATURE, effort: GPT_6_1 };
const GPT_6_FACTS = { context: 922_000, sampling: WITHOUT_REASONING, effort: GPT_6 };
const GPT_5_4_FACTS = { cutoff: '2025-08-31', context: 272_000, sampling: WITHOUT_REASONING, effort: GPT_5_4 };
const GPT_5_FACTS = { cutoff: '2024-05-30', context: 272_000, sampling: NO_TEMPERATURE, effort: GPT_5 };
const GPT_4_1_FACTS = { cutoff: '2024-04', sampling: TEMPERATURE, effort: null, batch: READS_LIKE_INPUT };
const GPT_4O_FACTS = { cutoff: '2023-09', sampling: TEMPERATURE, effort: null };

/** OpenAI models. The GPT-4o family is listed for its parameters; its prices are not in our source. */
export const OPENAI_CATALOG: ProviderCatalog = {
  source: 'developers.openai.com pricing, read 2026-11-21 through litellm 1.109.1; cut-offs: models.dev',
  rows: [
    gpt('gpt-6.1-sol', { ...GPT_6_1_FACTS, prices: withLongPrompts(usd(2, 10, 0.1, 2.5)) }),
    gpt('gpt-6.1-terra', { ...GPT_6_1_FACTS, prices: withLongPrompts(usd(1, 5, 0.05, 1.25)) }),
    gpt('gpt-6-astra', { ...GPT_6_FACTS, prices: withLongPrompts(usd(10, 50, 1, 12.5)) }),
    gpt('gpt-6-sol', { ...GPT_6_FACTS, prices: withLongPrompts(usd(2, 10, 0.2, 2.5)) }),
    gpt('gpt-6-luna', { ...GPT_6_FACTS, prices: withLongPrompts(usd(0.1, 0.5, 0.01, 0.125)) }),
    gpt('gpt-5.6-terra', { ...GPT_6_FACTS, prices: withLongPrompts(usd(2, 12, 0.2, 2.5)) }),
    gpt('gpt-5.6-luna', { ...GPT_6_FACTS, prices: withLongPrompts(usd(0.2, 1.2, 0.02, 0.25)) }),
    gpt('gpt-5.4', {
      ...GPT_5_4_FACTS,
      context: 1_050_000,
      batch: GPT_5_4_BATCH,
      prices: withLongPrompts(usd(2.5, 15, 0.25)),
    }),
    gpt('gpt-5.4-mini', { ...GPT_5_4_FACTS, prices: always(usd(0.75, 4.5, 0.075)) }),
    gpt('gpt-5.4-nano', { ...GPT_5_4_FACTS, prices: always(usd(0.2, 1.25, 0.02)) }),
    gpt('gpt-5-mini', {
      ...GPT_5_FACTS,
      aliases: ['gpt-5-mini-2025-08-07'],
      prices: always(usd(0.25, 2, 0.025)),
    }),
    gpt('gpt-5-nano', {
      ...GPT_5_FACTS,
      aliases: ['gpt-5-nano-2025-08-07'],
      prices: always(usd(0.05, 0.4, 0.005)),
    }),
    gpt('gpt-4.1', {
      ...GPT_4_1_FACTS,
      aliases: ['gpt-4.1-2025-04-14'],
      context: 1_047_576,
      output: 32_768,
      prices: always(usd(2, 8, 0.5)),
    }),
    gpt('gpt-4.1-mini', {
      ...GPT_4_1_FACTS,
      aliases: ['gpt-4.1-mini-2025-04-14'],
      context: 1_047_576,
      output: 32_768,
      prices: always(usd(0.4, 1.6, 0.1)),
    }),
    gpt('gpt-4o', { ...GPT_4O_FACTS, context: 128_000, output: 16_384, prices: [] }),
    gpt('gpt-4o-mini', { ...GPT_4O_FACTS, context: 128_000, output: 16_384, prices: [] }),
  ],
};
