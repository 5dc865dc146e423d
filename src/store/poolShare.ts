import type { Lease, LeaseRequest, PoolSettings } from '../limits/types.js';
import { type Amounts, amounts, limitOf, limitsBy, lowestLimits, type Meter, METERS } from '../task/limits.js';
import type { PoolLimits } from '../task/spec.js';
import { levelAt, waitFor } from './bucket.js';
import { type Demand, type FairPart, fairPart, fairShares } from './fairness.js';
import { decodeNullable } from './jsonText.js';
import type { LeaseBody, PoolLeasesTable, PoolsTable } from './poolSchema.js';
import type { Rate } from './rate.js';
import { placesFor } from './shares.js';

/** What a lease is made of, once the pool's row is locked: pure arithmetic. */

/** When to ask again after nothing was granted, at least and at most; milliseconds. */
export const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 10_000;

/** When to ask again for a place in flight: it is free when somebody's prompt ends. Milliseconds. */
const PLACE_RETRY_MS = 250;

/** A live worker's lease, read. */
export interface LiveLease extends Omit<PoolLeasesTable, 'body' | 'pool'> {
  /** What it last said. */
  readonly body: LeaseBody;
}

/**
 * What holds in the pool: what was set live, else the lowest any live process is configured with, else as told. A day's
 * money that was not set live is the asking process' own: a pool without quotas keeps no leases that tell of others'.
 */
export function settingsOf(
  pool: Pick<PoolsTable, 'settings' | 'told'> | undefined,
  request: Pick<LeaseRequest, 'configured'>,
  others: readonly LiveLease[],
): PoolSettings {
  const set: PoolSettings = decodeNullable(pool?.settings ?? null) ?? {};
  const told = decodeNullable(pool?.told ?? null) ?? {};
  const configured = lowestLimits([request.configured, ...others.map(({ body }) => body.configured)]);
  const perDayUsd = set.perDayUsd ?? request.configured.perDayUsd;
  return {
    ...limitsBy((name) => set[name] ?? configured[name] ?? told[name]),
    ...(perDayUsd === undefined ? {} : { perDayUsd }),
  };
}

/** Limits the live batches bring. */
export function batchLimits(
  request: Pick<LeaseRequest, 'limits'>,
  others: readonly LiveLease[],
): readonly PoolLimits[] {
  return [request.limits, ...others.map(({ body }) => body.limits)];
}

/**
 * Requests a minute that a pool's workers really start, at most the known limit. `caller`: the worker that tells it of
 * itself, newer than its lease does.
 */
export function fleetRpm(
  pool: Pick<PoolsTable, 'settings' | 'told'>,
  live: readonly LiveLease[],
  caller: { readonly worker: string; readonly observedRpm: number },
): number {
  const settings = settingsOf(pool, { configured: {} }, live);
  const { rpm = Infinity } = lowestLimits([settings, ...batchLimits({ limits: {} }, live)]);
  const others = live.filter(({ worker }) => worker !== caller.worker);
  return Math.min(rpm, caller.observedRpm + others.reduce((sum, { body }) => sum + (body.observedRpm ?? 0), 0));
}

/** A pool's rate. */
export function rateOf(pool: PoolsTable): Rate {
  return { rpm: pool.rate_rpm, fullRpm: pool.rate_full_rpm, at: pool.rate_at };
}

/** A request, and all that decides about it. */
interface Asked {
  /** What is asked. */
  readonly request: LeaseRequest;
  /** The pool's row, locked. */
  readonly pool: PoolsTable;
  /** What other live processes hold. */
  readonly others: readonly LiveLease[];
  /** Limits in force. */
  readonly limits: PoolLimits;
  /** The database's time; milliseconds since epoch. */
  readonly now: number;
}

function levelsOf({ pool, limits, request, now }: Asked): Amounts {
  const stored: Amounts = {
    requests: pool.requests,
    tokens: pool.tokens,
    inputTokens: pool.input_tokens,
    outputTokens: pool.output_tokens,
  };
  return amounts((meter) => {
    const perMinute = limitOf(limits, meter);
    if (perMinute === undefined) return stored[meter];
    const level = stored[meter] - request.correction[meter];
    return Math.min(perMinute, levelAt({ level, filledAt: pool.filled_at }, perMinute, now));
  });
}

/** The request's fair part of what there is, when others want it too. */
function partOf({ request, others, limits }: Asked, levels: Amounts): FairPart {
  const waiting = Object.values(request.demand).reduce((sum, demand) => sum + demand.waiting, 0);
  const each = (meter: Meter): number =>
    meter === 'requests' ? 1 : Math.max(1, request.want[meter] / Math.max(1, waiting));
  const pots = METERS.filter((meter) => limitOf(limits, meter) !== undefined).map(
    (meter) => levels[meter] / each(meter),
  );
  return fairPart(
    request.demand,
    others.map(({ body }) => body.demand),
    Math.min(Infinity, ...pots),
  );
}

/** Whole units. A part of one is a chance of one: nobody gets more than its part, and nobody nothing. */
function wholeOf(exact: number): number {
  const whole = Math.floor(exact);
  return whole + (Math.random() < exact - whole ? 1 : 0);
}

/** A part of a level. */
function portion(level: number, part: number): number {
  const most = Math.floor(Math.max(0, level));
  return part >= 1 ? most : Math.min(most, wholeOf(Math.max(0, level) * part));
}

/** Places a batch's prompts have or wait for. */
function placesWanted(demand: Demand): Demand {
  return Object.fromEntries(
    Object.entries(demand).map(([name, { waiting, inFlight = 0, weight }]) => [
      name,
      { waiting: waiting + inFlight, weight },
    ]),
  );
}

/** Places in flight for the request, when `limit` is shared by weight. */
function placesOf({ request, others }: Asked, limit: number): number {
  const fair = fairShares(
    [...others.map(({ body }) => body.demand), request.demand].map((demand) => placesWanted(demand)),
    limit,
  );
  const shares = others.map(({ granted, in_flight: inFlight, wanted }, at) => ({
    granted,
    inFlight,
    fair: Math.min(wanted, wholeOf(fair[at] ?? 0)),
  }));
  return placesFor(request.wantInFlight, shares, limit);
}

/** What a request gets out of the pool's row, and the levels afterwards. */
export function share(asked: Asked): {
  readonly lease: Omit<Lease, 'cooldownUntil' | 'settings' | 'overloaded' | 'places'>;
  readonly left: Amounts;
} {
  const { request, pool, limits, now } = asked;
  const { inFlight } = limits;
  const places = inFlight === undefined ? Infinity : placesOf(asked, inFlight);
  const closed = pool.cooldown_until > now || places === 0;
  const levels = levelsOf(asked);
  const { part, here } = partOf(asked, levels);
  const granted = amounts((meter) => {
    if (limitOf(limits, meter) === undefined) return Infinity;
    return closed ? 0 : Math.min(request.want[meter], portion(levels[meter], part));
  });
  const left = amounts((meter) => (Number.isFinite(granted[meter]) ? levels[meter] - granted[meter] : levels[meter]));
  const waits = METERS.map((meter) => {
    const perMinute = limitOf(limits, meter);
    if (perMinute === undefined) return 0;
    const missing = meter === 'requests' ? 1 : Math.max(1, request.want[meter] - granted[meter]);
    return waitFor(left[meter], missing, perMinute);
  });
  const waitMs = Math.max(pool.cooldown_until - now, places === 0 ? PLACE_RETRY_MS : 0, ...waits);
  const retryInMs = Math.min(RETRY_MAX_MS, Math.max(RETRY_MIN_MS, waitMs));
  return { lease: { granted, inFlight: places, retryInMs, limits, here }, left };
}
