import type { ModelInfo } from '../models/types.js';
import type { JsonObject } from '../task/json.js';
import type { CacheConfig } from '../task/optimization.js';
import type { Message, TaskSpec } from '../task/spec.js';
import { parseTemplate } from '../task/template.js';
import { type CacheDecision, type CacheLife, decideCaching, lifeFor } from './decision.js';
import { spread } from './hash.js';

/** English text has about four characters a token; enough to tell whether a prefix reaches a minimum. */
const CHARS_PER_TOKEN = 4;

/** Estimated tokens of a text. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}

/** Where breakpoints go in a request and how long what they write lives. */
export interface CacheMarks {
  /** Lifetime; the same for all, so that a longer one never follows a shorter one. */
  readonly life: CacheLife;
  /** Whether the end of instructions, tools and schema is one. False: only blocks a task marks. */
  readonly system: boolean;
  /** Leading turns that are the same for every record; the end of the last one is a breakpoint. */
  readonly turns: number;
  /** Name of the prefix, for providers that route by it. */
  readonly key: string;
}

/** The breakpoints of a request that is cached; undefined for one that is not. */
export function marksOf(request: {
  readonly cachePrefix: boolean;
  readonly cacheMarks?: CacheMarks | undefined;
  readonly instructions: string | undefined;
}): CacheMarks | undefined {
  if (!request.cachePrefix) return undefined;
  return request.cacheMarks ?? { life: '5m', system: true, turns: 0, key: keyOf(request.instructions ?? '') };
}

/** Positions of the blocks a task marks, turn by turn. */
export function markedBlocks(messages: readonly Pick<Message, 'content'>[]): readonly (readonly number[])[] {
  return messages.map(({ content }) => {
    if (typeof content === 'string') return [];
    return content.flatMap((part, i) => (part.type === 'text' && part.cache === true ? [i] : []));
  });
}

/** A prefix's name, for providers that route by it. */
function keyOf(text: string): string {
  return `tempered-${[0, 1].map((seed) => spread(text, seed).toString(16)).join('')}`;
}

/** What a plan is made of. */
export interface CacheInput {
  /** The settings in force. */
  readonly config: CacheConfig;
  /** The model. */
  readonly info: Pick<ModelInfo, 'minCacheTokens' | 'prices'>;
  /** The request's instructions. */
  readonly instructions: string | undefined;
  /** Schema of the answer: providers put it before everything else. */
  readonly schema: JsonObject | undefined;
  /** Its turns. */
  readonly messages: readonly Message[];
  /** Tools and the like. */
  readonly params: JsonObject;
  /** Leading turns that hold nothing of a record. */
  readonly staticTurns: number;
  /** Prompts that begin like this one, itself included. */
  readonly prompts: number;
}

/** A decision about a request, and the breakpoints that follow from it. */
export interface CachePlan {
  /** The arithmetic. */
  readonly decision: CacheDecision;
  /** Where breakpoints go; undefined = nothing is cached. */
  readonly marks: CacheMarks | undefined;
}

/**
 * Leading turns of a task that are the same for every record. The last turn is the record's, whatever is in it, and a
 * prompt that is made by code is not looked into.
 */
export function staticTurns({ messages = [] }: Pick<TaskSpec, 'messages'>): number {
  const turns = messages.slice(0, -1);
  const first = turns.findIndex(({ content }) => textsOf(content).some(hasPlaces));
  return first === -1 ? turns.length : first;
}

/** The plan for one request. Pure: the same request gets the same plan in every process. */
export function planCache(input: CacheInput): CachePlan {
  const { config, info, messages, prompts, instructions, schema } = input;
  const fixed = messages.slice(0, input.staticTurns);
  const marked = lastMarked(messages);
  const system = config.autoDetectCacheable;
  const reached = marked === -1 ? fixed : messages.slice(0, marked + 1);
  const prefix = [schema === undefined ? '' : JSON.stringify(schema), toolText(input.params), instructions ?? ''];
  const texts = [...prefix, ...reached.flatMap(({ content }) => textsOf(content))];
  const ownLife = lifeFor(config.defaultTtlSeconds);
  const life = marked === -1 ? ownLife : longer(ownLife, lifeFor(config.domainDefinitionsTtlSeconds));
  const question = { info, prefixTokens: estimateTokens(texts.join('')), prompts, minTokens: config.minTokensToCache };
  const decision = decideCaching({ ...question, life });
  const nothing = texts.every((text) => text === '') || (!system && marked === -1);
  if (!config.enabled || nothing || !decision.cache) return { decision, marks: undefined };
  return { decision, marks: { life, system, turns: system ? fixed.length : 0, key: keyOf(prefix.join('\n')) } };
}

function longer(a: CacheLife, b: CacheLife): CacheLife {
  return a === '1h' ? a : b;
}

/** The last turn with a block the task marks; -1 = none. */
function lastMarked(messages: readonly Message[]): number {
  return markedBlocks(messages).findLastIndex((blocks) => blocks.length > 0);
}

function toolText({ tools }: JsonObject): string {
  return tools === undefined ? '' : JSON.stringify(tools);
}

function textsOf(content: Message['content']): readonly string[] {
  if (typeof content === 'string') return [content];
  return content.map((part) => (part.type === 'text' ? part.text : part.url));
}

function hasPlaces(text: string): boolean {
  return parseTemplate(text).some((piece) => 'field' in piece);
}
