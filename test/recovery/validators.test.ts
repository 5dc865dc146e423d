import { z } from 'zod';
import { compileValidator } from '../../src/recovery/validators.js';
import type { Json, JsonObject } from '../../src/task/json.js';
import { jsonSchemaOf } from '../../src/task/zodSchema.js';

/** Where and by which code a value fails, by zod and by the JSON Schema made of it. */
function places(schema: z.ZodType, value: Json): { readonly zod: readonly string[]; readonly ajv: readonly string[] } {
  return {
    zod: failing(value, { schema: undefined, zod: schema }),
    ajv: failing(value, { schema: jsonSchemaOf(schema) }),
  };
}

function failing(value: Json, schema: Parameters<typeof compileValidator>[0]): readonly string[] {
  const verdict = compileValidator(schema)(value);
  return verdict.ok ? [] : [...new Set(verdict.issues.map(({ path }) => path.join('.')))].sort();
}

const shape = z.object({ kind: z.literal('shape'), size: z.number(), color: z.enum(['red', 'blue']) });
const person = z.object({ kind: z.literal('person'), name: z.string().min(2) });

describe('issues', () => {
  it.each<[string, z.ZodType, Json, readonly string[]]>([
    ['a missing property', z.object({ a: z.object({ b: z.string() }) }), { a: {} }, ['a.b']],
    [
      'a wrong element',
      z.object({ list: z.array(z.object({ n: z.number() })) }),
      { list: [{ n: 1 }, { n: 'x' }] },
      ['list.1.n'],
    ],
    ['a wrong value of an optional property', z.object({ a: z.string().optional() }), { a: 1 }, ['a']],
    ['a nullable format', z.object({ mail: z.email().nullable() }), { mail: 'nobody' }, ['mail']],
    [
      'the tagged branch of a union',
      z.object({ x: z.union([shape, person]) }),
      { x: { kind: 'person', name: 'A' } },
      ['x.name'],
    ],
    [
      'an enum inside a branch',
      z.object({ x: z.union([shape, person]) }),
      { x: { kind: 'shape', size: 1, color: 'green' } },
      ['x.color'],
    ],
    ['a tag that is none', z.object({ x: z.union([shape, person]) }), { x: { kind: 'dog' } }, ['x']],
    [
      'a branch that is told by its type',
      z.object({ x: z.union([z.array(z.int()), z.object({ n: z.int() })]) }),
      { x: { n: 1.5 } },
      ['x.n'],
    ],
    [
      'a scalar branch that is told by its type',
      z.object({ x: z.union([z.string().min(3), z.number()]) }),
      { x: 'a' },
      ['x'],
    ],
    ['a value of a record', z.object({ r: z.record(z.string(), z.number()) }), { r: { a: 1, b: 'x' } }, ['r.b']],
    [
      'a key of a record, at the record',
      z.object({ r: z.record(z.string().regex(/^[a-z]+$/), z.number()) }),
      { r: { A1: 1 } },
      ['r'],
    ],
    ['an array as a whole', z.object({ list: z.array(z.string()).min(2) }), { list: ['a'] }, ['list']],
    ['the root', z.object({ a: z.string() }), [1], ['']],
    ['an element of a tuple', z.object({ t: z.tuple([z.string(), z.number()]) }), { t: ['a', 'b'] }, ['t.1']],
    [
      'a key that nobody asked for',
      z.object({ s: z.strictObject({ a: z.string() }) }),
      { s: { a: 'x', b: 1 } },
      ['s.b'],
    ],
    ['a recursive schema', tree(), { v: 1, next: { v: 1, next: { v: 'x', next: null } } }, ['next.next.v']],
  ])('name %s alike from zod and JSON Schema', (_, schema, value, expected) => {
    expect(places(schema, value)).toEqual({ zod: expected, ajv: expected });
  });

  function tree(): z.ZodType {
    const node = z.object({
      v: z.number(),
      get next() {
        return z.nullable(node);
      },
    });
    return node;
  }

  it('say in words what is wrong', () => {
    const schema = z.object({
      category: z.enum(['bug', 'billing']),
      age: z.int(),
      mail: z.email().nullable(),
      x: z.union([shape, person]),
    });
    const value = { category: 'other', mail: 'nobody', x: 3 };
    const said = (facts: Parameters<typeof compileValidator>[0]) => {
      const verdict = compileValidator(facts)(value);
      return verdict.ok ? {} : Object.fromEntries(verdict.issues.map(({ path, message }) => [path.join('.'), message]));
    };
    expect(said({ schema: jsonSchemaOf(schema) })).toEqual({
      category: 'must be one of "bug", "billing"',
      age: 'is missing',
      mail: 'must match format "email"',
      x: 'fits none of the allowed forms: must be object',
    });
    expect(said({ schema: undefined, zod: schema })).toEqual({
      category: 'expected one of "bug"|"billing"',
      age: 'is missing: expected number',
      mail: 'Invalid email address',
      x: 'fits none of the allowed forms: expected object, received number',
    });
  });

  it('come from a refinement with its path', () => {
    const schema = z
      .object({ from: z.number(), to: z.number() })
      .refine(({ from, to }) => from <= to, { path: ['to'], message: 'must not be before from' });
    const verdict = compileValidator({ schema: undefined, zod: schema })({ from: 2, to: 1 });
    expect(verdict).toEqual({
      ok: false,
      issues: [{ path: ['to'], message: 'must not be before from', code: 'custom' }],
    });
  });
});

describe('compileValidator', () => {
  it('gives what the zod schema makes of the answer', () => {
    const schema = z.object({ name: z.string().trim(), at: z.string().transform((text) => new Date(text)) });
    const verdict = compileValidator({ schema: undefined, zod: schema })({ name: ' Ada ', at: '2026-01-01', extra: 1 });
    expect(verdict).toEqual({ ok: true, output: { name: 'Ada', at: '2026-01-01T00:00:00.000Z' } });
  });

  it('refuses a schema whose output is not JSON, or that is asynchronous', () => {
    const map = z.object({ a: z.string().transform((text) => new Map([[text, 1]])) });
    expect(() => compileValidator({ schema: undefined, zod: map })({ a: 'x' })).toThrow(/not JSON: a Map at a/);
    const later = z.object({ a: z.string().refine(async () => Promise.resolve(true)) });
    expect(() => compileValidator({ schema: undefined, zod: later })({ a: 'x' })).toThrow(/asynchronous/);
    const broken = z.string().refine(() => {
      throw new RangeError('own bug');
    });
    expect(() => compileValidator({ schema: undefined, zod: broken })('x')).toThrow(RangeError);
  });

  it('takes any text that is not blank where there is no schema', () => {
    const check = compileValidator({ schema: undefined });
    expect(check('hello')).toEqual({ ok: true, output: 'hello' });
    expect(check(' \n')).toMatchObject({ ok: false });
    expect(check({})).toMatchObject({ ok: false });
  });

  it.each<[string, JsonObject, Json, readonly string[]]>([
    [
      'draft-07 tuples',
      { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }], additionalItems: false },
      [1],
      ['0'],
    ],
    ['2020-12 tuples', { prefixItems: [{ type: 'string' }], items: false }, [1], ['0']],
    ['dependent keys', { properties: { a: {}, b: {} }, dependentRequired: { a: ['b'] } }, { a: 1 }, ['b']],
    ['unevaluated keys', { allOf: [{ properties: { a: {} } }], unevaluatedProperties: false }, { a: 1, b: 2 }, ['b']],
    ['if and then', { if: { required: ['a'] }, then: { required: ['b'] } }, { a: 1 }, ['b']],
    ['a union matched twice', { properties: { n: { oneOf: [{ type: 'number' }, { minimum: 0 }] } } }, { n: 1 }, ['n']],
    [
      'unions behind references',
      {
        properties: { n: { $ref: '#/$defs/u' } },
        $defs: {
          u: { anyOf: [{ $ref: '#/$defs/o' }, { type: 'null' }] },
          o: { type: 'object', required: ['k'], properties: { k: { type: 'integer' } } },
        },
      },
      { n: { k: 'x' } },
      ['n.k'],
    ],
    ['a union whose branches are never', { properties: { n: { anyOf: [false, { type: 'null' }] } } }, { n: 1 }, ['n']],
    [
      'siblings of a union',
      {
        properties: { a: { type: 'string' } },
        required: ['a', 'b'],
        anyOf: [{ required: ['c'] }, { required: ['d'] }],
      },
      { a: 1 },
      ['', 'a', 'b'],
    ],
    ['keys with signs', { properties: { 'a/b~c d': { type: 'string' } } }, { 'a/b~c d': 1 }, ['a/b~c d']],
    ['a constant', { properties: { k: { const: 'x' } } }, { k: 'y' }, ['k']],
    [
      'patterns that are only valid without Unicode',
      { properties: { k: { type: 'string', pattern: '^[\\w-.]+\\-$' } } },
      { k: '!' },
      ['k'],
    ],
    ['fields named like methods', { type: 'object', required: ['toString'] }, {}, ['toString']],
  ])('understands %s', (_, schema, value, expected) => {
    expect(failing(value, { schema })).toEqual(expected);
  });

  it('refuses what is no JSON Schema, and drafts it does not know', () => {
    expect(() => compileValidator({ schema: { type: 'strin' } })({})).toThrow(/not valid JSON Schema/);
    expect(() => compileValidator({ schema: { $schema: 'http://json-schema.org/draft-04/schema#' } })({})).toThrow(
      /not supported/,
    );
  });
});
