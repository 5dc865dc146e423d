import { type CacheMarks, planCache } from '../../src/caching/breakpoints.js';
import { createProviderSet } from '../../src/providers/providerSet.js';
import type { ModelRequest } from '../../src/providers/types.js';
import type { JsonObject } from '../../src/task/json.js';
import { OPTIMIZATION_DEFAULTS } from '../../src/task/optimization.js';
import { FOREVER, providerFor, request, Wire } from './wire.js';

const MARKS: CacheMarks = { life: '5m', system: true, turns: 0, key: 'tempered-1' };
const EPHEMERAL = { type: 'ephemeral' };
const HOUR = { type: 'ephemeral', ttl: '1h' };

const wire = new Wire();
beforeAll(() => wire.start());
afterAll(() => wire.stop());

async function sent(provider: string, model: string, changes: Partial<ModelRequest>): Promise<JsonObject> {
  wire.reset();
  wire.reply({ body: {} });
  await providerFor(wire, provider).send(request(model, { cachePrefix: true, cacheMarks: MARKS, ...changes }), FOREVER);
  return wire.sent.body;
}

const EXAMPLE = [
  { role: 'user', content: 'Example' },
  { role: 'assistant', content: 'Answer' },
  { role: 'user', content: 'Record' },
] as const;

describe('anthropic', () => {
  const ask = (changes: Partial<ModelRequest>) => sent('anthropic', 'claude-sonnet-4-6', changes);

  it('marks the end of the instructions and of the shared turns, and never the record', async () => {
    const body = await ask({ messages: EXAMPLE, cacheMarks: { ...MARKS, turns: 2 } });
    expect(body['system']).toEqual([{ type: 'text', text: 'Be brief.', cache_control: EPHEMERAL }]);
    expect(body['messages']).toEqual([
      { role: 'user', content: 'Example' },
      { role: 'assistant', content: [{ type: 'text', text: 'Answer', cache_control: EPHEMERAL }] },
      { role: 'user', content: 'Record' },
    ]);
  });

  it('counts results of tools called together as the one message they stand in', async () => {
    const call = (id: string) => ({ id, name: 'look', arguments: {} });
    const result = (toolCallId: string) => ({ role: 'tool', toolCallId, name: 'look', content: 'seen' }) as const;
    const messages = [
      { role: 'user', content: 'Example' },
      { role: 'assistant', content: '', toolCalls: [call('a'), call('b')] },
      result('a'),
      result('b'),
      { role: 'user', content: [{ type: 'text', text: 'Definitions', cache: true }] },
      { role: 'user', content: 'Record' },
    ] as const;
    const places = async (turns: number) => {
      const list: unknown = (await ask({ messages, cacheMarks: { ...MARKS, turns } }))['messages'];
      return (Array.isArray(list) ? list : []).map((one) => JSON.stringify(one).split('"cache_control"').length - 1);
    };
    expect(await places(0)).toEqual([0, 0, 0, 1, 0]);
    expect(await places(4)).toEqual([0, 0, 1, 1, 0]);
    expect(await places(5)).toEqual([0, 0, 0, 1, 0]);
  });

  it('gives every breakpoint one life, so that a longer never follows a shorter one', async () => {
    const body = await ask({ messages: EXAMPLE, cacheMarks: { ...MARKS, life: '1h', turns: 1 } });
    expect(body['system']).toEqual([{ type: 'text', text: 'Be brief.', cache_control: HOUR }]);
    expect(JSON.stringify(body).split('"ttl":"1h"')).toHaveLength(3);
  });

  it('marks the last tool where there are no instructions', async () => {
    const tools = [{ name: 'a' }, { name: 'b' }];
    const body = await ask({ instructions: undefined, params: { tools } });
    expect(body['tools']).toEqual([{ name: 'a' }, { name: 'b', cache_control: EPHEMERAL }]);
    expect(body['system']).toBeUndefined();
  });

  it('sends four breakpoints at most, the last ones, and counts those of the task itself', async () => {
    const part = (text: string) => ({ type: 'text', text, cache: true }) as const;
    const messages = [{ role: 'user', content: ['a', 'b', 'c', 'd', 'e'].map(part) }] as const;
    const marks = (body: JsonObject) => JSON.stringify(body).split('"cache_control"').length - 1;
    const body = await ask({ messages });
    expect(marks(body)).toBe(4);
    expect(JSON.stringify(body)).not.toContain('"cache":true');
    expect(JSON.stringify(body['system'])).not.toContain('cache_control');
    const tools = [{ name: 'a', cache_control: EPHEMERAL }];
    const shared = await ask({ messages, params: { tools }, cacheMarks: { ...MARKS, life: '1h' } });
    expect(marks(shared)).toBe(4);
    expect(JSON.stringify(shared)).not.toContain('"ttl"');
  });

  it('leaves a block that can carry none, and a task that marks its own request, alone', async () => {
    const messages = [{ role: 'user', content: [{ type: 'text', text: '', cache: true }] }] as const;
    expect(JSON.stringify((await ask({ messages }))['messages'])).not.toContain('cache_control');
    const body = await ask({ params: { cache_control: EPHEMERAL } });
    expect(body['cache_control']).toEqual(EPHEMERAL);
    expect(body['system']).toEqual([{ type: 'text', text: 'Be brief.' }]);
  });
});

describe('openai', () => {
  it('names the prefix, and from GPT-5.6 on tells its end and keeps the record out of the cache', async () => {
    expect(await sent('openai', 'gpt-4.1', {})).toMatchObject({ prompt_cache_key: 'tempered-1' });
    expect(await sent('openai', 'gpt-4.1', {})).not.toHaveProperty('prompt_cache_options');
    const body = await sent('openai', 'gpt-5.6-luna', { messages: EXAMPLE, cacheMarks: { ...MARKS, turns: 2 } });
    const end = { prompt_cache_breakpoint: { mode: 'explicit' } };
    expect(body['prompt_cache_options']).toEqual({ mode: 'explicit', ttl: '30m' });
    expect(body['messages']).toEqual([
      { role: 'system', content: [{ type: 'text', text: 'Be brief.', ...end }] },
      { role: 'user', content: 'Example' },
      { role: 'assistant', content: [{ type: 'text', text: 'Answer', ...end }] },
      { role: 'user', content: 'Record' },
    ]);
  });

  it('sends four breakpoints at most, the last ones', async () => {
    const content = ['a', 'b', 'c', 'd', 'e'].map((text) => ({ type: 'text', text, cache: true }) as const);
    const messages = [{ role: 'user', content }, EXAMPLE[1], EXAMPLE[2]] as const;
    const body = await sent('openai', 'gpt-5.6-luna', { messages, cacheMarks: { ...MARKS, turns: 2 } });
    const end = { prompt_cache_breakpoint: { mode: 'explicit' } };
    expect(body['messages']).toEqual([
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: content.map(({ type, text }, i) => ({ type, text, ...(i < 2 ? {} : end) })),
      },
      { role: 'assistant', content: [{ type: 'text', text: 'Answer', ...end }] },
      { role: 'user', content: 'Record' },
    ]);
  });

  it('sends nothing of it when nothing is cached, or to servers that are not OpenAI', async () => {
    expect(JSON.stringify(await sent('openai', 'gpt-5.6-luna', { cachePrefix: false }))).not.toContain('prompt_cache');
    expect(JSON.stringify(await sent('lmstudio', 'gpt-5.6-luna', {}))).not.toContain('prompt_cache');
  });
});

describe('gemini', () => {
  it('sends the prefix first and unmarked: its cache goes by that', async () => {
    const body = await sent('gemini', 'gemini-3.8-flash', {});
    expect(JSON.stringify(body)).not.toContain('cache');
    expect(body['systemInstruction']).toMatchObject({ parts: [{ text: 'Be brief.' }] });
  });
});

describe('a prefix of schema or tools alone', () => {
  const long = 'y'.repeat(9000);
  const schema: JsonObject = {
    type: 'object',
    properties: { a: { type: 'string', description: long } },
    required: ['a'],
    additionalProperties: false,
  };
  const tools = [{ name: 'a', description: long }];
  const set = createProviderSet({
    env: {},
    endpoints: { proxy: { kind: 'anthropic', baseUrl: 'http://127.0.0.1:1' } },
  });
  const config = { ...OPTIMIZATION_DEFAULTS.cache, enabled: true };

  /** The decision about a request without instructions, and the body it comes to. */
  async function planned(provider: string, model: string, begin: Pick<ModelRequest, 'schema' | 'params'>) {
    const ref = { provider, model };
    const { decision, marks } = planCache({
      ...begin,
      config,
      info: set.modelInfo(ref, new Date()),
      instructions: undefined,
      messages: [{ role: 'user', content: 'Record' }],
      staticTurns: 0,
      prompts: 1000,
      supported: set.cachesPrompts(provider),
      cachesBare: (bare) => set.cachesBare(ref, bare),
    });
    const marked = { cachePrefix: marks !== undefined, cacheMarks: marks };
    const body = await sent(provider, model, { ...begin, instructions: undefined, ...marked });
    return { reason: decision.reason, sent: JSON.stringify(body) };
  }

  it.each([
    ['anthropic', 'claude-sonnet-4-6'],
    ['openai', 'gpt-5.6-luna'],
  ])('of a schema is not cached where nothing can be marked: %s/%s', async (provider, model) => {
    const plan = await planned(provider, model, { schema, params: {} });
    expect(plan.reason).toBe('no_place');
    expect(plan.sent).not.toMatch(/cache_control|prompt_cache/);
  });

  it('of a schema that is asked for in words is marked there', async () => {
    const recursive: JsonObject = {
      ...schema,
      properties: { a: { type: 'array', items: { $ref: '#' }, description: long } },
    };
    const claude = await planned('anthropic', 'claude-sonnet-4-6', { schema: recursive, params: {} });
    expect(claude).toEqual({ reason: 'pays', sent: expect.stringContaining('"cache_control"') });
    const list = { schema: { type: 'array', items: schema }, params: {} };
    const gpt = await planned('openai', 'gpt-5.6-luna', list);
    expect(gpt).toEqual({ reason: 'pays', sent: expect.stringContaining('"prompt_cache_breakpoint"') });
  });

  it('of tools is marked by Anthropic, and not by OpenAI', async () => {
    const begin = { schema: undefined, params: { tools } };
    const claude = await planned('anthropic', 'claude-sonnet-4-6', begin);
    expect(claude).toEqual({ reason: 'pays', sent: expect.stringContaining('"cache_control"') });
    expect((await planned('openai', 'gpt-5.6-luna', begin)).reason).toBe('no_place');
    expect(set.cachesBare({ provider: 'proxy', model: 'claude-sonnet-4-6' }, { schema, tools: false })).toBe(false);
  });

  it('needs no mark where the cache goes by the prefix itself', async () => {
    const gpt = await planned('openai', 'gpt-4.1', { schema, params: {} });
    expect(gpt).toEqual({ reason: 'pays', sent: expect.stringContaining('"prompt_cache_key"') });
    expect((await planned('gemini', 'gemini-2.5-flash', { schema, params: {} })).reason).toBe('pays');
  });

  it('leaves the implicit cache of OpenAI on where nothing carries a breakpoint', async () => {
    const body = await sent('openai', 'gpt-5.6-luna', { instructions: undefined, schema });
    expect(body).toHaveProperty('prompt_cache_key');
    expect(body).not.toHaveProperty('prompt_cache_options');
  });
});
