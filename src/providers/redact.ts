/** Shapes of keys, for those that are not ours to know: a provider may echo one from a header or a URL. */
const KEY_SHAPES: readonly RegExp[] = [
  /\bsk-[A-Za-z0-9_*-]{6,}/g,
  /\bAIza[A-Za-z0-9_*-]{10,}/g,
  /(?<=\bBearer )[A-Za-z0-9._~+/=-]{6,}/g,
  /(?<=[?&]key=)[^&\s"]+/g,
];

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
