import { isJsonObject, type JsonObject } from '../task/json.js';

/**
 * Share of partial prompts that find no cache. Each combination of failed fields has a schema of its own and with it a
 * prefix of its own, which its first prompt writes. Fields are taken to fail alone or in pairs, all alike: of `prompts`
 * draws among so many combinations the first of each misses. Pure.
 */
export function partialMissShare(schema: JsonObject | undefined, prompts: number): number {
  if (prompts <= 0) return 0;
  const properties = schema?.['properties'];
  const fields = isJsonObject(properties) ? Math.max(1, Object.keys(properties).length) : 1;
  const combinations = (fields * (fields + 1)) / 2;
  return Math.min(1, (combinations * (1 - Math.exp(-prompts / combinations))) / prompts);
}
