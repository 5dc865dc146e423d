import type { Usage } from '../task/usage.js';
import { answerFor, schemaInText, type Said } from './answer.js';
import { brokenJson, damaged, withProse } from './damage.js';
import { hashOf, Random } from './hash.js';
import { NO_CACHE, type CacheUse, type PromptCache } from './promptCache.js';
import type { AnswerFault } from './scenario.js';
import { CHARS_PER_TOKEN, textTokens } from './tokens.js';
import { type MadeCall, madeCalls } from './tools.js';
import type { Answer, Asked } from './wire/types.js';
import { countsWrites } from './wire/models.js';

/** Thinking that goes with each effort or thinking level, tokens. */
const THINKING: Readonly<Record<string, number>> = {
  none: 0,
  minimal: 16,
  low: 48,
  medium: 96,
  high: 160,
  xhigh: 320,
  max: 640,
};

/** Where a model's own minimum isn't known: the commonest one. */
const STANDARD_CACHE_MINIMUM = 1024;

const REFUSALS = [
  "I can't help with this request.",
  "I'm not able to assist with that, as it may conflict with my usage guidelines.",
];

/** What the caches do for a prompt; counts only what the provider counts. What it writes is found from `readable` on. */
export function cacheUse(
  cache: PromptCache,
  asked: Asked,
  account: string,
  { now, readable }: { readonly now: number; readonly readable: number },
): CacheUse {
  if (asked.explicitTokens > 0) return { ...NO_CACHE, read: asked.explicitTokens };
  const scope = `${account} ${asked.model}`;
  const minimum = asked.info.minCacheTokens ?? STANDARD_CACHE_MINIMUM;
  switch (asked.caching) {
    case 'breakpoints':
      return cache.breakpoints(scope, asked.blocks, minimum, now, readable);
    case 'automatic': {
      const use = cache.automatic(scope, asked.blocks, minimum, now, readable);
      return countsWrites(asked.info) ? use : { ...use, write5m: 0 };
    }
    case 'none':
      return NO_CACHE;
  }
}

interface Spoken {
  readonly kind: Answer['kind'];
  readonly text: string;
  readonly truncated: boolean;
  /** Generated tokens besides thinking. */
  readonly tokens: number;
}

function whole(kind: Answer['kind'], text: string): Spoken {
  return { kind, text, truncated: false, tokens: textTokens(text) };
}

function withFault(
  said: Said,
  schema: Asked['schema'],
  fault: AnswerFault | null,
  room: number,
  random: Random,
): Spoken {
  switch (fault) {
    case null:
      return whole('text', said.text);
    case 'invalidJson':
      return whole('text', brokenJson(said.text, random));
    case 'proseAroundJson':
      return whole('text', withProse(said.text, random));
    case 'wrongFields':
    case 'missingFields':
      if (schema === undefined || said.value === undefined) return whole('text', said.text);
      return whole('text', JSON.stringify(damaged(said.value, schema, fault, random)));
    case 'truncation': {
      // A model that runs away fills its whole allowance; what arrives of use is only the beginning.
      const text = said.text.slice(0, Math.ceil(said.text.length * (0.3 + random.next() * 0.5)));
      const tokens = Number.isFinite(room) ? room : textTokens(text);
      return { kind: 'text', text: text.slice(0, tokens * CHARS_PER_TOKEN), truncated: true, tokens };
    }
    case 'refusal':
      return whole('refusal', random.pick(REFUSALS, ''));
    case 'safetyBlock':
      return { kind: 'safety', text: '', truncated: false, tokens: 0 };
    case 'empty':
      return { kind: 'empty', text: '', truncated: false, tokens: 0 };
  }
}

/** The schema the answer must have: the one asked for, or one that stands in the instructions. */
export function wantedSchema(asked: Asked): Asked['schema'] {
  if (asked.schema !== undefined) return asked.schema;
  const inWords =
    schemaInText(asked.system) ?? (asked.jsonMode ? schemaInText(asked.userTexts.at(-1) ?? '') : undefined);
  return (
    inWords ??
    (asked.jsonMode ? { type: 'object', properties: { answer: { type: 'string' } }, required: ['answer'] } : undefined)
  );
}

/** What shapes an answer beside the prompt. */
export interface Shape {
  /** The part of the prompt that is answered. */
  readonly record: string;
  /** See {@link wantedSchema}. */
  readonly schema: Asked['schema'];
  /** What goes wrong. */
  readonly fault: AnswerFault | null;
  /** Decides everything else. */
  readonly key: number;
  /** What the caches did. */
  readonly cache: CacheUse;
}

/** Answers a prompt and counts its tokens. */
export function answerPrompt(asked: Asked, { record, schema, fault, key, cache }: Shape): Answer {
  const said = answerFor(schema, { text: record, random: new Random(hashOf(key, 'words')) });
  const random = new Random(hashOf(key, 'fault'));
  const most = asked.maxOutputTokens ?? asked.info.maxOutputTokens ?? Infinity;
  const effort = asked.effort === undefined ? 0 : (THINKING[asked.effort] ?? 0);
  const blocked = fault === 'safetyBlock' || fault === 'empty' || fault === 'refusal';
  const wanted = blocked ? 0 : Math.round(effort * (0.75 + random.next() / 2));
  const thinkingTokens = Math.min(wanted, most);
  const room = most - thinkingTokens;
  const toolCalls = fault === null ? madeCalls(asked.offer, asked.userTexts.at(-1) ?? '', key) : [];
  const spoken =
    toolCalls.length > 0 ? calling(toolCalls) : limited(withFault(said, schema, fault, room, random), room);
  const usage: Usage = {
    inputTokens: asked.blocks.reduce((sum, { text }) => sum + textTokens(text), 0),
    cachedInputTokens: cache.read,
    cacheWriteTokens: cache.write5m + cache.write1h,
    cacheWrite1hTokens: cache.write1h,
    outputTokens: spoken.tokens + thinkingTokens,
    thinkingTokens,
  };
  return { kind: spoken.kind, text: spoken.text, truncated: spoken.truncated, toolCalls, usage };
}

/** An answer that calls tools says nothing beside. */
function calling(calls: readonly MadeCall[]): Spoken {
  return { kind: 'text', text: '', truncated: false, tokens: textTokens(JSON.stringify(calls)) };
}

/** No answer is longer than there is room. */
function limited(spoken: Spoken, room: number): Spoken {
  if (spoken.tokens <= room) return spoken;
  return { ...spoken, text: spoken.text.slice(0, room * CHARS_PER_TOKEN), truncated: true, tokens: room };
}
