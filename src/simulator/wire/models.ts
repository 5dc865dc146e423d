import { knownModels, modelInfo } from '../../models/catalog.js';
import type { ModelInfo } from '../../models/types.js';
import type { Scenario } from '../scenario.js';

/** When models were made, where a list must say: nobody reads it. */
export const MODEL_CREATED = '2026-01-01T00:00:00Z';

/** Models of a provider beside the known ones, from the scenario. */
export function scenarioModels(scenario: Scenario, provider: string): readonly string[] {
  return scenario.models
    .filter((name) => name.startsWith(`${provider}/`))
    .map((name) => name.slice(provider.length + 1));
}

/** Every model of a provider, without aliases. */
export function modelsOf(scenario: Scenario, provider: string): readonly ModelInfo[] {
  const known = knownModels()
    .filter((name) => name.startsWith(`${provider}/`))
    .map((name) => name.slice(provider.length + 1));
  const all = new Set([...known, ...scenarioModels(scenario, provider)]);
  return [...all].map((model) => modelInfo({ provider, model }, new Date()));
}

/** What is known of a hosted provider's model; null = it has no such model. */
export function findModel(scenario: Scenario, provider: string, model: string): ModelInfo | null {
  const info = modelInfo({ provider, model }, new Date());
  // A model of our tables has a source; one that only a scenario names has none.
  return info.source !== null || scenarioModels(scenario, provider).includes(model) ? info : null;
}

/** Whether the provider counts and charges what an automatic cache writes. */
export function countsWrites({ prices }: ModelInfo): boolean {
  return prices?.some((band) => band.cacheWrite5m > band.input) === true;
}
