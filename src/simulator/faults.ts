import { hashOf, Random } from './hash.js';
import { ANSWER_FAULTS, TRANSPORT_FAULTS, type AnswerFault, type Scenario, type TransportFault } from './scenario.js';

/** Faults of the answer's form, which a model makes more rarely when it is told what was wrong. */
const FALLING: ReadonlySet<AnswerFault> = new Set(['invalidJson', 'proseAroundJson', 'wrongFields', 'missingFields']);

/** The first fault into whose share of 0..1 a drawn number falls. */
function drawn<T extends string>(key: number, names: readonly T[], share: (name: T) => number): T | null {
  const number = new Random(key).next();
  let upTo = 0;
  for (const name of names) {
    upTo += share(name);
    if (number < upTo) return name;
  }
  return null;
}

/** What happens to a request on its way; null = it arrives. Always the same for the same key. */
export function transportFault({ rates }: Scenario, key: number): TransportFault | null {
  return drawn(hashOf(key, 'way'), TRANSPORT_FAULTS, (name) => rates[name]);
}

/**
 * What is wrong with an answer; null = nothing. Always the same for the same key and stage. Faults of form become rarer
 * with each stage, and need a form: an answer without a schema has none.
 */
export function answerFault(scenario: Scenario, key: number, stage: number, structured: boolean): AnswerFault | null {
  const left = scenario.laterStages ** stage;
  return drawn(hashOf(key, 'answer'), ANSWER_FAULTS, (name) => {
    if (!FALLING.has(name)) return scenario.rates[name];
    return structured ? scenario.rates[name] * left : 0;
  });
}
