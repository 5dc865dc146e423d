import type { CachedContent, GoogleGenAI } from '@google/genai';
import { z } from 'zod';
import { TemperedError } from '../../task/errors.js';
import type { ExplicitCaches, RemoteCache } from '../types.js';
import { beginningHash, geminiBeginning } from './request.js';

/** Caches per page of a list; the most the API gives. */
const PAGE = 1000;

const remoteSchema = z.object({
  name: z.string(),
  model: z.string().transform((model) => model.replace(/^models\//, '')),
  displayName: z.string().optional(),
  expireTime: z.iso.datetime({ offset: true }),
});

function remote(cache: CachedContent): RemoteCache {
  const { name, model, displayName, expireTime } = remoteSchema.parse(cache);
  return { name, model, displayName: displayName ?? null, expiresAt: Date.parse(expireTime) };
}

/** Gemini's `cachedContents`. */
export function geminiCaches(client: GoogleGenAI): ExplicitCaches {
  return {
    contentHash(request, turns) {
      const beginning = geminiBeginning(request, turns);
      return beginning === null ? null : beginningHash(request.model, beginning);
    },
    async list(signal) {
      const found: RemoteCache[] = [];
      for await (const one of await client.caches.list({ config: { pageSize: PAGE, abortSignal: signal } })) {
        found.push(remote(one));
      }
      return found;
    },
    async create(request, { turns, ttlSeconds, displayName }, signal) {
      const beginning = geminiBeginning(request, turns);
      if (beginning === null) throw new TemperedError('input', 'A cache holds no choice of tools.');
      const { systemInstruction, tools, contents } = beginning;
      const config = {
        ttl: `${ttlSeconds}s`,
        abortSignal: signal,
        ...(displayName === null ? {} : { displayName }),
        ...(systemInstruction === undefined ? {} : { systemInstruction }),
        ...(tools === undefined ? {} : { tools }),
        ...(contents.length === 0 ? {} : { contents }),
      };
      return remote(await client.caches.create({ model: request.model, config }));
    },
    async renew(name, ttlSeconds, signal) {
      return remote(await client.caches.update({ name, config: { ttl: `${ttlSeconds}s`, abortSignal: signal } }));
    },
    async remove(name, signal) {
      await client.caches.delete({ name, config: { abortSignal: signal } });
    },
  };
}
