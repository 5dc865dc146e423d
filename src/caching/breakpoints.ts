import { MEDIA_TOKENS } from '../models/mediaTokens.js';
import type { ModelInfo } from '../models/types.js';
import type { CacheDecision, CacheLife } from '../task/cachePlan.js';
import type { JsonObject } from '../task/json.js';
import type { CacheConfig } from '../task/optimization.js';
import { sharedText } from '../task/perObject.js';
import type { Message, TaskSpec } from '../task/spec.js';
import { references } from '../task/render.js';
import { parseTemplate } from '../task/template.js';
import { decideCaching, lifeFor } from './decision.js';
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

/** The same turns with no block marked. */
export function withoutMarks(messages: readonly Message[]): readonly Message[] {
  return messages.map(({ role, content }) => {
    if (typeof content === 'string') return { role, content };
    return {
      role,
      content: content.map((part) => (part.type === 'text' ? { type: part.type, text: part.text } : part)),
    };
  });
}

/** A prefix's name, for providers that route by it. */
function keyOf(text: string): string {
  return `tempered-${[0, 1].map((seed) => spread(text, seed).toString(16)).join('')}`;
}

/** A prefix that has neither instructions nor turns. */
export interface BarePrefix {
  /** Schema of the answer. */
  readonly schema: JsonObject | undefined;
  /** There are tools. */
  readonly tools: boolean;
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
  /** Leading turns the key goes by, where later ones come and go. Default: the whole prefix. */
  readonly keyTurns?: number;
  /** Prompts that begin like this one, itself included. */
  readonly prompts: number;
  /** Whether the endpoint is known to cache. Default true. */
  readonly supported?: boolean;
  /** Whether the provider caches a prefix of nothing but these. Default: it does. */
  readonly cachesBare?: (bare: BarePrefix) => boolean;
  /** Tokens of a prefix its provider counted, and that prefix's name. Default: they are estimated. */
  readonly counted?: { readonly prefix: string; readonly tokens: number } | undefined;
}

/** A decision about a request, and the breakpoints that follow from it. */
export interface CachePlan {
  /** The arithmetic. */
  readonly decision: CacheDecision;
  /** Name of the prefix; empty when nothing is to be cached. */
  readonly prefix: string;
  /** The prefix's turns; the last one may end within. */
  readonly turns: readonly Message[];
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
  const { config, info, prompts, instructions, schema } = input;
  const system = config.autoDetectCacheable;
  const turns = prefixTurns(input);
  const marked = lastMarked(turns) !== -1;
  const start = [schema === undefined ? '' : sharedText(schema), toolText(input.params), instructions ?? ''];
  const texts = [...start, ...turns.flatMap(({ content }) => textsOf(content))];
  const nothing = texts.every((text) => text === '') || (!system && !marked);
  const off = !config.enabled || nothing;
  const key = off ? '' : keyOf(texts.join('\n'));
  const counted = !off && input.counted?.prefix === key ? input.counted.tokens : undefined;
  const ownLife = lifeFor(config.defaultTtlSeconds);
  const life = marked ? longer(ownLife, lifeFor(config.domainDefinitionsTtlSeconds)) : ownLife;
  const prefixTokens = counted ?? estimateTokens([...start, ...turns.flatMap(wordsOf)].join('')) + mediaTokens(turns);
  const question = { info, prefixTokens, prompts, minTokens: config.minTokensToCache, life };
  const paid = decideCaching(question);
  const refused = off ? 'off' : input.supported === false ? 'not_supported' : null;
  const decision = decided(paid, refused ?? (paid.cache && !hasPlace(input, turns) ? 'no_place' : null));
  const plan = { decision, prefix: key, turns };
  if (!decision.cache) return { ...plan, marks: undefined };
  const named = turns.slice(0, input.keyTurns).flatMap(({ content }) => textsOf(content));
  const routed = input.keyTurns === undefined ? key : keyOf([...start, ...named].join('\n'));
  return { ...plan, marks: { life, system, turns: system ? input.staticTurns : 0, key: routed } };
}

function decided(decision: CacheDecision, refused: 'off' | 'not_supported' | 'no_place' | null): CacheDecision {
  return refused === null ? decision : { ...decision, cache: false, reason: refused };
}

/** Whether the prefix's end can be marked, or need not be. */
function hasPlace({ cachesBare, instructions = '', schema, params }: CacheInput, turns: readonly Message[]): boolean {
  if (instructions !== '' || turns.length > 0 || cachesBare === undefined) return true;
  return cachesBare({ schema, tools: toolText(params) !== '' });
}

/** The turns of a prefix: those every record shares, and all up to the last block the task marks. */
function prefixTurns({ messages, staticTurns: fixed }: CacheInput): readonly Message[] {
  const last = lastMarked(messages);
  if (last < fixed) return messages.slice(0, fixed);
  return messages.slice(0, last + 1).map((message, turn) => {
    const { content } = message;
    if (turn < last || typeof content === 'string') return message;
    const end = content.findLastIndex((part) => part.type === 'text' && part.cache === true);
    return { ...message, content: content.slice(0, end + 1) };
  });
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

function wordsOf({ content }: Message): readonly string[] {
  if (typeof content === 'string') return [content];
  return content.flatMap((part) => (part.type === 'text' ? part.text : []));
}

/** Images and PDFs are not as dear as their bytes are many. */
function mediaTokens(turns: readonly Message[]): number {
  return turns.flatMap(({ content }) => references(content)).length * MEDIA_TOKENS;
}

function hasPlaces(text: string): boolean {
  return parseTemplate(text).some((piece) => 'field' in piece);
}
