import { estimateTokens, markedBlocks, planCache, staticTurns, withoutMarks } from '../../src/caching/breakpoints.js';
import { worthCounting } from '../../src/caching/decision.js';
import { OPTIMIZATION_DEFAULTS } from '../../src/task/optimization.js';

const config = { ...OPTIMIZATION_DEFAULTS.cache, enabled: true };
const unknown = { minCacheTokens: null, prices: null };
const base = {
  config,
  info: unknown,
  instructions: 'x'.repeat(4096),
  schema: undefined,
  messages: [{ role: 'user' as const, content: 'the record' }],
  params: {},
  staticTurns: 0,
  prompts: 10,
};
const SHOT = [
  { role: 'user' as const, content: 'An example' },
  { role: 'assistant' as const, content: '{"a":1}' },
];

test('four characters are about a token', () => {
  expect(['', 'Hello, world!'].map(estimateTokens)).toEqual([0, 4]);
});

test('the end of the instructions is a breakpoint when they reach the minimum', () => {
  expect(planCache(base).marks).toMatchObject({ life: '5m', system: true, turns: 0 });
  expect(planCache({ ...base, instructions: 'x'.repeat(4092) }).marks).toBeUndefined();
  expect(planCache({ ...base, config: { ...config, enabled: false } }).marks).toBeUndefined();
  expect(planCache({ ...base, instructions: undefined }).marks).toBeUndefined();
  expect(planCache({ ...base, prompts: 1 }).marks).toBeUndefined();
});

test('schema, tools and shared turns count to the prefix; the record never does', () => {
  const short = { ...base, instructions: 'short' };
  expect(planCache({ ...short, messages: [{ role: 'user', content: 'y'.repeat(9999) }] }).marks).toBeUndefined();
  expect(planCache({ ...short, schema: { description: 'y'.repeat(4096) } }).marks).toBeDefined();
  expect(planCache({ ...short, params: { tools: [{ name: 'y'.repeat(4096) }] } }).marks).toBeDefined();
  const shots = [{ role: 'user' as const, content: 'y'.repeat(4096) }, ...base.messages];
  expect(planCache({ ...short, messages: shots, staticTurns: 1 }).marks).toMatchObject({ turns: 1 });
});

test('turns before the first one with a place of the record are shared; the last is never', () => {
  const record = { role: 'user' as const, content: 'Mail: {{text}}' };
  expect(staticTurns({ messages: [...SHOT, record] })).toBe(2);
  expect(staticTurns({ messages: [record, ...SHOT, record] })).toBe(0);
  expect(staticTurns({ messages: SHOT.slice(0, 1) })).toBe(0);
  expect(staticTurns({})).toBe(0);
});

test('a longer life is taken from the configured seconds; marked definitions have their own', () => {
  expect(planCache({ ...base, config: { ...config, defaultTtlSeconds: 3600 } }).marks?.life).toBe('1h');
  const messages = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Definitions', cache: true }] }];
  expect(markedBlocks(messages)).toEqual([[0]]);
  expect(planCache({ ...base, messages }).marks).toMatchObject({ life: '1h', system: true });
  const onlyMarked = { ...config, autoDetectCacheable: false };
  expect(planCache({ ...base, messages, config: onlyMarked }).marks).toMatchObject({ system: false, turns: 0 });
  expect(planCache({ ...base, config: onlyMarked }).marks).toBeUndefined();
});

test('equal prefixes have one key, whatever the record', () => {
  const other = { ...base, messages: [{ role: 'user' as const, content: 'another record' }] };
  expect(planCache(other).marks?.key).toBe(planCache(base).marks?.key);
  expect(planCache({ ...base, instructions: 'z'.repeat(4096) }).marks?.key).not.toBe(planCache(base).marks?.key);
});

test('the key may go by fewer turns than the prefix has: it then stays while these grow', () => {
  const key = (turns: number, keyTurns?: number) => {
    const messages = [...SHOT, ...SHOT, ...base.messages];
    return planCache({ ...base, messages, staticTurns: turns, ...(keyTurns === undefined ? {} : { keyTurns }) }).marks;
  };
  expect(key(2)?.key).not.toBe(key(4)?.key);
  expect(key(4, 0)).toEqual({ ...key(2, 0), turns: 4 });
  expect(key(4, 0)?.key).toBe(planCache(base).marks?.key);
  expect(key(4, 1)?.key).not.toBe(key(4, 0)?.key);
});

test("a provider's count holds for the prefix it was made of, and for no other", () => {
  const { prefix } = planCache(base);
  const counted = { prefix, tokens: 900 };
  expect(planCache({ ...base, counted })).toMatchObject({ marks: undefined, decision: { prefixTokens: 900 } });
  const other = planCache({ ...base, instructions: 'z'.repeat(4096), counted });
  expect(other).toMatchObject({ decision: { prefixTokens: 1024, cache: true } });
});

test('an endpoint that is not known to cache gets no marks, and the decision says why', () => {
  expect(planCache({ ...base, supported: false })).toMatchObject({
    marks: undefined,
    decision: { cache: false, reason: 'not_supported' },
  });
  const config = { ...base.config, enabled: false };
  expect(planCache({ ...base, config, supported: false }).decision.reason).toBe('off');
});

test('a prefix that nothing of can be marked is not cached, and the decision says so where it would have paid', () => {
  const bare = { ...base, instructions: undefined, schema: { description: 'y'.repeat(4096) }, cachesBare: () => false };
  expect(planCache(bare)).toMatchObject({ marks: undefined, decision: { cache: false, reason: 'no_place' } });
  expect(planCache({ ...bare, cachesBare: () => true }).marks).toBeDefined();
  expect(planCache({ ...bare, instructions: 'Sort.' }).marks).toBeDefined();
  expect(planCache({ ...bare, messages: [...SHOT, ...base.messages], staticTurns: 2 }).marks).toBeDefined();
  expect(planCache({ ...bare, schema: { description: 'y' } }).decision.reason).toBe('too_short');
  expect(worthCounting(planCache(bare).decision)).toBe(false);
});

test('turns without marks are the same turns', () => {
  const content = [
    { type: 'text' as const, text: 'Definitions', cache: true },
    { type: 'image' as const, url: 'https://example.com/a.png' },
  ];
  const messages = [...SHOT, { role: 'user' as const, content }];
  const plain = withoutMarks(messages);
  expect(markedBlocks(plain).flat()).toEqual([]);
  expect(plain.slice(0, 2)).toEqual(SHOT);
  expect(plain[2]?.content).toEqual([{ type: 'text', text: 'Definitions' }, content[1]]);
});

test('the prefix ends with the last block the task marks: what follows in its turn is not counted', () => {
  const part = (text: string, cache?: true) => ({ type: 'text' as const, text, ...(cache ? { cache } : {}) });
  const turn = (record: string) => [{ role: 'user' as const, content: [part('Definitions', true), part(record)] }];
  const [one, two] = ['a'.repeat(4000), 'b'].map((record) => planCache({ ...base, messages: turn(record) }));
  expect(one?.prefix).toBe(two?.prefix);
  expect(one?.decision.prefixTokens).toBe(two?.decision.prefixTokens);
  expect(one?.turns).toEqual([{ role: 'user', content: [part('Definitions', true)] }]);
});

test('an image counts as a picture, not by its bytes', () => {
  const image = { type: 'image' as const, url: `data:image/png;base64,${'A'.repeat(1_000_000)}` };
  const messages = [{ role: 'user' as const, content: [image] }, ...base.messages];
  const { decision } = planCache({ ...base, messages, staticTurns: 1 });
  expect(decision.prefixTokens).toBe(1024 + 1500);
});
