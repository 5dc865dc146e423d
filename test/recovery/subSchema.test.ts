import { issuesOfSchema } from '../../src/recovery/ajvIssues.js';
import { merge } from '../../src/recovery/merge.js';
import { split } from '../../src/recovery/parts.js';
import { planPartial } from '../../src/recovery/subSchema.js';
import { isJsonObject, type Json, type JsonObject } from '../../src/task/json.js';

interface Course {
  /** Parts asked for. */
  readonly paths: readonly string[];
  readonly schema: JsonObject;
  readonly kept: JsonObject;
}

/** What is asked for after `answer`; null when it is the whole. */
function course(schema: JsonObject, answer: JsonObject): Course | null {
  const { kept, issues } = split(answer, issuesOfSchema(schema, answer));
  const plan = kept === null ? null : planPartial(schema, kept, issues);
  if (plan === null || kept === null) return null;
  return { paths: plan.paths.map((path) => path.join('.')), schema: plan.schema, kept };
}

const text = { type: 'string' };
const number = { type: 'number' };

function object(properties: JsonObject, more: JsonObject = {}): JsonObject {
  return { type: 'object', properties, required: Object.keys(properties), ...more };
}

function property(schema: Json | undefined, ...names: readonly string[]): Json | undefined {
  let at = schema;
  for (const name of names) {
    const properties = isJsonObject(at) ? at['properties'] : undefined;
    at = isJsonObject(properties) ? properties[name] : undefined;
  }
  return at;
}

describe('the schema of the failed parts', () => {
  it.each<[string, JsonObject, JsonObject, readonly string[]]>([
    [
      'a nested property',
      object({ a: object({ b: text, c: number }), d: text }),
      { a: { b: 'x', c: 'x' }, d: 'x' },
      ['a.c'],
    ],
    [
      'elements of a list',
      object({ l: { type: 'array', items: object({ n: number, t: text }) } }),
      { l: [{ n: 1, t: 'x' }, { n: 'x', t: 'x' }, 3] },
      ['l.1.n', 'l.2'],
    ],
    [
      'a place of a tuple',
      object({ t: { type: 'array', prefixItems: [text, number], items: { type: 'boolean' } } }),
      { t: ['x', 'y', 1] },
      ['t.1', 't.2'],
    ],
    [
      'a place of a draft-07 tuple',
      {
        $schema: 'http://json-schema.org/draft-07/schema#',
        ...object({ t: { type: 'array', items: [text, number], additionalItems: number } }),
      },
      { t: ['x', 'y', 'z'] },
      ['t.1', 't.2'],
    ],
    [
      'a value of a record',
      object({ r: { type: 'object', additionalProperties: number } }),
      { r: { a: 1, b: 'x' } },
      ['r.b'],
    ],
    [
      "a value by its key's pattern",
      object({ r: { type: 'object', patternProperties: { '^n_': number, a$: { minimum: 5 } } } }),
      { r: { n_a: 1, n_b: 2 } },
      ['r.n_a'],
    ],
    [
      'what allOf says',
      object({ a: { allOf: [object({ x: text }), object({ y: number })] } }),
      { a: { x: 1, y: 1 } },
      ['a.x'],
    ],
    [
      'a branch told by its tag',
      object({ u: { anyOf: [object({ k: { const: 'a' }, v: number }), object({ k: { const: 'b' }, w: text })] } }),
      { u: { k: 'b', w: 1 } },
      ['u.w'],
    ],
    [
      'a branch told by an enum',
      object({
        u: { oneOf: [object({ k: { enum: ['a', 'b'] }, v: number }), object({ k: { enum: ['c'] }, v: text })] },
      }),
      { u: { k: 'b', v: 'x' } },
      ['u.v'],
    ],
    [
      'a branch told by its type',
      object({
        u: {
          anyOf: [
            object({ v: number }),
            { type: 'null' },
            { type: ['string', 'boolean'] },
            { type: 'array' },
            { type: 'integer' },
          ],
        },
      }),
      { u: { v: 'x' } },
      ['u.v'],
    ],
    [
      'a union that is open',
      object({ u: { anyOf: [object({ v: number }), object({ v: { type: 'boolean' } })] }, t: text }),
      { u: { v: 'x' }, t: 'x' },
      ['u'],
    ],
    [
      'what only if and then say',
      object({ a: { if: object({ k: text }), then: { required: ['z'] } }, t: text }),
      { a: { k: 'x' }, t: 'x' },
      ['a'],
    ],
  ])('asks for %s', (_, schema, answer, paths) => {
    const found = course(schema, { ...answer, other: 1 });
    expect(found?.paths.toSorted()).toEqual(paths.toSorted());
  });

  it('says all that is said of a part, and what encloses it', () => {
    const schema = object({
      a: {
        description: 'the address',
        allOf: [object({ zip: text }), { properties: { zip: { minLength: 5 } } }],
        type: 'object',
      },
      n: number,
    });
    const found = course(schema, { a: { zip: '1' }, n: 1 });
    expect(property(found?.schema, 'a')).toMatchObject({ description: 'the address', additionalProperties: false });
    expect(property(found?.schema, 'a', 'zip')).toEqual({ allOf: [{ minLength: 5 }, text] });
  });

  it('carries along what references reach, and nothing else', () => {
    const schema: JsonObject = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      ...object({
        node: { $ref: '#' },
        leaf: { $ref: '#/$defs/leaf' },
        like: { $ref: '#/properties/leaf' },
        size: number,
      }),
      required: ['size'],
      $defs: { leaf: object({ of: { $ref: '#/$defs/unit' } }), unit: { enum: ['kg'] }, unused: text },
    };
    const found = course(schema, { node: 1, leaf: 1, like: 1, size: 1, $ref: '#/$defs/nowhere' });
    expect(found?.paths).toEqual(['node', 'leaf', 'like']);
    const { $defs, $schema } = found?.schema ?? {};
    expect($schema).toBe(schema['$schema']);
    expect(Object.keys(isJsonObject($defs) ? $defs : {}).sort()).toEqual(['answer', 'leaf', 'leaf_2', 'unit']);
    const part = { node: { size: 2 }, leaf: { of: 'kg' }, like: { of: 'kg' } };
    expect(issuesOfSchema(found?.schema ?? {}, part)).toEqual([]);
    expect(issuesOfSchema(found?.schema ?? {}, { ...part, like: { of: 'lb' } })).not.toEqual([]);
  });

  it('looks through references', () => {
    const schema: JsonObject = {
      ...object({ a: { $ref: '#/$defs/a' }, b: text }),
      $defs: { a: object({ x: text, y: number }) },
    };
    expect(course(schema, { a: { x: 'x', y: 'x' }, b: 'x' })?.paths).toEqual(['a.y']);
    const tagged: JsonObject = {
      ...object({ u: { anyOf: [{ $ref: '#/$defs/p' }, { $ref: '#/$defs/q' }] } }),
      $defs: {
        p: object({ k: { $ref: '#/$defs/tag' }, v: number }),
        q: object({ k: { const: 'q' }, v: text }),
        tag: { const: 'p' },
      },
    };
    expect(course(tagged, { u: { k: 'p', v: 'x' } })?.paths).toEqual(['u.v']);
  });

  it('is none for references that lead out, or round in circles', () => {
    const far: JsonObject = {
      ...object({ a: { $ref: 'part' }, b: text }),
      $id: 'https://x.org/',
      $defs: { part: { $id: 'part', type: 'number' } },
    };
    expect(planPartial(far, { b: 'x' }, [{ path: ['a'], message: 'is missing', code: 'required' }])).toBeNull();
    const loop: JsonObject = {
      ...object({ a: { $ref: '#/$defs/l' }, b: text }),
      $defs: { l: { allOf: [{ $ref: '#/$defs/l' }] } },
    };
    expect(
      planPartial(loop, { a: { x: 1 }, b: 'x' }, [{ path: ['a', 'x'], message: 'no', code: 'custom' }])?.paths,
    ).toEqual([['a']]);
  });

  it('is none when nothing can be asked for alone', () => {
    const schema = object({ a: text });
    expect(planPartial(schema, { a: 'x' }, [])).toBeNull();
    expect(planPartial(schema, { a: 'x' }, [{ path: [], message: 'no', code: 'custom' }])).toBeNull();
    expect(planPartial(schema, { a: 'x' }, [{ path: ['b'], message: 'no', code: 'custom' }])).toBeNull();
    expect(
      planPartial({ ...schema, properties: { a: false } }, {}, [{ path: ['a'], message: 'no', code: 'custom' }]),
    ).toBeNull();
  });
});

describe('merge', () => {
  it('puts parts in their places, by position or key, and tells which are missing', () => {
    const kept = { l: [{ n: 1 }, null, { t: 'x' }], o: { a: 1 } };
    const paths = [
      ['l', 1],
      ['l', 2, 'n'],
      ['o', 'b'],
      ['p', 'q'],
    ];
    const patch = { l: { '1': { n: 2 }, '2': { n: 3, t: 'other' } }, o: { a: 9, b: 2 } };
    expect(merge(kept, patch, paths)).toEqual({
      value: { l: [{ n: 1 }, { n: 2 }, { t: 'x', n: 3 }], o: { a: 1, b: 2 } },
      missing: [['p', 'q']],
    });
    expect(merge(kept, { l: [0, { n: 2 }, { n: 3 }] }, paths.slice(0, 2))).toMatchObject({ missing: [] });
    expect(merge(kept, 'no', paths)).toEqual({ value: kept, missing: paths });
    expect(merge({}, { a: [{}, 1] }, [['a', 1]])).toEqual({ value: { a: { '1': 1 } }, missing: [] });
    expect(merge({ a: [] }, { a: { '2': 1 } }, [['a', 2]])).toEqual({ value: { a: [null, null, 1] }, missing: [] });
  });

  it('can not be made to change what is no field', () => {
    const parse: (textual: string) => JsonObject = JSON.parse;
    const merged = merge({}, parse('{"__proto__":{"polluted":true}}'), [['__proto__']]);
    expect(Object.keys(merged.value ?? {})).toEqual(['__proto__']);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});
