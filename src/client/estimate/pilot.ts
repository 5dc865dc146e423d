import { billsWrites, hourWrites } from '../../caching/expectedUse.js';
import { costNano } from '../../models/cost.js';
import type { ModelInfo } from '../../models/types.js';
import type { CacheLife } from '../../task/cachePlan.js';
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

/** Where a pilot comes from and what it is projected to. */
export interface PilotPlace {
  /** `drawn[i]` is the pilot's record `i`. */
  readonly drawn: readonly DrawnRecord[];
  /** Share of the whole run's partial prompts that will find no cache; in a small pilot nearly all do. */
  readonly misses: number;
  /** How long what its prompts wrote lives; undefined = none was marked. */
  readonly life: CacheLife | undefined;
}

/** What the prompts of a pilot say. */
export function pilotSample(info: ModelInfo, past: readonly PastRecord[], place: PilotPlace): PilotSample {
  const { drawn, misses, life } = place;
  let onceNano = 0;
  const usualRead = median(past.flatMap(({ prompts: [first] }) => first?.usage?.cachedInputTokens ?? []));
  const records = past.flatMap(({ index, prompts }): readonly SampledRecord[] => {
    const bytes = drawn[index]?.bytes;
    if (bytes === undefined) return [];
    const known = prompts.flatMap(({ usage, kind }, i): readonly ExpectedPrompt[] => {
      if (usage === null) return [];
      if (kind === 'partial') {
        return [
          { usage: cold(info, usage, usualRead, life), times: misses, isFirst: false },
          { usage: warmed(info, usage, usualRead), times: 1 - misses, isFirst: false },
        ];
      }
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
 * caches tell no writes; there the batch's first prompt, which goes ahead alone, gets the usual read.
 */
function warmed(info: ModelInfo, usage: Usage, usualRead: number): Usage {
  if (cachesItself(info)) {
    return { ...usage, cachedInputTokens: Math.min(Math.max(usage.cachedInputTokens, usualRead), usage.inputTokens) };
  }
  const cachedInputTokens = usage.cachedInputTokens + usage.cacheWriteTokens;
  return { ...usage, cachedInputTokens, cacheWriteTokens: 0, cacheWrite1hTokens: 0 };
}

/** Hosted models whose cache is told nothing and bills no writes. */
function cachesItself(info: ModelInfo): boolean {
  const { provider } = info.ref;
  return provider === 'gemini' || (provider === 'openai' && !billsWrites(info));
}

/** A prompt as it would have been had nobody sent its prefix before. `usualRead`: tokens of the prefix. */
function cold(info: ModelInfo, usage: Usage, usualRead: number, life: CacheLife | undefined): Usage {
  const seen = usage.cachedInputTokens + usage.cacheWriteTokens;
  if (cachesItself(info)) return { ...usage, cachedInputTokens: 0 };
  const cacheWriteTokens = Math.min(Math.max(seen, usualRead), usage.inputTokens);
  const cacheWrite1hTokens = hourWrites(info, life, cacheWriteTokens);
  return { ...usage, cachedInputTokens: 0, cacheWriteTokens, cacheWrite1hTokens };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
