import { z } from 'zod';
import type { ModelInfo } from '../../models/types.js';
import type { JsonObject } from '../../task/json.js';
import { BoundedMap } from '../boundedMap.js';
import type { PromptBlock } from '../promptCache.js';
import { textTokens } from '../tokens.js';
import { contentSchema, geminiError, invalidArgument } from './geminiRules.js';
import type { Call, HttpReply } from './types.js';

const MOST_CACHES = 1000;

const STANDARD_TTL_MS = 3_600_000;

/** The smallest content where a model's own minimum isn't known. */
const STANDARD_MINIMUM = 4096;

const ttl = z
  .string()
  .regex(/^\d+(\.\d+)?s$/)
  .transform((text) => Number(text.slice(0, -1)) * 1000);

const createSchema = z.object({
  model: z.string(),
  contents: z.array(contentSchema).default([]),
  systemInstruction: contentSchema.optional(),
  tools: z.array(z.unknown()).default([]),
  displayName: z.string().max(128).optional(),
  ttl: ttl.optional(),
  expireTime: z.iso.datetime({ offset: true }).optional(),
});

const patchSchema = z.object({ ttl: ttl.optional(), expireTime: z.iso.datetime({ offset: true }).optional() });

/** A cache that was made on purpose. */
export interface CachedContent {
  /** `cachedContents/…`. */
  readonly name: string;
  /** `models/…`. */
  readonly model: string;
  /** What it holds, without tools. */
  readonly blocks: readonly PromptBlock[];
  /** Its instructions. */
  readonly system: string;
  /** Its size. */
  readonly tokens: number;
  /** What its maker calls it. */
  readonly displayName: string | undefined;
  /** When it was made, milliseconds. */
  readonly created: number;
  /** When its end was last set, milliseconds. */
  readonly updated: number;
  /** Its end, milliseconds. */
  readonly expires: number;
}

/** Text of a content's parts. */
export function partsText(content: z.output<typeof contentSchema> | undefined): string {
  return (content?.parts ?? []).flatMap(({ text }) => (text === undefined ? [] : [text])).join('\n\n');
}

function body({ name, model, tokens, displayName, created, updated, expires }: CachedContent): JsonObject {
  return {
    name,
    model,
    ...(displayName === undefined ? {} : { displayName }),
    createTime: new Date(created).toISOString(),
    updateTime: new Date(updated).toISOString(),
    expireTime: new Date(expires).toISOString(),
    usageMetadata: { totalTokenCount: tokens },
  };
}

function ok(content: JsonObject): HttpReply {
  return { status: 200, headers: {}, body: content };
}

/** Gemini's explicit caches. */
export class GeminiCaches {
  readonly #caches = new BoundedMap<string, CachedContent>(MOST_CACHES);
  readonly #names = new Set<string>();
  #made = 0;

  /** The cache a request names. Refused when it is gone, or belongs to another model. */
  use(name: string, model: string, now: number): CachedContent {
    const cache = this.#live(name, now);
    if (cache.model === `models/${model}`) return cache;
    throw invalidArgument(
      `Model used by GenerateContent request (models/${model}) and CachedContent (${cache.model}) has to be the same.`,
    );
  }

  /** `POST /cachedContents`. `find` gives a model's facts and refuses unknown ones. */
  create(call: Call, given: JsonObject, find: (model: string) => ModelInfo): HttpReply {
    const result = createSchema.safeParse(given);
    if (!result.success) throw invalidArgument(`Invalid value: ${result.error.issues[0]?.message ?? ''}`);
    const { model, contents, systemInstruction, tools, displayName, ttl: life, expireTime } = result.data;
    const info = find(model.replace(/^models\//, ''));
    const blocks = [
      ...(tools.length === 0 ? [] : [{ text: JSON.stringify(tools) }]),
      ...(systemInstruction === undefined ? [] : [{ text: partsText(systemInstruction) }]),
      ...contents.map((content) => ({ text: partsText(content) })),
    ];
    const tokens = blocks.reduce((sum, { text }) => sum + textTokens(text), 0);
    const least = info.minCacheTokens ?? STANDARD_MINIMUM;
    if (tokens < least) {
      throw invalidArgument(`Cached content is too small. total_token_count=${tokens}, min_total_token_count=${least}`);
    }
    this.#made += 1;
    const name = `cachedContents/${this.#made.toString(36)}${call.id.slice(4, 20)}`;
    const expires = expireTime === undefined ? call.now + (life ?? STANDARD_TTL_MS) : Date.parse(expireTime);
    const cache: CachedContent = {
      name,
      model: `models/${info.ref.model}`,
      blocks,
      system: partsText(systemInstruction),
      tokens,
      displayName: call.scenario.caches.displayNames ? displayName : undefined,
      created: call.now,
      updated: call.now,
      expires,
    };
    this.#caches.set(name, cache);
    this.#names.add(name);
    return ok(body(cache));
  }

  /** `GET /cachedContents`. */
  list(now: number): HttpReply {
    const alive = [...this.#names].flatMap((name) => {
      const cache = this.#caches.get(name);
      if (cache === undefined || cache.expires <= now) {
        this.#names.delete(name);
        return [];
      }
      return [body(cache)];
    });
    return ok(alive.length === 0 ? {} : { cachedContents: alive });
  }

  /** `GET`, `PATCH` and `DELETE` of one. */
  one(call: Call, name: string, given: JsonObject | null): HttpReply {
    const cache = this.#live(name, call.now);
    switch (call.method) {
      case 'GET':
        return ok(body(cache));
      case 'DELETE':
        this.#names.delete(name);
        this.#caches.set(name, { ...cache, expires: 0 });
        return ok({});
      case 'PATCH': {
        const result = patchSchema.safeParse(given);
        const { ttl: life, expireTime } = result.data ?? {};
        if (life === undefined && expireTime === undefined) {
          throw invalidArgument('Only ttl and expireTime of a CachedContent can be changed.');
        }
        const expires = life === undefined ? Date.parse(expireTime ?? '') : call.now + life;
        const changed = { ...cache, expires, updated: call.now };
        this.#caches.set(name, changed);
        return ok(body(changed));
      }
      default:
        throw geminiError(404, 'NOT_FOUND', `Method ${call.method} is not found.`);
    }
  }

  #live(name: string, now: number): CachedContent {
    const cache = this.#caches.get(name);
    if (cache !== undefined && cache.expires > now) return cache;
    throw geminiError(403, 'PERMISSION_DENIED', 'CachedContent not found (or permission denied)');
  }
}
