import { modelInfo } from '../../models/catalog.js';
import type { JsonObject } from '../../task/json.js';
import { anthropicSchema } from '../schemas.js';

/** A schema as a model's structured output takes it; null = it is asked for in words, in the system prompt. */
export function nativeSchema(model: string, schema: JsonObject): JsonObject | null {
  const { structuredOutput } = modelInfo({ provider: 'anthropic', model }, new Date());
  return structuredOutput === false ? null : anthropicSchema(schema);
}
