import { isJsonObject, type Json, type JsonObject } from '../task/json.js';
import { variantsOf, textOf, type Variant } from './answer/schema.js';
import type { Random } from './hash.js';

/** A part of an answer that can be broken. */
interface Leaf {
  readonly path: readonly (string | number)[];
  readonly variants: readonly Variant[];
  readonly required: boolean;
}

const MOST_LEAVES = 200;

function leavesOf(value: Json, leaf: Leaf, root: JsonObject): readonly Leaf[] {
  // Inside a union a wrong part may be right for another member.
  const only = leaf.variants.filter(({ type }) => type !== 'null').length === 1;
  if (isJsonObject(value) && only) {
    const schema = leaf.variants.find(({ type }) => type === 'object')?.schema;
    const properties = schema?.['properties'];
    const required = schema?.['required'];
    if (!isJsonObject(properties)) return [];
    return Object.entries(value).flatMap(([name, inner]) => {
      const variants = variantsOf(properties[name], root);
      const needed = Array.isArray(required) && required.includes(name);
      return properties[name] === undefined
        ? []
        : leavesOf(inner, { path: [...leaf.path, name], variants, required: needed }, root);
    });
  }
  if (Array.isArray(value) && value.length > 0 && only) {
    const items = leaf.variants.find(({ type }) => type === 'array')?.schema['items'];
    if (!isJsonObject(items)) return [leaf];
    const variants = variantsOf(items, root);
    return value.flatMap((inner, i) => leavesOf(inner, { path: [...leaf.path, i], variants, required: false }, root));
  }
  // Where anything goes nothing is wrong.
  return leaf.variants.every(({ schema }) => 'type' in schema || 'enum' in schema) ? [leaf] : [];
}

function allowed(leaf: Leaf, type: Variant['type']): boolean {
  return leaf.variants.some((variant) => variant.type === type || (type === 'integer' && variant.type === 'number'));
}

/** A value of the wrong kind, as models get it wrong: a word that is not listed, prose for a number, a list for a text. */
function wrongValue(value: Json, leaf: Leaf, random: Random): Json {
  const strings = leaf.variants.filter(({ type }) => type === 'string');
  const formats = new Set(strings.map(({ schema }) => textOf(schema, 'format')));
  const [format = ''] = formats.size === 1 ? formats : [];
  if (typeof value === 'string' && strings.length > 0 && strings.every(({ schema }) => 'enum' in schema)) {
    const word = `${value.slice(0, 1).toUpperCase()}${value.slice(1)}`;
    return random.pick([`${word} (probably)`, `${value}-related`, `non-${value}`], word);
  }
  if (format === 'email') return typeof value === 'string' ? value.replace('@', ' (at) ') : 'none given';
  if (format === 'date' || format === 'date-time') return random.pick(['next Tuesday', 'unknown'], 'unknown');
  const wrong: readonly (readonly [Variant['type'], Json])[] = [
    ['string', typeof value === 'number' ? `about ${value}` : typeof value === 'boolean' ? 'probably' : 'n/a'],
    ['null', null],
    ['array', [value]],
    ['object', { value }],
    ['integer', 0],
    ['boolean', true],
  ];
  return wrong.find(([type]) => !allowed(leaf, type))?.[1] ?? { value };
}

function changed(value: Json, path: readonly (string | number)[], change: (inner: Json) => Json | undefined): Json {
  const [key, ...rest] = path;
  if (key === undefined) return change(value) ?? null;
  const inner = (at: Json): Json | undefined => (rest.length === 0 ? change(at) : changed(at, rest, change));
  if (Array.isArray(value)) {
    return value.flatMap((element, i) => {
      const next = i === key ? inner(element) : element;
      return next === undefined ? [] : [next];
    });
  }
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, element]) => {
      const next = name === key ? inner(element) : element;
      return next === undefined ? [] : [[name, next]];
    }),
  );
}

/**
 * The answer with one or two of its fields wrong (`wrongFields`) or left out (`missingFields`), so that asking for those
 * alone makes sense. An answer that is no object is wrong as a whole.
 */
export function damaged(value: Json, schema: JsonObject, fault: 'wrongFields' | 'missingFields', random: Random): Json {
  const root: Leaf = { path: [], variants: variantsOf(schema, schema), required: false };
  const leaves = leavesOf(value, root, schema).slice(0, MOST_LEAVES);
  const required = leaves.filter((leaf) => leaf.required);
  if (fault === 'missingFields' && required.length > 0) {
    return random
      .sample(required, 1 + random.below(2))
      .reduce((at: Json, leaf) => changed(at, leaf.path, () => undefined), value);
  }
  return random
    .sample(leaves.length === 0 ? [root] : leaves, 1 + random.below(2))
    .reduce((at: Json, leaf) => changed(at, leaf.path, (inner) => wrongValue(inner, leaf, random)), value);
}

/** JSON text that no parser takes, as models write it. */
export function brokenJson(text: string, random: Random): string {
  const forms = [
    () => text.replaceAll('"', "'"),
    () => text.replace(/,"/, '"'),
    () => text.replace(/[}\]]$/, ''),
    () => text.replace(/":/, '" is '),
    () => `${text.slice(0, -1)},,${text.slice(-1)}`,
  ];
  const start = random.below(forms.length);
  for (let i = 0; i < forms.length; i += 1) {
    const form = forms[(start + i) % forms.length];
    const broken = form?.() ?? '';
    if (!parses(broken)) return broken;
  }
  return `${text}}`;
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // Just what was wanted.
    return false;
  }
}

/** JSON with words around it, in a code fence or without. */
export function withProse(text: string, random: Random): string {
  const forms = [
    `Here is the result you asked for:\n\n\`\`\`json\n${text}\n\`\`\`\n\nLet me know if you need anything else.`,
    `Sure! ${text}\n\nI hope this helps.`,
    `\`\`\`\n${text}\n\`\`\``,
  ];
  return random.pick(forms, text);
}
