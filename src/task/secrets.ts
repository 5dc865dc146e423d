import type { Json, JsonObject } from './json.js';

/** Shapes of keys, for those that are not ours to know: of OpenAI and Anthropic, of Google, in a header, in a URL. */
export const KEY_SHAPES: readonly RegExp[] = [
  /\bsk-[A-Za-z0-9_*-]{6,}/g,
  /\bAIza[A-Za-z0-9_*-]{10,}/g,
  /(?<=\bBearer )[A-Za-z0-9._~+/=-]{6,}/g,
  /(?<=[?&]key=)[^&\s"]+/g,
];

/**
 * Names under which keys are sent, without case, dashes and underscores. Of tokens only those that let somebody in: most
 * are pieces of text, as in `eos_token` and `max_tokens`.
 */
const SECRET_NAMES: readonly RegExp[] = [
  /^(?:auth|bearer|jwt|key|token)$/,
  /(?:api|access|private|secret|signing)keys?$/,
  /(?:authorization|cookies?|credentials?|passphrase|passwd|passwords?|secretaccesskey|secrets?)$/,
  /(?:access|api|auth|authorization|bearer|csrf|client|oauth|refresh|secret|security|session)tokens?$/,
];

/** Members of a JSON Schema whose names are those of what it describes: a `password` there is a word, not a key. */
const DESCRIBED = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentRequired']);

/** Whether something of that name holds a key, whatever its spelling. */
export function isSecretName(name: string): boolean {
  const plain = name.replaceAll(/[\s_-]/g, '').toLowerCase();
  return SECRET_NAMES.some((names) => names.test(plain));
}

/** Whether a text is a key by its shape. One that only speaks of keys has more words. */
function isKey(text: string): boolean {
  return /^(?:bearer )?\S+$/i.test(text.trim()) && KEY_SHAPES.some((shape) => text.search(shape) !== -1);
}

function isPair(value: Json): value is [string, Json] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string';
}

/** What stands in a value by name: headers may be pairs, or objects with `name` and `value`, too. */
function members(value: Json[] | JsonObject): readonly (readonly [string, Json])[] {
  if (Array.isArray(value)) return value.every(isPair) ? value : Object.entries(value);
  const label = typeof value['name'] === 'string' ? 'name' : 'key';
  const { [label]: named, value: held, ...rest } = value;
  if (typeof named !== 'string' || held === undefined) return Object.entries(value);
  return [[named, held], ...Object.entries(rest)];
}

/**
 * Where the first key stands in a provider's parameters, as `headers.authorization`, at any depth: by its name, or by
 * its shape. Undefined = nowhere.
 */
export function secretIn(params: JsonObject): string | undefined {
  return found(params, [], false);
}

function found(value: Json, at: readonly string[], isNamed: boolean): string | undefined {
  if (typeof value === 'string') return isNamed || isKey(value) ? at.join('.') : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, inner] of members(value)) {
    if (DESCRIBED.has(name)) continue;
    const secret = found(inner, [...at, name], isNamed || isSecretName(name));
    if (secret !== undefined) return secret;
  }
  return undefined;
}
