import type { Json, JsonObject } from '../../task/json.js';
import { isJsonObject } from '../../task/json.js';
import type { Assembler } from '../streaming.js';

function firstCandidate(event: JsonObject): JsonObject | undefined {
  const list = event['candidates'];
  const first = Array.isArray(list) ? list[0] : undefined;
  return isJsonObject(first) ? first : undefined;
}

function partsOf(candidate: JsonObject | undefined): readonly JsonObject[] {
  const content = candidate?.['content'];
  const parts = isJsonObject(content) ? content['parts'] : undefined;
  return Array.isArray(parts) ? parts.filter(isJsonObject) : [];
}

/** The text a part adds to the answer: thoughts are none of it. */
function spoken(part: JsonObject): string {
  const { text, thought } = part;
  return typeof text === 'string' && thought !== true ? text : '';
}

/** Puts streamed responses together: parts follow each other, everything else is as the last one says. */
export function geminiAssembler(): Assembler {
  let facts: JsonObject = {};
  let candidate: JsonObject | undefined;
  const parts: Json[] = [];
  return {
    push(event) {
      facts = { ...facts, ...event };
      const next = firstCandidate(event);
      if (next === undefined) return '';
      candidate = { ...candidate, ...next };
      const added = partsOf(next);
      parts.push(...added);
      return added.map(spoken).join('');
    },
    body() {
      if (candidate === undefined) return 'promptFeedback' in facts ? facts : null;
      if (typeof candidate['finishReason'] !== 'string') return null;
      return { ...facts, candidates: [{ ...candidate, content: { role: 'model', parts } }] };
    },
  };
}
