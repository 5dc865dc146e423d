import { TemperedError, type Place } from './errors.js';
import { isJsonObject, type Json } from './json.js';
import { didYouMean } from './nearest.js';

/** A piece of a template: text as it is, or a place to fill in. */
export type Piece = { readonly text: string } | { readonly field: string };

/**
 * Splits a template at its `{{field}}` places. `{{{{` stands for two literal braces; `}}` outside of a place is text.
 * Throws `input` for a place that is not closed or has no name.
 */
export function parseTemplate(template: string, where = 'The prompt'): readonly Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  const push = (text: string) => text !== '' && pieces.push({ text });
  for (let open = template.indexOf('{{'); open !== -1; open = template.indexOf('{{', from)) {
    push(template.slice(from, open));
    if (template.startsWith('{{', open + 2)) {
      push('{{');
      from = open + 4;
      continue;
    }
    const close = template.indexOf('}}', open);
    const field = template.slice(open + 2, close === -1 ? undefined : close).trim();
    if (close === -1 || field === '' || /[{}\n]/.test(field)) {
      const shown = template.slice(open, open + 30);
      throw new TemperedError('input', `${where} has a place that is not closed or not named: ${shown}`, {
        remedy: 'A place is written {{field}}; for two literal opening braces write {{{{.',
      });
    }
    pieces.push({ field });
    from = close + 2;
  }
  push(template.slice(from));
  return pieces;
}

/** What a template's places are filled from. */
export interface TemplateValues {
  /** The record. Its fields are the names; a record that is no object is `value`. */
  readonly input: Json;
  /** What `prepare()` made, as `prepared`; undefined when the task has no `prepare`: then it is a name like others. */
  readonly prepared: Json | undefined;
  /** Where the record stands, for errors. */
  readonly place?: Place;
}

/**
 * Fills in a template. Values are data: they are never looked at for places. Objects and arrays become JSON, null
 * becomes nothing. Throws `input` for a name the record does not have.
 */
export function fillTemplate(pieces: readonly Piece[], values: TemplateValues): string {
  let text = '';
  for (const piece of pieces) text += 'text' in piece ? piece.text : asText(lookUp(piece.field, values));
  return text;
}

function asText(value: Json): string {
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function lookUp(field: string, { input, prepared, place }: TemplateValues): Json {
  const record: Json = isJsonObject(input) ? input : { value: input };
  const named = prepared === undefined ? record : { ...record, prepared };
  // A column may be named "a.b": the whole name comes first.
  if (Object.hasOwn(named, field)) return named[field] ?? null;
  let at: Json | undefined = named;
  const walked: string[] = [];
  for (const key of field.split('.')) {
    const next: Json | undefined = memberOf(at, key);
    if (next === undefined) throw missing(field, walked, at, place);
    walked.push(key);
    at = next;
  }
  return at;
}

function memberOf(value: Json, key: string): Json | undefined {
  if (Array.isArray(value)) return /^\d+$/.test(key) ? value[Number(key)] : undefined;
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function missing(field: string, walked: readonly string[], at: Json, place: Place | undefined): TemperedError {
  const names = isJsonObject(at) ? Object.keys(at).map((key) => [...walked, key].join('.')) : [];
  const owner = walked.length === 0 ? 'the record' : `"${walked.join('.')}"`;
  const near = didYouMean(field, names);
  const shown = names.slice(0, 10).join(', ');
  const has = names.length === 0 ? '' : ` ${owner} has: ${shown}${names.length > 10 ? ', …' : ''}.`;
  return new TemperedError('input', `The prompt's place {{${field}}} is not in ${owner}.${near}`, {
    remedy: `Add the field to the record, or correct the template.${has}`,
    ...(place === undefined ? {} : { place }),
  });
}
