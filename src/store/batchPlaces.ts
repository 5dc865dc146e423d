import type { Places, PlacesAsked } from '../limits/types.js';
import { fairShares } from './fairness.js';
import { placesFor } from './shares.js';

/** Places a worker asked for, and got. */
export interface PlacesHeld extends PlacesAsked {
  /** What it got. */
  readonly granted: number;
}

/** What a worker last said, by batch. */
type Held = Readonly<Record<string, PlacesHeld>>;

/**
 * By batch: places for whoever asks, when `others` hold the rest. Each process gets the part of the concurrency that
 * its part of the batch's prompts is; parts of a place stay with whoever asks, so that none lies idle.
 */
export function batchPlaces(
  asked: Readonly<Record<string, PlacesAsked>>,
  others: readonly Held[],
): Readonly<Record<string, Places>> {
  return Object.fromEntries(
    Object.entries(asked).map(([batchId, mine]) => {
      const rivals = others.flatMap((held) => held[batchId] ?? []);
      return [batchId, { granted: grantedOf(mine, rivals), shared: rivals.length > 0 }];
    }),
  );
}

function grantedOf(mine: PlacesAsked, rivals: readonly PlacesHeld[]): number {
  const demands = [...rivals, mine].map(({ demand }) => ({ batch: { waiting: demand, weight: 1 } }));
  const fair = fairShares(demands, mine.limit);
  const shares = rivals.map(({ granted, held }, at) => ({
    granted,
    inFlight: held,
    fair: Math.floor(fair[at] ?? 0),
  }));
  return placesFor(mine.wanted, shares, mine.limit);
}

/** What is kept of a request and its answer, for others to see. */
export function placesHeld(
  asked: Readonly<Record<string, PlacesAsked>>,
  places: Readonly<Record<string, Places>>,
): Held {
  return Object.fromEntries(
    Object.entries(asked).map(([batchId, mine]) => [batchId, { ...mine, granted: places[batchId]?.granted ?? 0 }]),
  );
}

/** Whether a worker gets places that it does not hold yet. */
export function takesMore(places: Readonly<Record<string, Places>>, held: Held): boolean {
  return Object.entries(places).some(([batchId, { granted }]) => granted > (held[batchId]?.granted ?? 0));
}
