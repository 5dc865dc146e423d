import type { Json, JsonObject } from '../../task/json.js';
import { isJsonObject } from '../../task/json.js';
import { parseBody } from '../errorBody.js';
import type { Assembler } from '../streaming.js';

/** A content block while it grows. */
interface Block {
  body: JsonObject;
  /** JSON text of a tool's arguments so far. */
  input: string;
}

/** Fields whose text comes in pieces, by the type of the piece. */
const GROWING: Readonly<Record<string, string>> = {
  text_delta: 'text',
  thinking_delta: 'thinking',
  signature_delta: 'signature',
};

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function object(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** The arguments of a finished block; text that is no JSON stays text, to be told as a bad call. */
function finished({ body, input }: Block): JsonObject {
  if (body['type'] !== 'tool_use' || input === '') return body;
  const parsed = parseBody(input);
  return { ...body, input: isJsonObject(parsed) ? parsed : input };
}

/** Puts a streamed message together. */
export function anthropicAssembler(): Assembler {
  let message: JsonObject = {};
  let complete = false;
  const blocks = new Map<number, Block>();

  function grow(index: number, delta: JsonObject): string {
    const block = blocks.get(index);
    if (block === undefined) return '';
    const type = text(delta['type']);
    if (type === 'input_json_delta') block.input += text(delta['partial_json']);
    const field = GROWING[type];
    if (field === undefined) return '';
    const piece = text(delta[field]);
    block.body = { ...block.body, [field]: text(block.body[field]) + piece };
    return field === 'text' ? piece : '';
  }

  return {
    push(event) {
      const index = Number(event['index']);
      switch (event['type']) {
        case 'message_start':
          message = object(event['message']);
          return '';
        case 'content_block_start':
          blocks.set(index, { body: object(event['content_block']), input: '' });
          return '';
        case 'content_block_delta':
          return grow(index, object(event['delta']));
        case 'message_delta':
          // Counts are whole: later ones replace earlier ones.
          message = {
            ...message,
            ...object(event['delta']),
            usage: { ...object(message['usage']), ...object(event['usage']) },
          };
          return '';
        case 'message_stop':
          complete = true;
          return '';
        default:
          return '';
      }
    },
    body() {
      return complete ? { ...message, content: [...blocks.values()].map(finished) } : null;
    },
  };
}
