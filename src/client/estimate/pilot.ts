import { costNano } from '../../models/cost.js';
import type { ModelInfo } from '../../models/types.js';
import type { Usage } from '../../task/usage.js';
import type { PastRecord } from './history.js';
import type { DrawnRecord } from './population.js';
import type { ExpectedPrompt, SampledRecord } from './project.js';

/** A sample that was really run. */
export interface PilotSample {
  /** Its records, each with the prompts it had, as they would have been with a warm cache. */
  readonly records: readonly SampledRecord[];
  /** What filling the cache cost over reading it: paid once, however many records follow; nano-dollars. */
  readonly onceNano: number;
}

/** What the prompts of a pilot say. `drawn[i]` is the pilot's record `i`. */
export function pilotSample(info: ModelInfo, past: readonly PastRecord[], drawn: readonly DrawnRecord[]): PilotSample {
  let onceNano = 0;
  const usualRead = median(past.flatMap(({ prompts: [first] }) => first?.usage?.cachedInputTokens ?? []));
  const records = past.flatMap(({ index, prompts }): readonly SampledRecord[] => {
    const bytes = drawn[index]?.bytes;
    if (bytes === undefined) return [];
    const known = prompts.flatMap(({ usage }, i): readonly ExpectedPrompt[] => {
      if (usage === null) return [];
      const warm = warmed(info, usage, index === 0 && i === 0 ? usualRead : 0);
      onceNano += (costNano(info, usage) ?? 0) - (costNano(info, warm) ?? 0);
      return [{ usage: warm, times: 1, isFirst: i === 0 }];
    });
    return [{ bytes, prompts: known }];
  });
  return { records, onceNano };
}

/**
 * A prompt as it would have been with a warm cache: a marked prefix is written once and read from then on. Automatic
 * caches write with every prompt; there the batch's first prompt, which goes ahead alone, gets the usual read.
 */
function warmed({ ref }: ModelInfo, usage: Usage, usualRead: number): Usage {
  if (ref.provider === 'openai' || ref.provider === 'gemini') {
    const cachedInputTokens = Math.min(Math.max(usage.cachedInputTokens, usualRead), usage.inputTokens);
    const cacheWriteTokens = Math.min(usage.cacheWriteTokens, usage.inputTokens - cachedInputTokens);
    return { ...usage, cachedInputTokens, cacheWriteTokens };
  }
  const cachedInputTokens = usage.cachedInputTokens + usage.cacheWriteTokens;
  return { ...usage, cachedInputTokens, cacheWriteTokens: 0, cacheWrite1hTokens: 0 };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
