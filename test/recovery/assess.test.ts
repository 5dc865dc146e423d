import { z } from 'zod';
import { assessAnswer, type Assessment } from '../../src/recovery/assess.js';
import { partialHelps } from '../../src/recovery/kept.js';
import { stageRequest, type StageRequest } from '../../src/recovery/request.js';
import type { Validation } from '../../src/recovery/types.js';
import { compileValidator } from '../../src/recovery/validators.js';
import { type AnyTask, defineTask } from '../../src/task/defineTask.js';
import { isJsonObject, type Json, type JsonObject } from '../../src/task/json.js';
import type { Issue } from '../../src/task/outcome.js';
import type { Stage } from '../../src/task/spec.js';

const order = defineTask({
  name: 'orders',
  model: 'compatible/m',
  instructions: 'You read orders.',
  prompt: '{{text}}',
  schema: z.object({
    customer: z.object({ name: z.string(), mail: z.email() }),
    items: z.array(z.object({ sku: z.string(), price: z.number().nullable() })),
    note: z.string().optional(),
    total: z.number(),
  }),
});

const whole = {
  customer: { name: 'Ada', mail: 'ada@example.com' },
  items: [
    { sku: 'a', price: 1 },
    { sku: 'b', price: null },
    { sku: 'c', price: 3 },
  ],
  total: 4,
};

const FULL: Stage = { kind: 'full', temperature: 0 };
const PARTIAL: Stage = { kind: 'partial', temperature: 0 };

type Invalid = Extract<Assessment, { kind: 'invalid' }>;

function ask(task: AnyTask, stage: Stage, state?: Invalid, reworded = false): StageRequest {
  const rendered = { messages: [{ role: 'user', content: 'the order' } as const] };
  const { kept = null, issues = [] } = state ?? {};
  return stageRequest({ spec: task.spec, stage, rendered, kept, issues, reworded });
}

async function judge(
  task: AnyTask,
  answer: Json,
  state?: Invalid,
  meaning: (output: Json) => readonly Issue[] | Promise<readonly Issue[]> = () => [],
): Promise<Assessment> {
  const shape = compileValidator({ schema: task.spec.schema, zod: task.schema });
  const validate = async (value: Json): Promise<Validation> => {
    const verdict = shape(value);
    if (!verdict.ok) return verdict;
    const issues = await meaning(verdict.output);
    return issues.length === 0 ? verdict : { ok: false, issues };
  };
  return assessAnswer({
    text: typeof answer === 'string' ? answer : JSON.stringify(answer),
    kind: state === undefined ? 'full' : 'partial',
    schema: task.spec.schema,
    kept: state?.kept ?? null,
    issues: state?.issues ?? [],
    validate,
  });
}

async function invalid(task: AnyTask, answer: Json, state?: Invalid): Promise<Invalid> {
  const verdict = await judge(task, answer, state);
  if (verdict.kind === 'valid') throw new Error('it is valid');
  return verdict;
}

function propertiesOf(schema: JsonObject | undefined): Json | undefined {
  return isJsonObject(schema) ? schema['properties'] : undefined;
}

describe('a partial course', () => {
  const first = {
    customer: { name: 'Ada', mail: 'nobody' },
    items: [{ sku: 'a', price: 1 }, { sku: 'b' }, { sku: 3, price: 3 }],
    total: 4,
  };

  it('keeps what is valid and names what is not', async () => {
    const state = await invalid(order, first);
    expect(state.kept).toEqual({
      customer: { name: 'Ada' },
      items: [{ sku: 'a', price: 1 }, { sku: 'b' }, { price: 3 }],
      total: 4,
    });
    expect(state.issues.map(({ path }) => path)).toEqual([
      ['customer', 'mail'],
      ['items', 1, 'price'],
      ['items', 2, 'sku'],
    ]);
  });

  it('asks for the failed parts alone, with kept values and issues in words', async () => {
    const request = ask(order, PARTIAL, await invalid(order, first));
    expect(request.kind).toBe('partial');
    expect(request.instructions).toBe('You read orders.');
    expect(propertiesOf(request.schema)).toMatchObject({
      customer: { required: ['mail'], additionalProperties: false },
      items: { required: ['1', '2'], properties: { '1': { required: ['price'] }, '2': { required: ['sku'] } } },
    });
    const [message] = request.messages;
    expect(message?.content).toMatch(/^the order\n\nAn earlier answer/);
    expect(message?.content).toContain('{"customer":{"name":"Ada"}');
    expect(message?.content).toContain('- customer.mail: Invalid email address');
    expect(message?.content).toContain('only these parts, corrected: customer.mail, items[1].price, items[2].sku.');
    expect(message?.content).toContain('positions as keys');
  });

  it('is valid once the parts are there, whatever else the model sends', async () => {
    const state = await invalid(order, first);
    const patch = {
      customer: { name: 'Eve', mail: 'ada@example.com' },
      items: { '1': { price: null }, '2': { sku: 'c' } },
      total: 99,
    };
    expect(await judge(order, patch, state)).toEqual({ kind: 'valid', output: whole });
  });

  it('takes the parts out of a whole answer, too', async () => {
    expect(await judge(order, whole, await invalid(order, first))).toEqual({ kind: 'valid', output: whole });
  });

  it('keeps every part that has become valid', async () => {
    const state = await invalid(order, { customer: { mail: 'ada@example.com' } }, await invalid(order, first));
    expect(state.kept).toMatchObject({ customer: whole.customer });
    expect(state.issues.map(({ path }) => path.join('.'))).toEqual(['items.1.price', 'items.2.sku']);
    expect(ask(order, PARTIAL, state).kind).toBe('partial');
  });

  it('keeps all there was when the answer is no JSON', async () => {
    const before = await invalid(order, first);
    const state = await invalid(order, 'I am sorry.', before);
    expect(state.kept).toEqual(before.kept);
    expect(state.issues).toEqual([
      { path: [], message: 'There is no JSON in the answer.', code: 'not_json' },
      ...before.issues,
    ]);
    expect(partialHelps({ ...state, keptRef: null })).toBe(true);
    const again = await invalid(order, '{"customer"', state);
    expect(again.issues[0]).toMatchObject({ code: 'not_json', message: 'The JSON breaks off before its end.' });
    expect(again.issues).toHaveLength(state.issues.length);
  });

  it('keeps all there was when the whole makes no sense, and asks for the whole next', async () => {
    const before = await invalid(order, first);
    const patch = { customer: { mail: 'ada@example.com' }, items: { '1': { price: null }, '2': { sku: 'c' } } };
    const verdict = await judge(order, patch, before, () => [
      { path: [], message: 'the sum is wrong', code: 'custom' },
    ]);
    if (verdict.kind === 'valid') throw new Error('it is valid');
    expect(verdict.kept).toEqual(before.kept);
    expect(verdict.issues[0]).toMatchObject({ path: [], message: 'the sum is wrong' });
    expect(partialHelps({ ...verdict, keptRef: null })).toBe(false);
  });

  it('does not take a gap in an array for a null', async () => {
    const task = defineTask({
      name: 't',
      model: 'compatible/m',
      prompt: 'x',
      schema: z.object({ list: z.array(z.string().nullable()), other: z.string() }),
    });
    const before = await invalid(task, { list: ['a', 1, null], other: 'x' });
    expect(before.kept).toEqual({ list: ['a', null, null], other: 'x' });
    const state = await invalid(task, {}, before);
    expect(state.issues).toEqual([{ path: ['list', 1], message: 'is missing', code: 'required' }]);
    expect(await judge(task, { list: { '1': null } }, state)).toEqual({
      kind: 'valid',
      output: { list: ['a', null, null], other: 'x' },
    });
  });

  it('asks again for what the task itself calls wrong', async () => {
    const wrong = [{ path: ['total'], message: 'is not the sum', code: 'custom' }];
    const verdict = await judge(order, whole, undefined, async () => Promise.resolve(wrong));
    if (verdict.kind === 'valid') throw new Error('it is valid');
    expect(verdict).toMatchObject({ issues: wrong, kept: { customer: whole.customer } });
    expect(propertiesOf(ask(order, PARTIAL, verdict).schema)).toEqual({ total: { type: 'number' } });
    expect(await judge(order, { total: 5 }, verdict)).toEqual({ kind: 'valid', output: { ...whole, total: 5 } });
  });
});

describe('a full answer', () => {
  it('is valid without the keys that nobody asked for', async () => {
    const file: AnyTask = { ...order, schema: undefined };
    expect(await judge(file, { ...whole, thoughts: 'hm' })).toEqual({ kind: 'valid', output: whole });
    const state = await invalid(file, { ...whole, thoughts: 'hm', total: 'x' });
    expect(state.kept).not.toHaveProperty('thoughts');
    expect(propertiesOf(ask(file, PARTIAL, state).schema)).toEqual({ total: { type: 'number' } });
    const custom = await judge(file, { ...whole, thoughts: 'hm' }, undefined, () => [
      { path: ['total'], message: 'no', code: 'custom' },
    ]);
    expect(custom).toMatchObject({ kind: 'invalid', issues: [{ path: ['total'] }] });
  });

  it('has nothing to keep when it is no JSON, no object, or all wrong', async () => {
    expect(await invalid(order, 'no')).toMatchObject({ kept: null, issues: [{ code: 'not_json' }] });
    expect(await invalid(order, [1])).toMatchObject({ kept: null, issues: [{ path: [] }] });
    expect(await invalid(order, { total: 'x' })).toMatchObject({ kept: null });
  });

  it('is asked for word by word as before, unless it is reworded', async () => {
    const state = await invalid(order, { ...whole, total: 'x' });
    expect(ask(order, FULL, state)).toEqual(ask(order, FULL));
    expect(ask(order, FULL)).toMatchObject({
      kind: 'full',
      schema: order.spec.schema,
      messages: [{ content: 'the order' }],
    });
    expect(ask(order, FULL, undefined, true).messages[0]?.content).toMatch(
      /^the order\n\nGo through the request once more/,
    );
  });

  it('is asked for on a partial stage that has nothing to complete', () => {
    expect(ask(order, PARTIAL)).toEqual(ask(order, FULL));
  });

  it('gets what a stage adds as a part, where the prompt has parts', async () => {
    const state = await invalid(order, { ...whole, total: 'x' });
    const parts = [{ type: 'image', url: 'https://example.com/a.png' } as const];
    const rendered = { messages: [{ role: 'user', content: parts } as const] };
    const { messages } = stageRequest({ spec: order.spec, stage: PARTIAL, rendered, ...state, reworded: false });
    expect(messages[0]?.content).toMatchObject([parts[0], { type: 'text' }]);
  });

  it('puts many failed parts together, and tells at most twenty', async () => {
    const items = Array.from({ length: 40 }, (_, i) => (i < 30 ? { sku: i, price: 1 } : { sku: 'x', price: 1 }));
    const state = await invalid(order, { ...whole, items });
    expect(state.issues).toHaveLength(1);
    expect(state.issues[0]?.path).toEqual(['items']);
    expect(state.issues[0]?.message.length).toBeLessThanOrEqual(300);
    expect(state.kept).toEqual({ customer: whole.customer, total: 4 });
  });
});

describe('answers that are no objects', () => {
  const task = (schema: z.ZodType): AnyTask => defineTask({ name: 't', model: 'compatible/m', prompt: 'x', schema });

  it('may be scalars, bare or as JSON', async () => {
    expect(await judge(task(z.number()), '42')).toEqual({ kind: 'valid', output: 42 });
    expect(await judge(task(z.enum(['bug', 'billing'])), '"bug"')).toEqual({ kind: 'valid', output: 'bug' });
    expect(await judge(task(z.enum(['bug', 'billing'])), ' bug\n')).toEqual({ kind: 'valid', output: 'bug' });
    expect(await judge(task(z.string()), 'Dear Ada')).toEqual({ kind: 'valid', output: 'Dear Ada' });
    expect(await judge(task(z.number()), 'forty-two')).toMatchObject({ kind: 'invalid', kept: null });
  });

  it('may be lists, which are asked for as a whole', async () => {
    const state = await invalid(task(z.array(z.number())), 'See [1, "x"]');
    expect(state).toMatchObject({ kept: null, issues: [{ path: [1] }] });
    expect(ask(task(z.array(z.number())), PARTIAL, state).kind).toBe('full');
  });

  it('are text where there is no schema', async () => {
    const text = defineTask({ name: 't', model: 'compatible/m', prompt: 'x' });
    expect(await judge(text, ' hello {"a":1}\n')).toEqual({ kind: 'valid', output: 'hello {"a":1}' });
    expect(await judge(text, ' \n')).toMatchObject({ kind: 'invalid', kept: null });
    expect(ask(text, PARTIAL).schema).toBeUndefined();
  });
});
