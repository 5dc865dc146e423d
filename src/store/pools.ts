import { sql, type Transaction } from 'kysely';
import type { Lease, LeaseRequest } from '../limits/types.js';
import type { PoolLimits } from '../task/spec.js';
import type { Backend, Db } from './backend.js';
import { levelAt, waitFor } from './bucket.js';
import type { PoolLeasesTable, PoolsTable, StoreSchema } from './schema.js';
import { placesFor } from './shares.js';
import type { Store } from './types.js';

/** The part of the store that shares the providers' quotas among workers. */
export type PoolStore = Pick<Store, 'lease' | 'cooldown' | 'dropLeases'>;

/** A worker that hasn't asked for so long is gone, and its places are free; milliseconds. */
const LEASE_LIFE_MS = 10_000;

/** When to ask again after nothing was granted, at least and at most; milliseconds. */
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 10_000;

/** When to ask again for a place in flight: it is free when somebody's prompt ends. Milliseconds. */
const PLACE_RETRY_MS = 250;

function lowest(a: number | null | undefined, b: number | null): number | undefined {
  if (a === null || a === undefined) return b ?? undefined;
  return b === null ? a : Math.min(a, b);
}

/** Limits that hold in the pool now: the lowest any live worker brings. */
function limitsOf(request: LeaseRequest, others: readonly PoolLeasesTable[]): PoolLimits {
  let { rpm, tpm, inFlight } = request.limits;
  for (const other of others) {
    rpm = lowest(rpm, other.rpm);
    tpm = lowest(tpm, other.tpm);
    inFlight = lowest(inFlight, other.in_flight_limit);
  }
  return {
    ...(rpm === undefined ? {} : { rpm }),
    ...(tpm === undefined ? {} : { tpm }),
    ...(inFlight === undefined ? {} : { inFlight }),
  };
}

async function liveOthers(db: Db, request: LeaseRequest, now: number): Promise<readonly PoolLeasesTable[]> {
  return db
    .selectFrom('pool_leases')
    .selectAll()
    .where('pool', '=', request.pool)
    .where('worker', '<>', request.worker)
    .where('expires_at', '>', now)
    .execute();
}

/** What a request gets out of the pool's row, and the row afterwards. */
function share(
  request: LeaseRequest,
  pool: PoolsTable,
  others: readonly PoolLeasesTable[],
  now: number,
): { readonly lease: Omit<Lease, 'cooldownUntil'>; readonly requests: number; readonly tokens: number } {
  const { rpm, tpm, inFlight } = limitsOf(request, others);
  const shares = others.map((other) => ({ granted: other.granted, inFlight: other.in_flight, wanted: other.wanted }));
  const places = inFlight === undefined ? Infinity : placesFor(request.wantInFlight, shares, inFlight);
  const closed = pool.cooldown_until > now || places === 0;
  const requests = draw(closed ? 0 : request.wantRequests, pool.requests, rpm, pool.filled_at, now);
  const tokenLevel = tpm === undefined ? pool.tokens : pool.tokens - request.tokenCorrection;
  const tokens = draw(closed ? 0 : request.wantTokens, tokenLevel, tpm, pool.filled_at, now);
  const waitMs = Math.max(
    pool.cooldown_until - now,
    places === 0 ? PLACE_RETRY_MS : 0,
    rpm === undefined ? 0 : waitFor(requests.left, 1, rpm),
    tpm === undefined ? 0 : waitFor(tokens.left, Math.max(1, request.wantTokens - tokens.granted), tpm),
  );
  const retryInMs = Math.min(RETRY_MAX_MS, Math.max(RETRY_MIN_MS, waitMs));
  return {
    lease: { requests: requests.granted, tokens: tokens.granted, inFlight: places, retryInMs },
    requests: requests.left,
    tokens: tokens.left,
  };
}

/** Takes whole units out of a bucket. Without a limit everything is granted and the level stays. */
function draw(
  wanted: number,
  level: number,
  perMinute: number | undefined,
  filledAt: number,
  now: number,
): { readonly granted: number; readonly left: number } {
  if (perMinute === undefined) return { granted: Infinity, left: level };
  const filled = Math.min(perMinute, levelAt({ level, filledAt }, perMinute, now));
  const granted = Math.max(0, Math.min(wanted, Math.floor(filled)));
  return { granted, left: filled - granted };
}

async function lockPool(trx: Transaction<StoreSchema>, backend: Backend, pool: string): Promise<PoolsTable> {
  const fresh: PoolsTable = { pool, requests: 0, tokens: 0, filled_at: 0, cooldown_until: 0 };
  await trx
    .insertInto('pools')
    .values(fresh)
    .onConflict((conflict) => conflict.column('pool').doNothing())
    .execute();
  const row = await trx
    .selectFrom('pools')
    .selectAll()
    .where('pool', '=', pool)
    .$if(backend.rowLocks, (query) => query.forUpdate())
    .executeTakeFirst();
  return row ?? fresh;
}

async function lease(trx: Transaction<StoreSchema>, backend: Backend, request: LeaseRequest): Promise<Lease> {
  const pool = await lockPool(trx, backend, request.pool);
  const now = await backend.now(trx);
  const others = await liveOthers(trx, request, now);
  const { lease: granted, requests, tokens } = share(request, pool, others, now);
  await trx.updateTable('pools').set({ requests, tokens, filled_at: now }).where('pool', '=', request.pool).execute();
  await trx.deleteFrom('pool_leases').where('pool', '=', request.pool).where('expires_at', '<=', now).execute();
  const mine = {
    granted: Number.isFinite(granted.inFlight) ? granted.inFlight : 0,
    in_flight: request.inFlight,
    wanted: request.wantInFlight,
    rpm: request.limits.rpm ?? null,
    tpm: request.limits.tpm ?? null,
    in_flight_limit: request.limits.inFlight ?? null,
    expires_at: now + LEASE_LIFE_MS,
  };
  await trx
    .insertInto('pool_leases')
    .values({ pool: request.pool, worker: request.worker, ...mine })
    .onConflict((conflict) => conflict.columns(['pool', 'worker']).doUpdateSet(mine))
    .execute();
  return { ...granted, cooldownUntil: localTime(pool.cooldown_until, now) };
}

/** A time of the database's clock on ours; 0 stays 0. */
function localTime(time: number, databaseNow: number): number {
  return time <= databaseNow ? 0 : Date.now() + (time - databaseNow);
}

/** Pools over `backend`. */
export function createPoolStore(backend: Backend): PoolStore {
  const { db } = backend;
  return {
    async lease(request) {
      const now = await backend.now(db);
      const others = await liveOthers(db, request, now);
      if (Object.keys(limitsOf(request, others)).length > 0) {
        return db.transaction().execute((trx) => lease(trx, backend, request));
      }
      // Nothing to share: only the cooldown matters, and reading it locks nobody.
      const pool = await db
        .selectFrom('pools')
        .select('cooldown_until')
        .where('pool', '=', request.pool)
        .executeTakeFirst();
      const cooldownUntil = localTime(pool?.cooldown_until ?? 0, now);
      return { requests: Infinity, tokens: Infinity, inFlight: Infinity, cooldownUntil, retryInMs: RETRY_MIN_MS };
    },
    async cooldown(pool, until) {
      const now = await backend.now(db);
      const cooldown_until = Math.ceil(now + (until - Date.now()));
      await db
        .insertInto('pools')
        .values({ pool, requests: 0, tokens: 0, filled_at: 0, cooldown_until })
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
