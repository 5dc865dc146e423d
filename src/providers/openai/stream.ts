import { z } from 'zod';
import type { JsonObject } from '../../task/json.js';
import { loose } from '../reading.js';
import type { Assembler } from '../streaming.js';

const text = loose(z.string());

const chunkSchema = z.object({
  choices: z
    .array(
      z.object({
        delta: loose(
          z.object({
            content: text,
            refusal: text,
            tool_calls: loose(
              z.array(
                z.object({
                  index: z.number().catch(0),
                  id: text,
                  function: loose(z.object({ name: text, arguments: text })),
                }),
              ),
            ),
          }),
        ),
        finish_reason: text,
      }),
    )
    .catch([]),
});

type Delta = z.infer<typeof chunkSchema>['choices'][number]['delta'];

/** Puts a streamed completion together. The usage comes in a chunk of its own, after the answer. */
export function chatAssembler(): Assembler {
  let facts: JsonObject = {};
  let content: string | null = null;
  let refusal: string | null = null;
  let finishReason: string | null = null;
  const calls = new Map<number, { id: string; name: string; arguments: string }>();

  function take(delta: Delta): string {
    const piece = delta?.content ?? null;
    const said = delta?.refusal ?? null;
    if (piece !== null) content = (content ?? '') + piece;
    if (said !== null) refusal = (refusal ?? '') + said;
    for (const { index, id, function: called } of delta?.tool_calls ?? []) {
      const call = calls.get(index) ?? { id: '', name: '', arguments: '' };
      if (id !== null) call.id = id;
      call.name += called?.name ?? '';
      call.arguments += called?.arguments ?? '';
      calls.set(index, call);
    }
    return piece ?? '';
  }

  return {
    push(event) {
      const { id, model, usage } = event;
      for (const [name, value] of Object.entries({ id, model, usage })) {
        if (value !== undefined && value !== null) facts = { ...facts, [name]: value };
      }
      const { choices } = chunkSchema.parse(event);
      return choices
        .map(({ delta, finish_reason: reason }) => {
          finishReason = reason ?? finishReason;
          return take(delta);
        })
        .join('');
    },
    body() {
      if (finishReason === null) return null;
      const toolCalls = [...calls.values()].map(({ id, ...called }) => ({ id, type: 'function', function: called }));
      const message = {
        role: 'assistant',
        content,
        refusal,
        ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
      };
      return { ...facts, choices: [{ index: 0, message, finish_reason: finishReason }] };
    },
  };
}
