import { afterAnswer, afterFailure, CLOSED, phaseOf, waitOf, withProbe } from '../../src/limits/circuit.js';
import type { Circuit } from '../../src/limits/types.js';

const SETTINGS = { failures: 3, openMs: 1_000 };
const fail = (circuit: Circuit, now: number, inARow = 1) =>
  afterFailure(circuit, { reason: 'down', inARow }, SETTINGS, now);

/** A circuit that opened at `now`. */
const opened = (now: number) => fail(fail(fail(CLOSED, now), now), now);

describe('circuit', () => {
  it('opens after so many failures in a row, not before', () => {
    const two = fail(fail(CLOSED, 10), 10);
    expect(phaseOf(two, 10)).toBe('closed');
    expect(waitOf(two, 10)).toBe(0);
    const three = fail(two, 10);
    expect(three).toMatchObject({ failures: 3, openUntil: 1_010, reason: 'down' });
    expect(phaseOf(three, 10)).toBe('open');
    expect(waitOf(three, 400)).toBe(610);
  });

  it('counts an answer between failures as health', () => {
    expect(afterAnswer(fail(fail(CLOSED, 1), 1), 1)).toEqual(CLOSED);
  });

  it('takes over what a process saw alone before it told', () => {
    expect(fail(CLOSED, 5, 3).openUntil).toBe(1_005);
    expect(fail({ ...CLOSED, failures: 1 }, 5, 1).failures).toBe(2);
  });

  it('does not listen to prompts that were in flight when it opened', () => {
    const circuit = opened(0);
    expect(fail(circuit, 500)).toBe(circuit);
    expect(afterAnswer(circuit, 500)).toBe(circuit);
  });

  it('lets one prompt through when its time is over; the others wait for it', () => {
    const circuit = opened(0);
    expect(withProbe(circuit, 999, 100)).toBe(circuit);
    expect(phaseOf(circuit, 1_000)).toBe('half-open');
    expect(waitOf(circuit, 1_000)).toBe(0);
    const probing = withProbe(circuit, 1_000, 100);
    expect(probing.probeUntil).toBe(1_100);
    expect(withProbe(probing, 1_050, 100)).toBe(probing);
    expect(waitOf(probing, 1_050)).toBeGreaterThan(0);
    // Its worker died: the next one may find out.
    expect(withProbe(probing, 1_100, 100).probeUntil).toBe(1_200);
  });

  it('closes by that prompt’s answer, and opens again by its failure', () => {
    const probing = withProbe(opened(0), 1_000, 100);
    expect(afterAnswer(probing, 1_050)).toEqual(CLOSED);
    const again = fail(probing, 1_050);
    expect(again).toMatchObject({ openUntil: 2_050, probeUntil: 0, failedProbes: 1 });
    expect(fail(withProbe(again, 2_050, 100), 2_060).failedProbes).toBe(2);
  });
});
