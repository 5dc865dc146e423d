import type { Usage } from '../task/usage.js';

/** What is known of a batch's prompts before and after they were sent. */
export interface CacheFacts {
  /** Prompts spent. */
  readonly prompts: number;
  /** Blocks of a prompt: instructions and turns. */
  readonly blocks: number;
  /** Blocks of a prompt that were marked for the cache. */
  readonly marked: number;
  /** Estimated tokens of the marked blocks of a prompt. */
  readonly markedTokens: number;
  /** Tokens of the prompts whose usage is known. */
  readonly usage: Usage;
  /** What caching saved, net of the write premium, before making and storing explicit caches; USD. Null = price not known. */
  readonly savedUsd: number | null;
}

/** What was hoped of the prompt cache, and what it really did. */
export interface CacheStatistics {
  /** Blocks of all prompts sent. */
  readonly totalBlocks: number;
  /** Of these, blocks marked for the cache. */
  readonly cachedBlocks: number;
  /** Estimated tokens of the marked blocks. */
  readonly estimatedTokens: number;
  /** Marked blocks as a share of all: what might be hit, not what was. Null before the first prompt. */
  readonly hitPotential: number | null;
  /** Tokens read from the cache as a share of all prompt tokens, as the provider counted. Null before the first prompt. */
  readonly hitRate: number | null;
  /** Tokens read from the cache. */
  readonly cachedTokens: number;
  /** Tokens written to the cache. */
  readonly writtenTokens: number;
  /** Prompt tokens, those read from the cache counted for a tenth, which is what they cost. */
  readonly effectiveInputTokens: number;
  /** What caching saved, net of the write premium, before making and storing explicit caches; USD. Null = price not known. */
  readonly savedUsd: number | null;
}

/** Blocks of a prompt its prefix has: instructions, if there are any, and turns. */
export function prefixBlocks(instructions: string | undefined, turns: readonly unknown[]): number {
  return (instructions === undefined ? 0 : 1) + turns.length;
}

/** Price of a token read from the cache as a share of a plain one: a tenth for most models. */
const READ_SHARE = 0.1;

/** Statistics of several batches together, or of one. Pure. */
export function cacheStatistics(all: readonly CacheFacts[]): CacheStatistics {
  const sum = (of: (facts: CacheFacts) => number): number => all.reduce((total, facts) => total + of(facts), 0);
  const totalBlocks = sum(({ prompts, blocks }) => prompts * blocks);
  const cachedBlocks = sum(({ prompts, marked }) => prompts * marked);
  const inputTokens = sum(({ usage }) => usage.inputTokens);
  const cachedTokens = sum(({ usage }) => usage.cachedInputTokens);
  return {
    totalBlocks,
    cachedBlocks,
    estimatedTokens: sum(({ prompts, markedTokens }) => prompts * markedTokens),
    hitPotential: totalBlocks === 0 ? null : cachedBlocks / totalBlocks,
    hitRate: inputTokens === 0 ? null : cachedTokens / inputTokens,
    cachedTokens,
    writtenTokens: sum(({ usage }) => usage.cacheWriteTokens),
    effectiveInputTokens: Math.round(inputTokens - cachedTokens * (1 - READ_SHARE)),
    savedUsd: all.some(({ savedUsd }) => savedUsd === null) ? null : sum(({ savedUsd }) => savedUsd ?? 0),
  };
}
