import type { JsonObject } from '../task/json.js';
import { perObject, sharedText } from '../task/perObject.js';
import type { ContentPart, Message } from '../task/spec.js';

/** What providers add around a prompt: chat markers, and the schema in their own words. */
const OVERHEAD = 1000;

/** The most tokens an image comes to: a large one in Claude's newest models is 4,784. */
const IMAGE_TOKENS = 6000;

/** The most tokens a PDF by reference comes to: 100 pages of text and image. */
const PDF_TOKENS = 300_000;

const sharedBytes = perObject((object: JsonObject) => Buffer.byteLength(sharedText(object)));

function partBytes(part: ContentPart): number {
  switch (part.type) {
    case 'text':
      return Buffer.byteLength(part.text);
    case 'image':
      return Math.max(part.url.length, IMAGE_TOKENS);
    case 'pdf':
      return part.url.startsWith('data:') ? Math.max(part.url.length, IMAGE_TOKENS) : PDF_TOKENS;
  }
}

/**
 * The size of a prompt for the worst case, in bytes: no token is shorter than a byte. Images and PDFs count with the
 * most tokens they can come to, since those by reference are longer than their URL.
 */
export function promptBytes(prompt: {
  readonly instructions: string | undefined;
  readonly messages: readonly Message[];
  readonly schema: JsonObject | undefined;
  /** Provider parameters: tools among them are billed as input. */
  readonly params: JsonObject;
}): number {
  const { instructions = '', messages, schema, params } = prompt;
  const content = messages.flatMap((message): readonly ContentPart[] =>
    typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content,
  );
  const written =
    Buffer.byteLength(instructions) + (schema === undefined ? 0 : sharedBytes(schema)) + sharedBytes(params);
  return content.reduce((sum, part) => sum + partBytes(part), OVERHEAD + written);
}
