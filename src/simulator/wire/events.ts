import { isJsonObject, type Json, type JsonObject } from '../../task/json.js';

/** One server-sent event. */
export interface SentEvent {
  /** Its name; undefined = it has none. */
  readonly event?: string;
  /** Its data: JSON, or a word. */
  readonly data: JsonObject | string;
}

/** Characters in a piece of streamed text: a few tokens, as providers send them. */
const PIECE = 24;

function pieces(text: string): readonly string[] {
  return text.match(new RegExp(`[^]{1,${PIECE}}`, 'gu')) ?? [];
}

function object(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function list(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function blockEvents(block: JsonObject, index: number): readonly JsonObject[] {
  const { type } = block;
  const start = (content: JsonObject): JsonObject => ({ type: 'content_block_start', index, content_block: content });
  const delta = (change: JsonObject): JsonObject => ({ type: 'content_block_delta', index, delta: change });
  const stop = { type: 'content_block_stop', index };
  switch (type) {
    case 'tool_use': {
      const grown = pieces(JSON.stringify(block['input'])).map((piece) =>
        delta({ type: 'input_json_delta', partial_json: piece }),
      );
      return [start({ ...block, input: {} }), ...grown, stop];
    }
    case 'thinking':
      return [
        start({ ...block, thinking: '', signature: '' }),
        delta({ type: 'signature_delta', signature: block['signature'] ?? '' }),
        stop,
      ];
    default:
      return [
        start({ ...block, text: '' }),
        ...pieces(text(block['text'])).map((piece) => delta({ type: 'text_delta', text: piece })),
        stop,
      ];
  }
}

/** A message as Anthropic streams it: named events. */
export function anthropicEvents(body: JsonObject): readonly SentEvent[] {
  const { content, stop_reason, stop_sequence, stop_details, usage, ...message } = body;
  const start = {
    ...message,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...object(usage), output_tokens: 1 },
  };
  const ended: JsonObject = {
    stop_reason: stop_reason ?? null,
    stop_sequence: stop_sequence ?? null,
    stop_details: stop_details ?? null,
  };
  const events: readonly JsonObject[] = [
    { type: 'message_start', message: start },
    { type: 'ping' },
    ...list(content).flatMap(blockEvents),
    { type: 'message_delta', delta: ended, usage: { output_tokens: object(usage)['output_tokens'] ?? 0 } },
    { type: 'message_stop' },
  ];
  return events.map((data) => ({ event: text(data['type']), data }));
}

/** A completion as OpenAI streams it: chunks, usage on its own when asked for, and `[DONE]`. */
export function chatEvents(body: JsonObject, withUsage: boolean): readonly SentEvent[] {
  const { choices, usage, ...facts } = body;
  const [choice] = list(choices);
  const message = object(choice?.['message']);
  const chunk = (delta: JsonObject, reason: Json = null): JsonObject => ({
    ...facts,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
  });
  const calls = list(message['tool_calls']).flatMap((call, index) => {
    const called = object(call['function']);
    const first = {
      index,
      id: call['id'] ?? '',
      type: 'function',
      function: { name: called['name'] ?? '', arguments: '' },
    };
    const rest = pieces(text(called['arguments'])).map((piece) => ({ index, function: { arguments: piece } }));
    return [first, ...rest].map((part) => chunk({ tool_calls: [part] }));
  });
  const refusal = pieces(text(message['refusal'])).map((piece) => chunk({ refusal: piece }));
  const said = pieces(text(message['content'])).map((piece) => chunk({ content: piece }));
  const ended = chunk({}, choice?.['finish_reason'] ?? null);
  const counts: JsonObject[] = withUsage ? [{ ...chunk({}), choices: [], usage: usage ?? null }] : [];
  const first = chunk({ role: 'assistant', content: said.length > 0 ? '' : null });
  return [...[first, ...said, ...refusal, ...calls, ended, ...counts].map((data) => ({ data })), { data: '[DONE]' }];
}

/** A response as Gemini streams it: whole responses, each with the next parts; the last one says why it ended. */
export function geminiEvents(body: JsonObject): readonly SentEvent[] {
  const { candidates, ...facts } = body;
  const [candidate] = list(candidates);
  if (candidate === undefined) return [{ data: body }];
  const { finishReason, finishMessage, content, ...rest } = candidate;
  const parts = list(object(content)['parts']).flatMap((part): readonly JsonObject[] =>
    typeof part['text'] === 'string' ? pieces(part['text']).map((piece) => ({ ...part, text: piece })) : [part],
  );
  const response = (more: JsonObject): SentEvent => ({ data: { ...facts, candidates: [{ ...rest, ...more }] } });
  const ended: JsonObject = {
    finishReason: finishReason ?? 'STOP',
    ...(finishMessage === undefined ? {} : { finishMessage }),
  };
  const spoken = parts.map((part) => response({ content: { role: 'model', parts: [part] } }));
  return [...spoken, response({ content: { role: 'model', parts: [] }, ...ended })];
}
