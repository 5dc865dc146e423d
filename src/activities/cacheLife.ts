import { asksForExplicit } from '../caching/explicit.js';
import { parseModelRef } from '../models/modelRef.js';
import type { CacheConfig } from '../task/optimization.js';
import { isMadeFor } from '../task/cacheTags.js';
import { cachingOf } from './caching.js';
import type { ActivityDeps } from './context.js';
import { cacheOwnerHash, cachesOf, limitsMoney, unlessGone } from './explicitCache.js';
import { withHeartbeat } from './heartbeat.js';
import type { CacheLifeActivities } from './types.js';

/** Activities that renew and end a batch's explicit caches. */
export function createCacheLifeActivities(deps: ActivityDeps): CacheLifeActivities {
  return {
    renewCache: ({ batchId, model, name, ttlSeconds }) =>
      withHeartbeat(nothing, ({ cancellationSignal: signal }) =>
        unlessGone(async () => {
          const caches = await cachesOf(deps, model);
          const config = await configOf(deps, batchId);
          if (asksForExplicit(config) || !(await limitsMoney(deps, model, await deps.control.read(batchId)))) {
            const { expiresAt } = await caches.renew(name, ttlSeconds, signal);
            return { expiresAt };
          }
          // Prompts name it no more: the rest of its life would be paid for nothing.
          if (!config.keepCache) await caches.remove(name, signal);
          return null;
        }),
      ),

    removeCache: ({ model, name }) =>
      withHeartbeat(nothing, async ({ cancellationSignal: signal }) => {
        await unlessGone(async () => (await cachesOf(deps, model)).remove(name, signal));
      }),

    sweepCaches: ({ batchId, model }) =>
      withHeartbeat(nothing, async ({ cancellationSignal: signal }) => {
        if ((await configOf(deps, batchId)).keepCache) return 0;
        const caches = await deps.providers.get(parseModelRef(model).provider).caches();
        if (caches === null) return 0;
        const owner = cacheOwnerHash(batchId);
        const left = (await caches.list(signal)).filter(({ displayName }) => isMadeFor(displayName, owner));
        for (const { name } of left) await unlessGone(() => caches.remove(name, signal));
        return left.length;
      }),
  };
}

const nothing = () => null;

async function configOf(deps: ActivityDeps, batchId: string): Promise<CacheConfig> {
  const batch = await deps.batches.get(batchId);
  const { spec } = await deps.tasks.get(batch.taskHash);
  return cachingOf(batch, spec, deps.optimizing).config;
}
