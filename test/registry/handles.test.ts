import { z } from 'zod';
import { createProviderSet } from '../../src/providers/providerSet.js';
import { LlmError } from '../../src/registry/ask.js';
import type { EnhancedLlm } from '../../src/registry/enhanced.js';
import { Registry, type RegistryParts } from '../../src/registry/registry.js';
import type { LlmChunk, LlmInput } from '../../src/registry/types.js';
import { type Simulator, simulatorEnv } from '../../src/simulator/index.js';
import { containing } from '../support/match.js';
import { ANSWER, RECORD, SCHEMA, simulate, stopAll } from '../simulator/wire.js';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await simulate();
});
afterAll(stopAll);

/** A registry of the simulator's endpoints. */
function registry(changes: Partial<RegistryParts> = {}, env: Record<string, string> = {}): Registry {
  const providers = createProviderSet({ env: simulatorEnv(simulator.url), endpoints: {} });
  return new Registry({
    providers,
    env,
    defaultModel: 'anthropic/claude-sonnet-4-6',
    enhancedByDefault: true,
    ...changes,
  });
}

async function chunks(stream: AsyncIterable<LlmChunk>): Promise<LlmChunk[]> {
  const all: LlmChunk[] = [];
  for await (const chunk of stream) all.push(chunk);
  return all;
}

const TOOL = {
  name: 'find_order',
  description: 'Finds an order.',
  parameters: { type: 'object', properties: { email: { type: 'string', format: 'email' } }, required: ['email'] },
};

// Whatever a handle does, both kinds do alike.
describe.each([true, false])('a handle with enhanced: %s', (enhanced) => {
  describe.each(['anthropic/claude-sonnet-4-6', 'gemini/gemini-2.5-flash', 'openai/gpt-4.1', 'ollama/qwen3'])(
    'of %s',
    (model) => {
      const llm = (more = {}) => registry().getLlm({ model, enhanced, ...more });

      it('asks once, and tells the same cost as the bill', async () => {
        const before = simulator.totals();
        const answer = await llm().invoke('Hello, who are you?');
        expect(answer.text).not.toBe('');
        expect(answer).toMatchObject({ model: model.split('/')[1], toolCalls: [] });
        const after = simulator.totals();
        expect(after.requests - before.requests).toBe(1);
        expect(answer.costUsd).toBeCloseTo((after.costNanoUsd - before.costNanoUsd) / 1e9, 9);
      });

      it('takes a conversation with instructions', async () => {
        const input: LlmInput = [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hello' },
          { role: 'assistant', content: 'Yes?' },
          { role: 'user', content: 'Go on.' },
        ];
        expect((await llm().invoke(input)).usage?.inputTokens).toBeGreaterThan(5);
      });

      it('streams text, and the whole answer last', async () => {
        const all = await chunks(llm().stream(RECORD));
        const text = all.map((chunk) => (chunk.type === 'text' ? chunk.text : '')).join('');
        expect(all.length).toBeGreaterThan(2);
        expect(all.at(-1)).toMatchObject({ type: 'answer', answer: { text } });
        for await (const chunk of llm().stream(RECORD)) {
          expect(chunk.type).toBe('text');
          break;
        }
      });

      it('answers in the form of a zod schema, or of a JSON Schema', async () => {
        const schema = z.object({ email: z.email(), spam: z.boolean() });
        const { output } = await llm().withStructuredOutput(schema).invoke(RECORD);
        const email: string = output.email;
        expect([email, output.spam]).toEqual([ANSWER.email, false]);
        expect((await llm().withStructuredOutput(SCHEMA).invoke(RECORD)).output).toEqual(ANSWER);
        const never = z.object({ email: z.string().refine(() => false, 'is never right') });
        const failure = llm().withStructuredOutput(never).invoke(RECORD);
        await expect(failure).rejects.toMatchObject({
          category: 'invalid_output',
          message: containing('email: is never right'),
        });
      });

      it('calls tools with the parameters it has, and takes their results', async () => {
        const bound = llm({ maxOutputTokens: 321 }).bindTools([TOOL], 'required');
        expect(bound.toJSON()).toMatchObject({ maxOutputTokens: 321, tools: [TOOL], toolChoice: 'required', enhanced });
        const prompt = { role: 'user', content: 'Find order of jo@example.org.' } as const;
        const { toolCalls, turn } = await bound.invoke([prompt]);
        expect(toolCalls).toMatchObject([{ name: 'find_order', arguments: { email: 'jo@example.org' } }]);
        const results = toolCalls.map(
          ({ id, name }) => ({ role: 'tool', toolCallId: id, name, content: 'LK-1' }) as const,
        );
        const last = await llm()
          .bindTools([TOOL])
          .invoke([prompt, turn, ...results]);
        expect(last.text).not.toBe('');
      });

      it("lets a call's parameters win, and refuses what the model does not take before anything is sent", async () => {
        const handle = llm({ temperature: 0.1 });
        const before = simulator.totals().requests;
        await expect(handle.invoke('x', { temperature: 3 })).rejects.toMatchObject({ category: 'input' });
        await expect(handle.invoke('x', { topP: 1.5 })).rejects.toThrow(/topP is a number from 0 to 1/);
        await expect(handle.invoke('x', { maxOutputTokens: 0 })).rejects.toThrow(
          /maxOutputTokens is a whole number from 1/,
        );
        expect(() => llm({ topK: 0.5 })).toThrow(/topK/);
        expect(simulator.totals().requests).toBe(before);
        const short = handle.invoke(RECORD, { maxOutputTokens: 3 });
        await expect(short).rejects.toMatchObject({ category: 'truncated', details: { usage: { outputTokens: 3 } } });
        await expect(short).rejects.toBeInstanceOf(LlmError);
      });

      it('comes back from JSON with its parameters and without keys', async () => {
        const params = model.startsWith('gemini')
          ? { seed: 7 }
          : model.startsWith('anthropic')
            ? { metadata: { user_id: 'u' } }
            : { seed: 7 };
        const one = llm({ temperature: 0.2, params });
        const text = JSON.stringify(one);
        expect(text).not.toContain('sim-key');
        const other = registry().fromJSON(JSON.parse(text));
        expect(other.toJSON()).toEqual(one.toJSON());
        expect(other.isEnhanced).toBe(enhanced);
        expect((await other.invoke('Hello')).text).not.toBe('');
        for (const secret of [{ api_key: 'k' }, { headers: [['x-auth-token', 'k']] }, { user: 'sk-test-0123456789' }]) {
          expect(() => llm({ params: secret })).toThrow(/key must not stand/);
          expect(() => registry().fromJSON({ ...one.toJSON(), params: secret })).toThrow(/key must not stand/);
          await expect(one.invoke('x', { params: secret })).rejects.toThrow(/key must not stand/);
        }
      });
    },
  );

  it('tells what failed, and whether it was billed', async () => {
    const { url } = await simulate({ rates: { rateLimit: 1 }, retryAfterSeconds: 2 });
    const providers = createProviderSet({ env: simulatorEnv(url) });
    const failed = registry({ providers }).getLlm({ enhanced }).invoke('Hello');
    const details = { status: 429, retryable: true, retryAfterMs: 2000, usage: null, costUsd: null };
    await expect(failed).rejects.toMatchObject({ category: 'rate_limit', details });
  });
});

describe('an enhanced handle', () => {
  const enhanced = (model: string, more = {}): EnhancedLlm => registry().getLlm({ model, enhanced: true, ...more });

  it('knows its model, and what it does not know is null', () => {
    expect(enhanced('anthropic/claude-haiku-5-5').metadata).toMatchObject({
      contextLength: 1_000_000,
      capabilities: ['reasoning', 'function_calling', 'multimodal', 'vision'],
      temperature: null,
      cacheMinimum: 512,
    });
    const unknown = enhanced('compatible/who-knows').metadata;
    expect(unknown).toMatchObject({ contextLength: null, capabilities: null, prices: null, knowledgeCutoff: null });
    expect(enhanced('compatible/who-knows').estimateCost(1000, 1000)).toBeNull();
  });

  it('keeps the parameters that are set, and nothing of a wrong one', async () => {
    const llm = enhanced('openai/gpt-4.1').set({ temperature: 0.5, maxOutputTokens: 4 });
    expect(() => llm.set({ temperature: 0.7, topP: 2 })).toThrow(/topP/);
    expect(llm.parameters).toEqual({ temperature: 0.5, maxOutputTokens: 4 });
    await expect(llm.invoke(RECORD)).rejects.toMatchObject({ category: 'truncated' });
    expect(llm.set({ temperature: undefined }).toJSON()).toMatchObject({ maxOutputTokens: 4, enhanced: true });
    expect(llm.parameters).toEqual({ maxOutputTokens: 4 });
    expect(llm.bindTools([TOOL]).parameters).toEqual({ maxOutputTokens: 4 });
  });

  it.each([
    ['anthropic/claude-haiku-5-5', { temperature: 0.5 }, /takes no temperature/],
    ['anthropic/claude-unheard-of', { temperature: 0.5 }, /is not known to take temperature/],
    ['anthropic/claude-sonnet-4-6', { temperature: 1.5 }, /from 0 to 1/],
    ['openai/gpt-4.1', { topK: 5 }, /takes no topK/],
    ['openai/gpt-4.1', { maxOutputTokens: 32_769 }, /from 1 to 32768/],
  ])('of %s refuses %j', (model, parameters, message) => {
    expect(() => enhanced(model).set(parameters)).toThrow(message);
  });

  it('estimates a cost with the tier the prompt falls into', () => {
    const llm = enhanced('anthropic/claude-haiku-5-5');
    expect(llm.estimateCost(100_000, 1000)).toBeCloseTo(0.0105, 9);
    expect(llm.estimateCost(100_001, 1000)).toBeCloseTo(0.0525005, 9);
    expect(llm.estimateCost('x'.repeat(4000), 0)).toBeCloseTo(0.0001, 9);
  });

  it('warns above its share of the context', async () => {
    const models = { 'ollama/small': { contextTokens: 100 } };
    const providers = createProviderSet({ env: simulatorEnv(simulator.url), models });
    const said: string[] = [];
    const onWarning = (message: string) => said.push(message);
    const llm = registry({ providers }).getLlm({ model: 'ollama/small', enhanced: true, onWarning });
    await llm.invoke('x'.repeat(320));
    expect(said).toEqual([]);
    await llm.invoke('x'.repeat(328));
    expect(said).toEqual([containing('takes 82 % of the context of ollama/small')]);
    expect(llm.contextUse('x'.repeat(328))).toMatchObject({ over: true });
    expect(() => enhanced('ollama/small', { contextBudget: 2 })).toThrow(/share of the context/);
  });
});
