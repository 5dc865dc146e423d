import type { Circuit, CircuitSettings } from './types.js';

/**
 * A circuit breaker: after so many failures in a row an endpoint is left alone for a while (open), then one prompt is
 * let through (half-open), whose answer closes it and whose failure opens it again. Pure.
 */

/** What a configuration that says nothing has. */
export const CIRCUIT_DEFAULTS: CircuitSettings = { failures: 5, openMs: 60_000 };

/** A circuit nothing was ever said of. */
export const CLOSED: Circuit = { failures: 0, openUntil: 0, probeUntil: 0, failedProbes: 0, reason: null };

/** Where a circuit is at `now` (milliseconds since epoch). */
export function phaseOf({ openUntil }: Circuit, now: number): 'closed' | 'open' | 'half-open' {
  if (openUntil === 0) return 'closed';
  return now < openUntil ? 'open' : 'half-open';
}

/** The endpoint failed. `inARow`: failures in a row the caller saw itself, this one included; others' are added. */
export function afterFailure(
  circuit: Circuit,
  { reason, inARow }: { readonly reason: string; readonly inARow: number },
  settings: CircuitSettings,
  now: number,
): Circuit {
  const failures = Math.max(circuit.failures + 1, inARow);
  const openUntil = now + settings.openMs;
  switch (phaseOf(circuit, now)) {
    // Those that were in flight when it opened say nothing new.
    case 'open':
      return circuit;
    case 'half-open':
      return { failures, openUntil, probeUntil: 0, failedProbes: circuit.failedProbes + 1, reason };
    case 'closed':
      return { ...circuit, failures, reason, openUntil: failures >= settings.failures ? openUntil : 0 };
  }
}

/** The endpoint answered. While it is open, that is an answer to a prompt sent before. */
export function afterAnswer(circuit: Circuit, now: number): Circuit {
  return phaseOf(circuit, now) === 'open' ? circuit : CLOSED;
}

/** Takes the one place of the half-open circuit for `forMs`; the same circuit when there is none to take. */
export function withProbe(circuit: Circuit, now: number, forMs: number): Circuit {
  if (phaseOf(circuit, now) !== 'half-open' || circuit.probeUntil > now) return circuit;
  return { ...circuit, probeUntil: now + forMs };
}

/** How long prompts wait now: until the next one may be let through; 0 = one may go. Milliseconds. */
export function waitOf(circuit: Circuit, now: number): number {
  switch (phaseOf(circuit, now)) {
    case 'closed':
      return 0;
    case 'open':
      return circuit.openUntil - now;
    case 'half-open':
      return circuit.probeUntil > now ? PROBE_LOOK_MS : 0;
  }
}

/** How soon a prompt looks again while another one finds out whether the endpoint is back; milliseconds. */
const PROBE_LOOK_MS = 1_000;
