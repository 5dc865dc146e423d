import { sql, type Transaction } from 'kysely';
import type { Lease, LeaseRequest, PoolSettings } from '../limits/types.js';
import { amounts, limitsBy, lowestLimits } from '../task/limits.js';
import type { Backend, Db } from './backend.js';
import { decode, decodeNullable, encode } from './jsonText.js';
import type { PoolsTable } from './poolSchema.js';
import { batchLimits, type OtherLease, RETRY_MIN_MS, rateOf, settingsOf, share } from './poolShare.js';
import { lowered, raised } from './rate.js';
import type { StoreSchema } from './schema.js';
import type { PoolPatch, Store } from './types.js';

/** The part of the store that shares the providers' quotas among workers. */
export type PoolStore = Pick<
  Store,
  'lease' | 'cooldown' | 'dropLeases' | 'lowerRate' | 'tellLimits' | 'setPool' | 'listPools'
>;

/** A worker that hasn't asked for so long is gone, and its places are free; milliseconds. */
const LEASE_LIFE_MS = 10_000;

const UNLIMITED = amounts(() => Infinity);

async function liveOthers(db: Db, request: LeaseRequest, now: number): Promise<readonly OtherLease[]> {
  const rows = await db
    .selectFrom('pool_leases')
    .select(['granted', 'in_flight', 'wanted', 'body'])
    .where('pool', '=', request.pool)
    .where('worker', '<>', request.worker)
    .where('expires_at', '>', now)
    .execute();
  return rows.map((row) => ({ ...row, body: decode(row.body) }));
}

/** Makes the pool's row if there is none, and locks it. */
async function lockPool(trx: Transaction<StoreSchema>, backend: Backend, pool: string): Promise<PoolsTable> {
  await trx
    .insertInto('pools')
    .values(freshPool(pool))
    .onConflict((conflict) => conflict.column('pool').doNothing())
    .execute();
  const row = await trx
    .selectFrom('pools')
    .selectAll()
    .where('pool', '=', pool)
    .$if(backend.rowLocks, (query) => query.forUpdate())
    .executeTakeFirst();
  return row ?? freshPool(pool);
}

function freshPool(pool: string): PoolsTable {
  const levels = { requests: 0, tokens: 0, input_tokens: 0, output_tokens: 0, filled_at: 0 };
  const rate = { rate_rpm: null, rate_full_rpm: 0, rate_at: 0 };
  return { pool, ...levels, cooldown_until: 0, ...rate, settings: null, told: null };
}

async function lease(trx: Transaction<StoreSchema>, backend: Backend, request: LeaseRequest): Promise<Lease> {
  const pool = await lockPool(trx, backend, request.pool);
  const now = await backend.now(trx);
  const others = await liveOthers(trx, request, now);
  const settings = settingsOf(pool, request, others);
  const known = lowestLimits([settings, ...batchLimits(request, others)]);
  const rate = request.answered ? raised(rateOf(pool), known.rpm, now) : rateOf(pool);
  const limits = rate.rpm === null ? known : lowestLimits([known, { rpm: rate.rpm }]);
  const { lease: granted, left } = share({ request, pool, others, limits, now });
  await trx
    .updateTable('pools')
    .set({
      requests: left.requests,
      tokens: left.tokens,
      input_tokens: left.inputTokens,
      output_tokens: left.outputTokens,
      filled_at: now,
      rate_rpm: rate.rpm,
      rate_at: rate.at,
    })
    .where('pool', '=', request.pool)
    .execute();
  await trx.deleteFrom('pool_leases').where('pool', '=', request.pool).where('expires_at', '<=', now).execute();
  const mine = {
    granted: Number.isFinite(granted.inFlight) ? granted.inFlight : 0,
    in_flight: request.inFlight,
    wanted: request.wantInFlight,
    body: encode({ limits: request.limits, configured: request.configured, demand: request.demand }),
    expires_at: now + LEASE_LIFE_MS,
  };
  await trx
    .insertInto('pool_leases')
    .values({ pool: request.pool, worker: request.worker, ...mine })
    .onConflict((conflict) => conflict.columns(['pool', 'worker']).doUpdateSet(mine))
    .execute();
  const cooldownUntil = localTime(pool.cooldown_until, now);
  return { ...granted, settings, overloaded: rate.rpm !== null, cooldownUntil };
}

/** A time of the database's clock on ours; 0 stays 0. */
function localTime(time: number, databaseNow: number): number {
  return time <= databaseNow ? 0 : Date.now() + (time - databaseNow);
}

/** Changes a pool's row under its lock. */
function change(
  backend: Backend,
  pool: string,
  next: (row: PoolsTable, now: number) => Partial<Omit<PoolsTable, 'pool'>>,
): Promise<void> {
  return backend.db.transaction().execute(async (trx) => {
    const row = await lockPool(trx, backend, pool);
    const patch = next(row, await backend.now(trx));
    if (Object.keys(patch).length === 0) return;
    await trx.updateTable('pools').set(patch).where('pool', '=', pool).execute();
  });
}

/** What is known of pools, changed live or by what providers say. */
function createPoolRows(backend: Backend): Pick<PoolStore, 'lowerRate' | 'tellLimits' | 'setPool' | 'listPools'> {
  return {
    lowerRate: (pool, observedRpm) =>
      change(backend, pool, (row, now) => {
        const { rpm, fullRpm, at } = lowered(rateOf(row), observedRpm, now);
        return { rate_rpm: rpm, rate_full_rpm: fullRpm, rate_at: at };
      }),
    tellLimits: (pool, limits) =>
      change(backend, pool, ({ told }) => {
        const after = encode({ ...(decodeNullable(told) ?? {}), ...limits });
        return after === told ? {} : { told: after };
      }),
    async setPool(pool, patch) {
      let now: PoolSettings = {};
      await change(backend, pool, ({ settings }) => {
        now = patched(decodeNullable(settings) ?? {}, patch);
        return { settings: Object.keys(now).length === 0 ? null : encode(now) };
      });
      return now;
    },
    async listPools() {
      const now = await backend.now(backend.db);
      const rows = await backend.db.selectFrom('pools').selectAll().orderBy('pool').execute();
      return rows.map((row) => ({
        pool: row.pool,
        set: decodeNullable(row.settings) ?? {},
        told: decodeNullable(row.told) ?? {},
        rateRpm: row.rate_rpm,
        cooldownUntil: localTime(row.cooldown_until, now),
      }));
    },
  };
}

/** Pools over `backend`. */
export function createPoolStore(backend: Backend): PoolStore {
  const { db } = backend;
  return {
    ...createPoolRows(backend),
    async lease(request) {
      const now = await backend.now(db);
      const others = await liveOthers(db, request, now);
      const pool = await db.selectFrom('pools').selectAll().where('pool', '=', request.pool).executeTakeFirst();
      const settings = settingsOf(pool, request, others);
      const limits = lowestLimits([settings, ...batchLimits(request, others)]);
      if (Object.keys(limits).length > 0 || (pool?.rate_rpm ?? null) !== null) {
        return db.transaction().execute((trx) => lease(trx, backend, request));
      }
      // Nothing to share: only the cooldown matters, and reading it locks nobody.
      const cooldownUntil = localTime(pool?.cooldown_until ?? 0, now);
      const free = { granted: UNLIMITED, inFlight: Infinity, retryInMs: RETRY_MIN_MS, limits, here: {} };
      return { ...free, settings, overloaded: false, cooldownUntil };
    },
    async cooldown(pool, until) {
      const now = await backend.now(db);
      const cooldown_until = Math.ceil(now + (until - Date.now()));
      await db
        .insertInto('pools')
        .values({ ...freshPool(pool), cooldown_until })
        .onConflict((conflict) =>
          conflict
            .column('pool')
            .doUpdateSet({ cooldown_until })
            .where('pools.cooldown_until', '<', sql<number>`excluded.cooldown_until`),
        )
        .execute();
    },
    async dropLeases(worker) {
      await db.deleteFrom('pool_leases').where('worker', '=', worker).execute();
    },
  };
}

/** Settings with a patch; null takes a setting away. */
function patched(settings: PoolSettings, patch: PoolPatch): PoolSettings {
  const perDayUsd = patch.perDayUsd === undefined ? settings.perDayUsd : (patch.perDayUsd ?? undefined);
  return {
    ...limitsBy((name) => (patch[name] === undefined ? settings[name] : patch[name])),
    ...(perDayUsd === undefined ? {} : { perDayUsd }),
  };
}
