import { spread } from './hash.js';

/** Steps of a hundredth of a percent. */
const STEPS = 10_000;

/**
 * Whether a name is among the `percent` of all names that are in. The same name always gets the same answer, on every
 * machine, and a name that is in stays in when the percentage rises.
 */
export function inRollout(name: string, percent: number): boolean {
  return spread(name) % STEPS < percent * (STEPS / 100);
}
