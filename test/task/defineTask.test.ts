import { z } from 'zod';
import { type AnyTask, defineTask, isTask, type TaskOptions } from '../../src/task/defineTask.js';
import { TemperedError } from '../../src/task/errors.js';

interface Ticket {
  readonly text: string;
}

const base = { name: 'tickets', model: 'compatible/m', prompt: '{{text}}' } as const;

function refused(options: object): string {
  try {
    Reflect.apply(defineTask, undefined, [options]);
  } catch (error) {
    if (error instanceof TemperedError && error.category === 'input') return error.message;
    throw error;
  }
  throw new Error('it was taken');
}

describe('defineTask', () => {
  it('fills in the defaults', () => {
    expect(defineTask(base).spec).toEqual({
      ...base,
      maxOutputTokens: 1024,
      params: {},
      maxPrompts: 5,
      stages: [
        { kind: 'full', temperature: 0 },
        { kind: 'partial', temperature: 0 },
        { kind: 'full', temperature: 0.25 },
        { kind: 'partial', temperature: 0.25 },
      ],
      promptTimeoutMs: 120_000,
      retryRefusals: false,
      includeMetadata: false,
      cache: { enabled: true },
      limits: {},
      functions: [],
    });
  });

  it('infers records and answers from functions and schema, and is a task like any other', () => {
    const task = defineTask({
      name: 'tickets',
      model: 'compatible/m',
      prompt: (ticket: Ticket) => ticket.text.toUpperCase(),
      schema: z.object({ category: z.enum(['bug', 'billing']), at: z.string().transform((text) => text.length) }),
      validate: (answer, ticket) => {
        const category: 'bug' | 'billing' = answer.category;
        const length: number = answer.at;
        return ticket.text.includes(category) && length > 0 ? [] : [{ path: ['category'], message: 'made up' }];
      },
      before: (ticket) => (ticket.text === '' ? { answer: { category: 'bug' as const, at: 1 } } : undefined),
      postProcess: (outcome) => (outcome.status === 'failed' ? { review: 'look' } : undefined),
    });
    const any: AnyTask = task;
    expect(isTask(any)).toBe(true);
    expect(isTask({ ...task })).toBe(false);
    expect(any.spec.functions).toEqual(['validate', 'postProcess']);
    expect(any.spec.rendersInCode).toBe(true);
    expect(any.spec.prompt).toBeUndefined();
    expect(any.functions.validate?.({ category: 'bug', at: 3 }, { text: 'a bug' })).toEqual([]);
    expect(any.load.prompt?.({ text: 'hi' }, { prepared: null })).toBe('HI');
    expect(any.load.before?.({ text: '' })).toEqual({ answer: { category: 'bug', at: 1 } });
  });

  it('leaves undefined options out', () => {
    const options: object = { ...base, instructions: undefined, validate: undefined };
    expect(Reflect.apply(defineTask, undefined, [options])).toMatchObject({ spec: defineTask(base).spec });
  });

  it('writes the schema for models: strict, and as they must answer', () => {
    const { spec } = defineTask({
      ...base,
      schema: z.object({
        day: z.iso.date().describe('the day'),
        open: z.looseObject({ a: z.string() }),
        both: z.intersection(z.object({ p: z.string() }), z.object({ q: z.string() })),
        size: z.string().transform(Number),
        note: z.string().optional(),
      }),
    });
    expect(spec.schema).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['day', 'open', 'both', 'size'],
      properties: { day: { type: 'string', description: 'the day' }, size: { type: 'string' } },
    });
    expect(spec.schema).not.toHaveProperty('$schema');
    expect(JSON.stringify(spec.schema)).toContain(
      '"open":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":{}}',
    );
  });

  it.each<[string, z.ZodType, boolean]>([
    [
      'plain types',
      z.object({ a: z.string().min(2).max(5), b: z.email(), c: z.array(z.int()), d: z.iso.date() }),
      false,
    ],
    ['a refinement', z.object({ a: z.string().refine((text) => text !== 'x') }), true],
    ['a superRefine', z.object({ a: z.string() }).superRefine(() => undefined), true],
    ['a transform', z.object({ a: z.string().transform(Number) }), true],
    ['trim', z.object({ a: z.string().trim() }), true],
    ['a default', z.object({ a: z.string().default('x') }), true],
    ['a coercion', z.object({ a: z.coerce.number() }), true],
    ['a pattern with flags', z.object({ a: z.string().regex(/a/i) }), true],
    ['a pattern', z.object({ a: z.string().regex(/a/u) }), false],
    ['a refinement behind lazy', z.object({ a: z.lazy(() => z.string().refine(() => true)) }), true],
    ['a catch', z.object({ a: z.union([z.string(), z.number().catch(1)]) }), true],
  ])('has workers load the module for what JSON Schema can not say: %s', (_, schema, needed) => {
    expect(defineTask({ ...base, schema }).spec.functions).toEqual(needed ? ['validate'] : []);
  });

  it.each<[string, object, RegExp]>([
    ['a fallback on the same endpoint', { ...base, fallbackModel: 'compatible/n' }, /fallbackModel .* of another one/],
    ['an unknown option', { ...base, promt: 'x' }, /unknown setting "promt" Did you mean prompt/],
    ['an unknown inner option', { ...base, limits: { rmp: 1 } }, /"limits.rmp" Did you mean rpm/],
    ['an unknown option of a stage', { ...base, stages: [{ kind: 'full', temprature: 0 }] }, /stages.0.temprature/],
    ['a model without provider', { ...base, model: 'gpt' }, /model: a model is written provider\/model/],
    ['a name with spaces', { ...base, name: 'My Task' }, /name: a name has/],
    ['no prompt', { name: 't', model: 'a/b' }, /either a prompt or messages/],
    ['prompt and messages', { ...base, messages: [{ role: 'user', content: 'x' }] }, /either a prompt or messages/],
    [
      'turns that end with the assistant',
      { name: 't', model: 'a/b', messages: [{ role: 'assistant', content: 'x' }] },
      /last turn is the user/,
    ],
    [
      'a turn that is none',
      { name: 't', model: 'a/b', messages: [{ role: 'user', content: 1 }] },
      /neither a text nor a list/,
    ],
    [
      'an unknown key of a turn',
      { name: 't', model: 'a/b', messages: [{ role: 'user', content: 'x', rol: 1 }] },
      /messages.0.rol" Did you mean role/,
    ],
    ['a place that is not closed', { ...base, prompt: 'Hi {{name}' }, /not closed/],
    [
      'a place in a message',
      { name: 't', model: 'a/b', messages: [{ role: 'user', content: [{ type: 'image', url: '{{}}' }] }] },
      /A message has a place/,
    ],
    ['too many prompts', { ...base, maxPrompts: 21 }, /maxPrompts/],
    ['a ladder that starts partial', { ...base, stages: [{ kind: 'partial' }] }, /first stage is full/],
    [
      'both ways to say caching',
      { ...base, cache: { enabled: true }, optimization: { cache: { enabled: true } } },
      /same setting/,
    ],
    ['a function that is none', { ...base, validate: 'x' }, /validate is not a function/],
    ['a schema that is none', { ...base, schema: { type: 'object' } }, /not a zod 4 schema/],
    [
      'a schema JSON has no words for',
      { ...base, schema: z.object({ a: z.date() }) },
      /can't be written as JSON Schema/,
    ],
  ])('refuses %s', (_, options, message) => {
    expect(refused(options)).toMatch(message);
  });
});

describe('identity', () => {
  const hash = (options: Partial<TaskOptions<Ticket, z.ZodType>>) =>
    defineTask<Ticket, z.ZodType>({ ...base, ...options }).hash;

  it('is the same for the same task, however it is written', () => {
    expect(hash({})).toMatch(/^[0-9a-f]{64}$/);
    expect(hash({ params: { a: 1, b: 2 } })).toBe(hash({ params: { b: 2, a: 1 } }));
    expect(hash({ maxPrompts: 5 })).toBe(hash({}));
    expect(hash({ optimization: { cache: { enabled: true } } })).toBe(hash({ cache: { enabled: true } }));
  });

  it("does not change with the account's quotas", () => {
    expect(hash({ limits: { rpm: 10 } })).toBe(hash({}));
  });

  it('changes with all that changes an answer', () => {
    const variants = [
      {},
      { model: 'compatible/n' },
      { instructions: 'x' },
      { prompt: '{{text}}!' },
      { prompt: (ticket: Ticket) => ticket.text },
      { prompt: (ticket: Ticket) => `${ticket.text}!` },
      { params: { topP: 1 } },
      { maxOutputTokens: 9 },
      { maxPrompts: 4 },
      { stages: [{ kind: 'full' as const }] },
      { version: '2' },
      { before: () => undefined },
      { validate: () => [] },
      { validate: () => [{ path: [], message: 'no' }] },
      { execute: async () => Promise.resolve({ text: 'x' }) },
      { schema: z.object({ a: z.string() }) },
      { schema: z.object({ a: z.string().describe('x') }) },
      { schema: z.object({ a: z.string().refine((text) => text.length > 1) }) },
      { schema: z.object({ a: z.string().refine((text) => text.length > 2) }) },
      { schema: z.object({ a: z.string().refine((text) => text.length > 2, 'longer') }) },
      {
        schema: z.object({ a: z.string().refine((text) => text.length > 2, { error: ({ input }) => String(input) }) }),
      },
      { schema: z.object({ a: z.string().transform((text) => text.length) }) },
      { schema: z.object({ a: z.string().regex(/x/) }) },
      { schema: z.object({ a: z.string().regex(/x/i) }) },
      {
        schema: z.object({
          a: z.string().check((payload) => {
            payload.issues.splice(0);
          }),
        }),
      },
    ];
    const hashes = variants.map((variant) => hash(variant));
    expect(new Set(hashes).size).toBe(variants.length);
  });
});
