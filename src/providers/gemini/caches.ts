import type { CachedContent, GoogleGenAI } from '@google/genai';
import { z } from 'zod';
import { TemperedError } from '../../task/errors.js';
import type { WireCaches } from '../adapter.js';
import type { RemoteCache } from '../types.js';
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
export function geminiCaches(client: GoogleGenAI): WireCaches {
  return {
    contentHash(request, turns) {
      const beginning = geminiBeginning(request, turns);
      return beginning === null ? null : beginningHash(request.model, beginning);
    },
    async list() {
      const found: RemoteCache[] = [];
      for await (const one of await client.caches.list({ config: { pageSize: PAGE } })) {
        found.push(remote(one));
      }
      return found;
    },
    async create(request, { turns, ttlSeconds, displayName }) {
      const beginning = geminiBeginning(request, turns);
      if (beginning === null) throw new TemperedError('input', 'A cache holds no choice of tools.');
      const { systemInstruction, tools, contents } = beginning;
      const config = {
        ttl: `${ttlSeconds}s`,
        ...(displayName === null ? {} : { displayName }),
        ...(systemInstruction === undefined ? {} : { systemInstruction }),
        ...(tools === undefined ? {} : { tools }),
        ...(contents.length === 0 ? {} : { contents }),
      };
      return remote(await client.caches.create({ model: request.model, config }));
    },
    async renew(name, ttlSeconds) {
      return remote(await client.caches.update({ name, config: { ttl: `${ttlSeconds}s` } }));
    },
    async remove(name) {
      await client.caches.delete({ name });
    },
  };
}
