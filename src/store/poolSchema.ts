import type { LeaseRequest, PoolSettings } from '../limits/types.js';
import type { PlacesHeld } from './batchPlaces.js';
import type { Demand } from './fairness.js';
import type { JsonText } from './jsonText.js';
import type { Told } from './told.js';

/** A pool's buckets and rate. Times are the database's; milliseconds since epoch. */
export interface PoolsTable {
  /** Name of the pool. */
  readonly pool: string;
  /** Requests that may start; fractions accumulate. */
  readonly requests: number;
  /** Tokens that may be used; negative = debt. */
  readonly tokens: number;
  /** The same for input alone. */
  readonly input_tokens: number;
  /** The same for output alone. */
  readonly output_tokens: number;
  /** When the buckets were last filled. */
  readonly filled_at: number;
  /** No request before this time; 0 = none. */
  readonly cooldown_until: number;
  /** Requests a minute after an overload; null = not lowered. */
  readonly rate_rpm: number | null;
  /** What that rises to. */
  readonly rate_full_rpm: number;
  /** When it last changed. */
  readonly rate_at: number;
  /** Set live; null = nothing. */
  readonly settings: JsonText<PoolSettings> | null;
  /** As the provider's headers said; null = nothing. */
  readonly told: JsonText<Told> | null;
}

/** What a worker said of itself when it last asked. */
export interface LeaseBody extends Pick<LeaseRequest, 'limits' | 'configured'> {
  /** What it would start now, and what it has in flight. */
  readonly demand: Demand;
  /** By batch: the places it asked for, and got; a worker of an earlier version doesn't tell. */
  readonly places?: Readonly<Record<string, PlacesHeld>>;
  /** Requests a minute it really started; a worker of an earlier version doesn't tell. */
  readonly observedRpm?: number;
}

/** What each live worker holds of a pool. */
export interface PoolLeasesTable {
  /** Name of the pool. */
  readonly pool: string;
  /** The process. */
  readonly worker: string;
  /** Places in flight it was granted. */
  readonly granted: number;
  /** Prompts it really had in flight. */
  readonly in_flight: number;
  /** Places it would like. */
  readonly wanted: number;
  /** What its batches bring, what it is configured with, what it would start now, and what it really started. */
  readonly body: JsonText<LeaseBody>;
  /** When its places are free again. */
  readonly expires_at: number;
}

/** Money of a pool by day. */
export interface PoolDaysTable {
  /** Name of the pool. */
  readonly pool: string;
  /** Number of the day. */
  readonly day: number;
  /** Known cost, and the worst case where it is unknown; nano-dollars. */
  readonly spent_nano: number;
  /** Worst case of prompts in flight; nano-dollars. */
  readonly reserved_nano: number;
}

/** Endpoints that fail. Times are the database's; milliseconds since epoch. */
export interface CircuitsTable {
  /** Its name, as in `provider/model`. */
  readonly endpoint: string;
  /** Failures since the last answer. */
  readonly failures: number;
  /** Prompts wait until then; 0 = they go. */
  readonly open_until: number;
  /** Until then one prompt that was let through is waited for; 0 = none was. */
  readonly probe_until: number;
  /** Times in a row that one failed. */
  readonly failed_probes: number;
  /** What the last failure said. */
  readonly reason: string | null;
}
