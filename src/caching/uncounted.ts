import type { ProviderKind } from '../models/types.js';
import type { JsonObject } from '../task/json.js';
import { estimateTokens } from './breakpoints.js';

/** What a prompt has beside instructions and turns. */
interface Beside {
  /** Schema of the answer. */
  readonly schema: JsonObject | undefined;
  /** Tools and the like. */
  readonly params: JsonObject;
}

/** Estimated tokens of a schema. */
export function schemaTokens({ schema }: Pick<Beside, 'schema'>): number {
  return schema === undefined ? 0 : estimateTokens(JSON.stringify(schema));
}

/** Estimated tokens of a prefix that its provider's count leaves out: Gemini counts neither tools nor schema. */
export function uncountedTokens(kind: ProviderKind, { schema, params }: Beside): number {
  if (kind !== 'gemini') return 0;
  const { tools } = params;
  return schemaTokens({ schema }) + (tools === undefined ? 0 : estimateTokens(JSON.stringify(tools)));
}
