import { Random } from './hash.js';
import type { Scenario } from './scenario.js';

/** The standard normal distribution's 95th percentile. */
const Z95 = 1.6448536269514722;

/** Time from a request to its answer in milliseconds: always the same for the same key. */
export function latencyOf(latency: Scenario['latency'], key: number): number {
  if ('fixedMs' in latency) return latency.fixedMs;
  const { meanMs, p95Ms } = latency;
  // Of a lognormal distribution with mean m and 95th percentile p: ln(p / m) = Z95 * sigma - sigma^2 / 2.
  const sigma = Z95 - Math.sqrt(Z95 * Z95 - 2 * Math.log(p95Ms / meanMs));
  const mu = Math.log(meanMs) - (sigma * sigma) / 2;
  const random = new Random(key);
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return Math.exp(mu + sigma * normal);
}
