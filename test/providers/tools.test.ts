import { createProviderSet } from '../../src/providers/providerSet.js';
import type { AssistantTurn, ToolSpec } from '../../src/providers/turns.js';
import type { ModelAnswer, Provider } from '../../src/providers/types.js';
import { simulatorEnv } from '../../src/simulator/index.js';
import { simulate, stopAll } from '../simulator/wire.js';
import { answered, failed, FOREVER, providerFor, request, Wire } from './wire.js';

const LOOKUP: ToolSpec = {
  name: 'find_order',
  description: 'Finds an order by its number.',
  parameters: {
    type: 'object',
    properties: { email: { type: 'string', format: 'email' } },
    required: ['email'],
    additionalProperties: false,
  },
};
const REFUND: ToolSpec = { ...LOOKUP, name: 'refund' };
const TOOLS = { tools: [LOOKUP, REFUND] };
const PROMPT = { role: 'user', content: 'Please find order and refund for jo@example.org.' } as const;

const MODELS = [
  ['anthropic', 'claude-sonnet-5'],
  ['gemini', 'gemini-3.8-flash'],
  ['openai', 'gpt-4.1'],
  ['ollama', 'qwen3'],
] as const;

let providers: (name: string) => Provider;
beforeAll(async () => {
  const set = createProviderSet({ env: simulatorEnv((await simulate()).url) });
  providers = (name) => set.get(name);
});
afterAll(stopAll);

function turnOf(provider: Provider, { text, toolCalls, native }: ModelAnswer): AssistantTurn {
  return { role: 'assistant', content: text, toolCalls, native: { kind: provider.kind, content: native } };
}

describe.each(MODELS)('%s', (name, model) => {
  const ask = (changes: object, onText?: (text: string) => void) =>
    providers(name).send(
      request(model, { messages: [PROMPT], ...TOOLS, maxOutputTokens: 300, ...changes }),
      FOREVER,
      onText,
    );

  it('calls tools, streamed or not, and answers with their results', async () => {
    const first = answered(await ask({}));
    expect(first.text).toBe('');
    expect(first.toolCalls.map((call) => call.name)).toEqual(['find_order', 'refund']);
    expect(first.toolCalls[0]?.arguments).toEqual({ email: 'jo@example.org' });
    const streamed = answered(await ask({}, () => undefined));
    expect(streamed.toolCalls.map((call) => call.arguments)).toEqual(first.toolCalls.map((call) => call.arguments));

    for (const answer of [first, streamed]) {
      const results = answer.toolCalls.map(
        ({ id, name: tool }) => ({ role: 'tool', toolCallId: id, name: tool, content: 'done' }) as const,
      );
      const last = answered(await ask({ messages: [PROMPT, turnOf(providers(name), answer), ...results] }));
      expect(last.toolCalls).toEqual([]);
      expect(last.text).not.toBe('');
    }
  });

  it('is held to the choice of tools', async () => {
    expect(answered(await ask({ toolChoice: 'none' })).toolCalls).toEqual([]);
    expect(answered(await ask({ toolChoice: { name: 'refund' } })).toolCalls).toHaveLength(1);
    const quiet = { messages: [{ role: 'user', content: 'Hello' }] };
    expect(answered(await ask(quiet)).toolCalls).toEqual([]);
    expect(answered(await ask({ ...quiet, toolChoice: 'required' })).toolCalls).toHaveLength(1);
  });

  it('takes turns another wire made, and refuses results without their call', async () => {
    const calls = [{ id: 'call_1', name: 'refund', arguments: {} }];
    const result = { role: 'tool', toolCallId: 'call_1', name: 'refund', content: 'no', isError: true } as const;
    const foreign: AssistantTurn = { role: 'assistant', content: 'I look.', toolCalls: calls };
    if (name === 'gemini') {
      // Signed thoughts of its own are missing.
      expect(failed(await ask({ messages: [PROMPT, foreign, result] })).error.category).toBe('invalid_request');
      return;
    }
    expect(answered(await ask({ messages: [PROMPT, foreign, result] })).text).not.toBe('');
    expect(failed(await ask({ messages: [PROMPT, result] })).error.category).toBe('invalid_request');
  });
});

test('a call whose arguments are no JSON object is an invalid answer, not a call with none', async () => {
  const wire = new Wire();
  await wire.start();
  const call = { id: 'a', type: 'function', function: { name: 'refund', arguments: '{"email": ' } };
  wire.reply({ body: { choices: [{ message: { content: null, tool_calls: [call] }, finish_reason: 'tool_calls' }] } });
  const reply = await providerFor(wire, 'openai').send(request('gpt-4.1', TOOLS), FOREVER);
  expect(failed(reply).error).toMatchObject({ category: 'invalid_output', code: 'tool_arguments' });
  await wire.stop();
});
