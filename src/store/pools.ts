import { sql, type Transaction } from 'kysely';
import type { Lease, LeaseRequest, PoolSettings } from '../limits/types.js';
import { type Amounts, amounts, limitsBy, lowestLimits } from '../task/limits.js';
import type { PoolLimits } from '../task/spec.js';
import type { Backend, Db } from './backend.js';
import { batchPlaces, placesHeld, takesMore } from './batchPlaces.js';
import { decode, decodeNullable, encode } from './jsonText.js';
import type { LeaseBody, PoolsTable } from './poolSchema.js';
import { batchLimits, fleetRpm, type LiveLease, RETRY_MIN_MS, rateOf, settingsOf, share } from './poolShare.js';
import { lowered, type Rate, raised } from './rate.js';
import type { StoreSchema } from './schema.js';
import { afterReply, limitsTold } from './told.js';
import type { PoolPatch, Store } from './types.js';

/** The part of the store that shares the providers' quotas among workers. */
export type PoolStore = Pick<
  Store,
  'lease' | 'leaseHolders' | 'dropLeases' | 'cooldown' | 'lowerRate' | 'tellLimits' | 'setPool' | 'listPools'
>;

/** A worker that hasn't asked for so long is gone, and its places are free; milliseconds. */
const LEASE_LIFE_MS = 10_000;

const UNLIMITED = amounts(() => Infinity);

/** How old a lease's row may be in a pool without limits, where it only tells what its worker starts; milliseconds. */
const UNLIMITED_ROW_MS = 1_000;

async function liveLeases(db: Db, pool: string, now: number): Promise<readonly LiveLease[]> {
  const rows = await db
    .selectFrom('pool_leases')
    .select(['worker', 'granted', 'in_flight', 'wanted', 'body', 'expires_at'])
    .where('pool', '=', pool)
    .where('expires_at', '>', now)
    .execute();
  return rows.map((row) => ({ ...row, body: decode(row.body) }));
}

function othersOf({ worker }: LeaseRequest, live: readonly LiveLease[]): readonly LiveLease[] {
  return live.filter((one) => one.worker !== worker);
}

function placesOf({ places }: LeaseRequest, others: readonly LiveLease[]): Lease['places'] {
  return batchPlaces(
    places,
    others.map(({ body }) => body.places ?? {}),
  );
}

/** What other processes must know of this one, and its answer. */
function bodyOf(request: LeaseRequest, places: Lease['places']): LeaseBody {
  const { limits, configured, demand, observedRpm } = request;
  return { limits, configured, demand, places: placesHeld(request.places, places), observedRpm };
}

/** Whether a body holds others back in another way than the one before did. */
function isNews(body: LeaseBody, before: LeaseBody): boolean {
  const binding = ({ limits, places }: LeaseBody) => encode({ limits, places });
  return binding(body) !== binding(before);
}

/** Writes a worker's row, and takes those away whose workers are gone. */
async function writeLease(db: Db, request: LeaseRequest, granted: number, body: LeaseBody, now: number): Promise<void> {
  const { pool, worker } = request;
  await db.deleteFrom('pool_leases').where('pool', '=', pool).where('expires_at', '<=', now).execute();
  const mine = {
    granted,
    in_flight: request.inFlight,
    wanted: request.wantInFlight,
    body: encode(body),
    expires_at: now + LEASE_LIFE_MS,
  };
  await db
    .insertInto('pool_leases')
    .values({ pool, worker, ...mine })
    .onConflict((conflict) => conflict.columns(['pool', 'worker']).doUpdateSet(mine))
    .execute();
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
  const others = othersOf(request, await liveLeases(trx, request.pool, now));
  const settings = settingsOf(pool, request, others);
  const known = lowestLimits([settings, ...batchLimits(request, others)]);
  const rate = request.answered ? raised(rateOf(pool), known.rpm, now) : rateOf(pool);
  const limits = rate.rpm === null ? known : lowestLimits([known, { rpm: rate.rpm }]);
  const { lease: granted, left } = share({ request, pool, others, limits, now });
  const places = placesOf(request, others);
  if (isLimited(limits, pool)) await writeLevels(trx, request.pool, left, rate, now);
  const inFlight = Number.isFinite(granted.inFlight) ? granted.inFlight : 0;
  await writeLease(trx, request, inFlight, bodyOf(request, places), now);
  const cooldownUntil = localTime(pool.cooldown_until, now);
  return { ...granted, places, settings, overloaded: rate.rpm !== null, cooldownUntil };
}

/** Whether a pool has anything to count. */
function isLimited(limits: PoolLimits, pool: Pick<PoolsTable, 'rate_rpm'> | undefined): boolean {
  return Object.keys(limits).length > 0 || (pool?.rate_rpm ?? null) !== null;
}

async function writeLevels(db: Db, pool: string, left: Amounts, rate: Rate, now: number): Promise<void> {
  await db
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
    .where('pool', '=', pool)
    .execute();
}

/** A time of the database's clock on ours; 0 stays 0. */
function localTime(time: number, databaseNow: number): number {
  return time <= databaseNow ? 0 : Date.now() + (time - databaseNow);
}

type Patch = Partial<Omit<PoolsTable, 'pool'>>;

/** Changes a pool's row under its lock. */
function change(
  backend: Backend,
  pool: string,
  next: (row: PoolsTable, now: number, trx: Db) => Patch | Promise<Patch>,
): Promise<void> {
  return backend.db.transaction().execute(async (trx) => {
    const row = await lockPool(trx, backend, pool);
    const patch = await next(row, await backend.now(trx), trx);
    if (Object.keys(patch).length === 0) return;
    await trx.updateTable('pools').set(patch).where('pool', '=', pool).execute();
  });
}

/** What is known of pools, changed live or by what providers say. */
function createPoolRows(backend: Backend): Pick<PoolStore, 'lowerRate' | 'tellLimits' | 'setPool' | 'listPools'> {
  return {
    lowerRate: (pool, worker, observedRpm) =>
      change(backend, pool, async (row, now, trx) => {
        const fleet = fleetRpm(row, await liveLeases(trx, pool, now), { worker, observedRpm });
        const { rpm, fullRpm, at } = lowered(rateOf(row), fleet, now);
        return { rate_rpm: rpm, rate_full_rpm: fullRpm, rate_at: at };
      }),
    tellLimits: (pool, model, limits) =>
      change(backend, pool, ({ told }, now) => ({
        told: encode(afterReply(decodeNullable(told) ?? {}, model, limits, now)),
      })),
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
        told: limitsTold(decodeNullable(row.told) ?? {}),
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
      const live = await liveLeases(db, request.pool, now);
      const others = othersOf(request, live);
      const pool = await db.selectFrom('pools').selectAll().where('pool', '=', request.pool).executeTakeFirst();
      const settings = settingsOf(pool, request, others);
      const limits = lowestLimits([settings, ...batchLimits(request, others)]);
      const mine = live.find(({ worker }) => worker === request.worker);
      const places = placesOf(request, others);
      if (isLimited(limits, pool) || takesMore(places, mine?.body.places ?? {})) {
        return db.transaction().execute((trx) => lease(trx, backend, request));
      }
      // Nothing is taken, so nobody is locked out: the cooldown matters, and what others must hear.
      const body = bodyOf(request, places);
      const age = mine === undefined ? Infinity : now + LEASE_LIFE_MS - mine.expires_at;
      // What is given back, and limits of a batch that has left, must not hold others up for as long as the row lives.
      const outdated = mine !== undefined && isNews(body, mine.body);
      if (outdated || age >= UNLIMITED_ROW_MS) await writeLease(db, request, 0, body, now);
      const cooldownUntil = localTime(pool?.cooldown_until ?? 0, now);
      const free = { granted: UNLIMITED, inFlight: Infinity, retryInMs: RETRY_MIN_MS, limits, here: {}, places };
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
    async leaseHolders() {
      const rows = await db.selectFrom('pool_leases').select('worker').distinct().execute();
      return rows.map(({ worker }) => worker);
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
