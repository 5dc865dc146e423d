import { isJsonObject, type JsonObject } from '../task/json.js';
import { BoundedMap } from './boundedMap.js';
import { hashOf, TextHash } from './hash.js';

/** Records and requests remembered; a request that comes back after so many others counts as new. */
const MOST_REMEMBERED = 200_000;

/** What the simulator must see of a request to place it. */
export interface Placed {
  /** Texts of the user's turns, in order. */
  readonly userTexts: readonly string[];
  /** The schema asked for. */
  readonly schema: JsonObject | undefined;
  /** Sampling temperature, if one was sent. */
  readonly temperature: number | undefined;
  /** Effort or thinking level, if one was sent. */
  readonly effort: string | undefined;
  /** Hash of the whole request. */
  readonly requestHash: number;
}

/** Where a request stands. */
export interface Standing {
  /** The record: the last user turn as it was first sent, without what was added to it later. */
  readonly record: string;
  /** 0 for a first prompt; grows with what later stages do (ask for less, vary, ask again). */
  readonly stage: number;
  /** How often this exact request came before. */
  readonly ordinal: number;
}

interface FirstPrompt {
  readonly fields: number;
  readonly temperature: number | undefined;
  readonly effort: string | undefined;
}

interface Repeats {
  sent: number;
  answered: number;
}

/**
 * Remembers records by their text. It knows no client's way of asking again: a user turn that begins with a whole turn
 * of before is that record with something added.
 */
export class RecordMemory {
  readonly #records = new BoundedMap<number, FirstPrompt>(MOST_REMEMBERED);
  readonly #requests = new BoundedMap<number, Repeats>(MOST_REMEMBERED);

  /** Places a request and counts it. */
  place(request: Placed): Standing {
    const repeats = this.#requests.get(request.requestHash) ?? { sent: 0, answered: 0 };
    const ordinal = repeats.sent;
    repeats.sent += 1;
    this.#requests.set(request.requestHash, repeats);
    const found = this.#known(request.userTexts);
    if (found === undefined) {
      const record = request.userTexts.at(-1) ?? '';
      const { temperature, effort } = request;
      this.#records.set(hashOfText(record), { fields: fieldsOf(request.schema), temperature, effort });
      return { record, stage: repeats.answered, ordinal };
    }
    const { record, first, added } = found;
    const less = added || fieldsOf(request.schema) < first.fields;
    const varied = request.temperature !== first.temperature || request.effort !== first.effort;
    return { record, stage: (less ? 1 : 0) + (varied ? 2 : 0) + repeats.answered, ordinal };
  }

  /** Notes that a request got an answer: asked once more, it is a later stage. */
  answered(requestHash: number): void {
    const repeats = this.#requests.get(requestHash);
    if (repeats !== undefined) repeats.answered += 1;
  }

  #known(texts: readonly string[]): { record: string; first: FirstPrompt; added: boolean } | undefined {
    for (let i = texts.length - 1; i >= 0; i -= 1) {
      const text = texts[i] ?? '';
      const prefix = this.#knownPrefix(text);
      if (prefix === undefined) continue;
      const added = prefix.end < text.length || i < texts.length - 1;
      return { record: text.slice(0, prefix.end), first: prefix.first, added };
    }
    return undefined;
  }

  /** The longest beginning of a text, up to the end of a line, that is a known record. */
  #knownPrefix(text: string): { end: number; first: FirstPrompt } | undefined {
    const hash = new TextHash();
    let found: { end: number; first: FirstPrompt } | undefined;
    let from = 0;
    while (from < text.length) {
      const newline = text.indexOf('\n', from);
      const end = newline === -1 ? text.length : newline;
      hash.add(text, from, end);
      const first = end === 0 ? undefined : this.#records.get(hash.value);
      if (first !== undefined) found = { end, first };
      if (newline === -1) break;
      hash.add('\n');
      from = newline + 1;
      // A record that ends with a line break.
      const whole = this.#records.get(hash.value);
      if (whole !== undefined) found = { end: from, first: whole };
    }
    return found;
  }
}

function hashOfText(text: string): number {
  return new TextHash().add(text).value;
}

/** Fields a schema asks for, on its first level and one below. */
function fieldsOf(schema: JsonObject | undefined): number {
  const properties = schema?.['properties'];
  if (!isJsonObject(properties)) return 0;
  return Object.values(properties).reduce<number>((sum, property) => {
    const inner = isJsonObject(property) ? property['properties'] : undefined;
    return sum + 1 + (isJsonObject(inner) ? Object.keys(inner).length : 0);
  }, 0);
}

/** Key of every random decision about a request: the same run repeats whatever its concurrency. */
export function decisionKey(seed: number, standing: Standing, requestHash: number): number {
  return hashOf(seed, standing.record, requestHash, standing.ordinal);
}
