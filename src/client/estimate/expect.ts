import type { Ask } from '../../activities/ask.js';
import { expectedUse, hourWrites, type PromptSize } from '../../caching/expectedUse.js';
import { partialMissShare } from '../../caching/partialMisses.js';
import { guessAnswer } from '../../models/answerGuess.js';
import { costNano } from '../../models/cost.js';
import { parseModelRef } from '../../models/modelRef.js';
import { tokenizerFor } from '../../models/tokenizer.js';
import type { TaskSpec } from '../../task/spec.js';
import { type Usage, ZERO_USAGE } from '../../task/usage.js';
import type { PastMeans } from './history.js';
import type { SampledRecord } from './project.js';

/** Share of first answers taken to be no good, where nothing is known and a schema can be missed. */
const USUAL_RETRIES = 0.05;

/** Share of the output cap a free text is taken to fill. */
const TEXT_SHARE = 0.25;

/** How far guesses may be off, as shares. */
const GUESS_OFF = { schema: 0.5, text: 0.75, history: 0.1 } as const;

/** What answers and retries are expected to be like. */
export interface Expectation extends Omit<PastMeans, 'records' | 'seconds'> {
  /** Seconds a prompt takes; null = never seen. */
  readonly seconds: number | null;
  /** Where the answers' size comes from, for people. */
  readonly answerBasis: string;
  /** Share by which it may be off. */
  readonly answerOff: number;
  /** Where the number of retries comes from. */
  readonly retryBasis: string;
  /** Extra prompts by which it may be off. */
  readonly retriesOff: number;
}

/** What to expect of a task's answers: what earlier ones were, else a guess from the schema. */
export async function expectationOf(spec: TaskSpec, past: PastMeans | null, from: string): Promise<Expectation> {
  if (past !== null) {
    const basis = `from ${from}`;
    const off = { answerOff: GUESS_OFF.history, retriesOff: past.extraPrompts * 0.5 + 1 / past.records };
    return { ...past, ...off, answerBasis: basis, retryBasis: basis };
  }
  const { schema, maxOutputTokens, maxPrompts, stages } = spec;
  const { count } = await tokenizerFor(parseModelRef(spec.model));
  const outputTokens =
    schema === undefined
      ? maxOutputTokens * TEXT_SHARE
      : Math.min(count(JSON.stringify(guessAnswer(schema))), maxOutputTokens);
  const extraPrompts = schema === undefined || maxPrompts === 1 ? 0 : USUAL_RETRIES;
  return {
    extraPrompts,
    partialShare: stages[1]?.kind === 'partial' ? 1 : 0,
    outputTokens: Math.round(outputTokens),
    laterOutputTokens: Math.round(outputTokens),
    laterInput: 1,
    seconds: null,
    answerBasis:
      schema === undefined
        ? 'guessed: a quarter of maxOutputTokens; thinking is not in it'
        : 'guessed from the schema; thinking is not in it',
    answerOff: schema === undefined ? GUESS_OFF.text : GUESS_OFF.schema,
    retryBasis: retryBasisOf(spec),
    retriesOff: extraPrompts,
  };
}

function retryBasisOf({ schema, maxPrompts }: Pick<TaskSpec, 'schema' | 'maxPrompts'>): string {
  if (maxPrompts === 1) return 'none: maxPrompts is 1';
  return schema === undefined ? 'assumed: a text is always valid' : 'assumed: 5 % of first answers invalid';
}

/** Share of a run's later prompts that find no cache: partial ones have prefixes of their own. */
export function laterMisses(
  { schema }: Pick<TaskSpec, 'schema'>,
  records: number,
  { extraPrompts, partialShare }: Pick<Expectation, 'extraPrompts' | 'partialShare'>,
): number {
  return partialShare * partialMissShare(schema, records * extraPrompts * partialShare);
}

/** A record's prompts as they are expected to be. `misses`: share of later prompts that find no cache. */
export function expectedRecord(
  sample: { readonly bytes: number; readonly ask: Ask; readonly size: PromptSize },
  expected: Expectation,
  misses: number,
): SampledRecord {
  const { bytes, ask, size } = sample;
  const { extraPrompts, outputTokens, laterOutputTokens, laterInput } = expected;
  const later = { ...size, whole: Math.round(size.whole * laterInput) };
  const retries = [true, false].map((first) => ({
    usage: usageOf(ask, later, laterOutputTokens, first),
    times: extraPrompts * (first ? misses : 1 - misses),
    isFirst: false,
  }));
  const first = { usage: usageOf(ask, size, outputTokens, false), times: 1, isFirst: true };
  return { bytes, prompts: [first, ...retries.filter(({ times }) => times > 0)] };
}

/** What writing the cache costs once, over reading it; nano-dollars. */
export function warmUpNano(ask: Ask, size: PromptSize): number {
  const cold = costNano(ask.info, usageOf(ask, size, 0, true));
  const warm = costNano(ask.info, usageOf(ask, size, 0, false));
  return cold === null || warm === null ? 0 : cold - warm;
}

function usageOf({ info, request }: Ask, size: PromptSize, outputTokens: number, first: boolean): Usage {
  const use = expectedUse(info, size, { breakpoint: request.cachePrefix, first });
  const written = Math.min(use.written, size.whole);
  return {
    ...ZERO_USAGE,
    inputTokens: size.whole,
    cachedInputTokens: Math.min(use.read, size.whole),
    cacheWriteTokens: written,
    cacheWrite1hTokens: hourWrites(info, request.cacheMarks?.life, written),
    outputTokens: Math.round(outputTokens),
  };
}
