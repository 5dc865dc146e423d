import type { ProviderKind } from '../models/types.js';
import type { JsonObject } from '../task/json.js';
import { sharedText } from '../task/perObject.js';
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
  return schema === undefined ? 0 : estimateTokens(sharedText(schema));
}

/** Tokens of schema and tools, each counted by `count`. */
export function besideTokens({ schema, params: { tools } }: Beside, count: (text: string) => number): number {
  const parts = [schema, tools].flatMap((part) => (part === undefined ? [] : [JSON.stringify(part)]));
  return parts.reduce((sum, part) => sum + Math.round(count(part)), 0);
}

/** Tokens of a prompt that its provider's count leaves out: Gemini counts neither tools nor schema. Default `count`: an estimate. */
export function uncountedTokens(kind: ProviderKind, beside: Beside, count = estimateTokens): number {
  return kind === 'gemini' ? besideTokens(beside, count) : 0;
}
