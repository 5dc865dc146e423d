import { costNano } from '../../models/cost.js';
import type { ModelInfo } from '../../models/types.js';
import { nanoToUsd } from '../../task/money.js';
import { type Usage, ZERO_USAGE } from '../../task/usage.js';

/** A prompt of a sampled record, as it is expected to be or as it was. */
export interface ExpectedPrompt {
  /** Its tokens while the cache is warm. */
  readonly usage: Usage;
  /** Prompts of this kind the record needs: 1, or a share for retries. */
  readonly times: number;
  /** The first of the record: a Batch API would take it at half price. */
  readonly isFirst: boolean;
}

/** A sampled record. */
export interface SampledRecord {
  /** Size of its prompt; bytes. */
  readonly bytes: number;
  /** Its prompts. */
  readonly prompts: readonly ExpectedPrompt[];
}

/** What a sample is projected to. */
export interface Whole {
  /** Records that need a prompt. */
  readonly records: number;
  /** Sum of the sizes of all prompts; bytes. Null when they are not known: then records count alike. */
  readonly bytes: number | null;
}

/** How a prompt is paid for. */
export type PriceMode = 'cached' | 'uncached' | 'batchApi';

/** A sum that was projected from a sample. */
export interface Projected {
  /** The most likely value. */
  readonly mean: number;
  /** Half the width of its 95 % confidence interval; 0 when every record was sampled. */
  readonly margin: number;
}

/** 95 % of a normal distribution lie within this many standard errors. */
const Z_95 = 1.96;

/**
 * Projects a quantity of the sampled records to all of them by linear regression: it is taken to be a part that is the
 * same for every record and a part that grows with the size of the prompt, whose sum over all records is known. The
 * margin is that of such an estimate without replacement.
 */
export function project(sample: readonly SampledRecord[], whole: Whole, of: (r: SampledRecord) => number): Projected {
  const n = sample.length;
  if (n === 0 || whole.records === 0) return { mean: 0, margin: 0 };
  const sizes = sample.map(({ bytes }) => (whole.bytes === null ? 0 : bytes));
  const values = sample.map(of);
  const size = average(sizes);
  const value = average(values);
  const slope = slopeOf(sizes, values, size, value);
  const meanSize = whole.bytes === null ? 0 : whole.bytes / whole.records;
  const mean = Math.max(0, (value + slope * (meanSize - size)) * whole.records);
  if (n >= whole.records) return { mean, margin: 0 };
  if (n < 3) return { mean, margin: mean };
  const squares = values.reduce((sum, one, i) => sum + (one - value - slope * ((sizes[i] ?? size) - size)) ** 2, 0);
  const error = whole.records * Math.sqrt(((1 - n / whole.records) * squares) / (n * (n - 2)));
  return { mean, margin: Z_95 * error };
}

/** What one more byte adds; 0 when all sizes are the same. */
function slopeOf(sizes: readonly number[], values: readonly number[], size: number, value: number): number {
  const spread = sizes.reduce((sum, one) => sum + (one - size) ** 2, 0);
  if (spread === 0) return 0;
  return sizes.reduce((sum, one, i) => sum + (one - size) * ((values[i] ?? value) - value), 0) / spread;
}

function average(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}

/** What a record costs in a mode; nano-dollars; null when the price is unknown. */
function recordNano(info: ModelInfo, record: SampledRecord, mode: PriceMode): number | null {
  let sum = 0;
  for (const { usage, times, isFirst } of record.prompts) {
    const cost =
      mode === 'batchApi' && isFirst
        ? costNano({ ...info, prices: info.batchPrices }, uncached(usage))
        : costNano(info, mode === 'cached' ? usage : uncached(usage));
    if (cost === null) return null;
    sum += cost * times;
  }
  return sum;
}

/** The cost of all records in a mode; USD; null when the price is unknown. `onceNano`: added once, not projected. */
export function projectUsd(
  info: ModelInfo,
  sample: readonly SampledRecord[],
  whole: Whole,
  mode: PriceMode,
  onceNano = 0,
): Projected | null {
  const costs = new Map(sample.map((record) => [record, recordNano(info, record, mode)]));
  if ([...costs.values()].some((cost) => cost === null)) return null;
  const { mean, margin } = project(sample, whole, (record) => costs.get(record) ?? 0);
  return { mean: nanoToUsd(mean + onceNano), margin: nanoToUsd(margin) };
}

/** Tokens of all records. */
export function projectUsage(sample: readonly SampledRecord[], whole: Whole): Usage {
  const total = (key: keyof Usage): number =>
    Math.round(
      project(sample, whole, ({ prompts }) => prompts.reduce((sum, { usage, times }) => sum + usage[key] * times, 0))
        .mean,
    );
  return {
    inputTokens: total('inputTokens'),
    cachedInputTokens: total('cachedInputTokens'),
    cacheWriteTokens: total('cacheWriteTokens'),
    cacheWrite1hTokens: total('cacheWrite1hTokens'),
    outputTokens: total('outputTokens'),
    thinkingTokens: total('thinkingTokens'),
  };
}

/** The same prompt without a cache. */
function uncached({ inputTokens, outputTokens, thinkingTokens }: Usage): Usage {
  return { ...ZERO_USAGE, inputTokens, outputTokens, thinkingTokens };
}
