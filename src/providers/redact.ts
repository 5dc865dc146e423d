import { KEY_SHAPES } from '../task/secrets.js';

const REPLACEMENT = '[key]';

/** Shorter values would cut ordinary words out of messages. */
const SHORTEST_KEY = 6;

/** A function that removes `key`, and whatever looks like a key, from a text. */
export function redactor(key: string | undefined): (text: string) => string {
  return (text) => {
    const known = key === undefined || key.length < SHORTEST_KEY ? text : text.replaceAll(key, REPLACEMENT);
    return KEY_SHAPES.reduce((result, shape) => result.replace(shape, REPLACEMENT), known);
  };
}
