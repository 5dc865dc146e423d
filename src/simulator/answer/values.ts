import { isJsonObject, type Json, type JsonObject } from '../../task/json.js';
import { amounts, emails, keywords, numbers, readNumber, urls } from './find.js';
import { areLanguages, languageWords } from './language.js';
import { numberOf, textOf, variantsOf, type Variant } from './schema.js';
import { stringFor, summaryOf, type Found, type Place, type Source } from './strings.js';
import { labelled, nameWords, sentences } from './text.js';
import { NEUTRAL, signScore, topicScore } from './topics.js';

/** Deeper than this, optional properties are left out and lists are as short as they may be. */
const DEEP = 6;

/** No schema is answered deeper than this: one that contains itself without an end has no answer. */
const DEEPEST = 24;

/** Most elements a list is given when its schema allows more. */
const USUAL_LIST = 3;

/** Signs it takes for a yes. Signs of personal mail speak against spam: mailing lists quote a lot of it. */
const CONVINCED = 2;

/** What is carried down through a schema. */
interface Way extends Source {
  readonly root: JsonObject;
  readonly depth: number;
  /** The text in lower case, for topics. */
  readonly lower: string;
}

/** A value for a schema: what the text has of it, else something that fits. */
export function valueFor(schema: JsonObject, source: Source): Json {
  const way = { ...source, root: schema, depth: 0, lower: source.text.toLowerCase() };
  return anyOf({ name: '', schema }, schema, way).value;
}

/** The first variant that the text speaks for; null if there is none and null is allowed. */
function anyOf(place: Place, schema: Json | undefined, way: Way): Found<Json> {
  const variants = variantsOf(schema, way.root);
  let fallback: Found<Json> | undefined;
  for (const variant of variants) {
    if (variant.type === 'null') return { value: null, evident: false };
    const found = ofVariant({ name: place.name, schema: variant.schema }, variant, way);
    if (found.evident) return found;
    fallback ??= found;
  }
  return fallback ?? { value: null, evident: false };
}

function ofVariant(place: Place, { type, schema }: Variant, way: Way): Found<Json> {
  const listed = schema['enum'];
  if (Array.isArray(listed)) return chosen(place, listed, way);
  switch (type) {
    case 'object':
      return objectFor(schema, way);
    case 'array':
      return listFor(place, way);
    case 'string':
      return stringFor(place, way);
    case 'number':
    case 'integer':
      return numberFor(place, type === 'integer', way);
    case 'boolean': {
      const about = `${place.name} ${textOf(schema, 'description')}`;
      const against = nameWords(about).includes('spam') ? signScore(way.lower, 'ham') : 0;
      return { value: signScore(way.lower, about) - against >= CONVINCED, evident: true };
    }
    case 'null':
      return { value: null, evident: false };
  }
}

/** A listed value as a lower-case word. */
function wordOf(value: Json): string {
  return (typeof value === 'string' ? value : JSON.stringify(value)).toLowerCase();
}

/** The listed value the text is most about; among equals a neutral one, else one by lot. */
function chosen({ name }: Place, values: readonly Json[], way: Way): Found<Json> {
  const words = values.map(wordOf);
  const languages = areLanguages(words) ? languageWords(way.text) : [];
  const scores = words.map((word) => {
    if (languages.includes(word)) return Infinity;
    // "Other" is a word of every text.
    return NEUTRAL.includes(word) ? 0 : topicScore(way.lower, word);
  });
  const best = Math.max(...scores);
  const tied = values.filter((_, i) => scores[i] === best);
  const neutral = tied.find((value) => NEUTRAL.includes(wordOf(value)));
  const only = values.length === 1;
  const lot = way.random.pick(tied, values[0] ?? null);
  return { value: best === 0 ? (neutral ?? lot) : (tied[0] ?? lot), evident: only || best > 0 || name === '' };
}

function objectFor(schema: JsonObject, way: Way): Found<Json> {
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const inner = { ...way, depth: way.depth + 1 };
  const entries: [string, Json][] = [];
  let evident = Object.keys(properties).length === 0;
  for (const [name, property] of Object.entries(properties)) {
    const needed = required.includes(name);
    if (way.depth >= (needed ? DEEPEST : DEEP)) continue;
    const found = anyOf({ name, schema: isJsonObject(property) ? property : {} }, property, inner);
    evident ||= found.evident;
    if (needed || found.evident) entries.push([name, found.value]);
  }
  return { value: Object.fromEntries(entries), evident };
}

function listFor(place: Place, way: Way): Found<Json> {
  const { schema } = place;
  const least = numberOf(schema, 'minItems') ?? 0;
  const most = Math.min(numberOf(schema, 'maxItems') ?? Infinity, Math.max(least, USUAL_LIST));
  if (way.depth >= DEEP && least === 0) return { value: [], evident: true };
  const prefix = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : [];
  const inner = { ...way, depth: way.depth + 1 };
  const one = (item: Json | undefined, text: string): Json =>
    anyOf({ name: singular(place.name), schema: isJsonObject(item) ? item : {} }, item, {
      ...inner,
      text,
      lower: text.toLowerCase(),
    }).value;
  const fixed = prefix.map((item) => one(item, way.text));
  if (prefix.length > 0 && !isJsonObject(schema['items'])) return { value: fixed, evident: true };
  const texts = pieces(place, way);
  const [element] = variantsOf(schema['items'], way.root);
  const unique = schema['uniqueItems'] === true || element?.type === 'string';
  const items: Json[] = [...fixed];
  const seen = new Set<string>();
  for (const text of texts) {
    if (items.length >= most) break;
    const value = one(schema['items'], text);
    const key = JSON.stringify(value);
    if (unique && seen.has(key)) continue;
    seen.add(key);
    items.push(value);
  }
  const evident = items.length > 0;
  for (let tries = 0; items.length < least && tries < least * 4; tries += 1) {
    const value = one(schema['items'], texts[tries % Math.max(1, texts.length)] ?? way.text);
    if (schema['uniqueItems'] !== true || !items.some((item) => JSON.stringify(item) === JSON.stringify(value))) {
      items.push(value);
    }
  }
  return { value: items, evident };
}

/** `keywords` holds one keyword each. */
function singular(name: string): string {
  return name.replace(/ies$/, 'y').replace(/s$/, '');
}

/** What the elements of a list are made from, one each. */
function pieces({ name, schema }: Place, way: Way): readonly string[] {
  const [element] = variantsOf(schema['items'], way.root);
  if (element === undefined) return [way.text];
  const listed = element.schema['enum'];
  if (Array.isArray(listed)) {
    const named = listed.map(wordOf).map((word) => ({ word, score: topicScore(way.lower, word) }));
    return named
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score)
      .map(({ word }) => word);
  }
  const words = nameWords(name);
  if (element.type === 'string') {
    if (textOf(element.schema, 'format') === 'email' || words.includes('emails')) return emails(way.text);
    if (textOf(element.schema, 'format') === 'uri' || words.includes('urls') || words.includes('links'))
      return urls(way.text);
    if (words.some((word) => ['sentences', 'points', 'facts', 'actions', 'steps', 'quotes'].includes(word))) {
      return sentences(way.text);
    }
    return keywords(way.text);
  }
  if (element.type === 'number' || element.type === 'integer') return numbers(way.text).map(String);
  const found = sentences(way.text);
  return found.length === 0 ? [way.text] : found;
}

const MONEY = ['amount', 'price', 'total', 'cost', 'fee', 'sum', 'balance', 'refund', 'value'];

/** Numbers that a person estimates instead of reading. */
const ESTIMATES = ['confidence', 'probability', 'likelihood', 'score', 'certainty', 'relevance', 'rating', 'severity'];

function numberFor({ name, schema }: Place, integer: boolean, way: Way): Found<number> {
  const words = nameWords(name);
  const step = numberOf(schema, 'multipleOf') ?? (integer ? 1 : undefined);
  const above = numberOf(schema, 'exclusiveMinimum');
  const below = numberOf(schema, 'exclusiveMaximum');
  const gap = step ?? 0.01;
  const min = Math.max(numberOf(schema, 'minimum') ?? -Infinity, above === undefined ? -Infinity : above + gap);
  const max = Math.min(numberOf(schema, 'maximum') ?? Infinity, below === undefined ? Infinity : below - gap);
  const fits = (value: number): boolean =>
    value >= min && value <= max && (step === undefined || Number.isInteger(Number((value / step).toFixed(9))));
  const candidates = [
    ...readNumber(labelled(way.text, [words.join(' ')]) ?? ''),
    ...(words.some((word) => MONEY.includes(word)) ? amounts(way.text) : []),
    ...beside(words, way.text),
    ...(words.some((word) => ESTIMATES.includes(word)) ? [] : numbers(way.text)),
  ];
  const value = candidates.find(fits);
  if (value !== undefined) return { value, evident: true };
  return { value: estimated(min, max, step, way), evident: words.some((word) => ESTIMATES.includes(word)) };
}

/** Numbers next to the name's words: `3 items`, `aged 41`. */
function beside(words: readonly string[], text: string): readonly number[] {
  const stems = words.map((word) => word.replace(/s$/, '')).filter((word) => word.length > 2);
  return stems.flatMap((stem) => {
    const found = new RegExp(`(\\d[\\d.,]*) ${stem}|\\b${stem}\\w{0,3} (?:is |of |was |: ?)?(\\d[\\d.,]*)`, 'i').exec(
      text,
    );
    return readNumber(found?.[1] ?? found?.[2] ?? '');
  });
}

/** A number in the range, in its upper half where it has two ends. */
function estimated(min: number, max: number, step: number | undefined, way: Way): number {
  const low = Number.isFinite(min) ? min : Math.min(0, max);
  const high = Number.isFinite(max) ? max : low;
  const wanted = low + (high - low) * (0.5 + way.random.next() / 2);
  if (step === undefined) return Math.min(high, Math.max(low, Number(wanted.toFixed(2))));
  const stepped = Number((Math.floor(wanted / step) * step).toFixed(9));
  return stepped >= low ? stepped : Number((Math.ceil(low / step) * step).toFixed(9));
}

/** An answer without a schema: what the text is about, in a sentence or two. */
export function prose({ text, random }: Source): string {
  const [first = 'The text has nothing that could be read.', ...rest] = [summaryOf(text) ?? []].flat();
  const second = random.pick(sentences(text).slice(1, 4), '');
  return [first, ...rest, second === first ? '' : second].filter((one) => one !== '').join(' ');
}
