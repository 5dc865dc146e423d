import { anthropicSchema, geminiSchema, openaiStrictSchema, schemaName } from '../../src/providers/schemas.js';
import type { JsonObject } from '../../src/task/json.js';

const PERSON: JsonObject = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    name: { type: 'string', description: 'Full name', maxLength: 80 },
    born: { type: 'string', format: 'date' },
    site: { type: ['string', 'null'], format: 'uri' },
    tags: { type: 'array', items: { $ref: '#/$defs/tag' }, minItems: 1, maxItems: 5 },
    kind: { oneOf: [{ const: 'a' }, { const: 'b' }] },
    age: { type: 'integer', minimum: 0 },
  },
  required: ['name', 'born', 'site', 'tags', 'kind', 'age'],
  $defs: { tag: { enum: ['x', 'y'] } },
};

it('says for Anthropic in words what the API has no keyword for', () => {
  expect(anthropicSchema(PERSON)).toEqual({
    type: 'object',
    properties: {
      name: { type: 'string', description: 'Full name {maxLength: 80}' },
      born: { type: 'string', format: 'date' },
      site: { type: ['string', 'null'], format: 'uri' },
      tags: { type: 'array', items: { $ref: '#/$defs/tag' }, minItems: 1, description: '{maxItems: 5}' },
      kind: { anyOf: [{ const: 'a' }, { const: 'b' }] },
      age: { type: 'integer', description: '{minimum: 0}' },
    },
    required: ['name', 'born', 'site', 'tags', 'kind', 'age'],
    additionalProperties: false,
    $defs: { tag: { enum: ['x', 'y'] } },
  });
});

it('keeps numbers and lists for OpenAI strict, and qualifies only when every property is required', () => {
  const strict = openaiStrictSchema(PERSON);
  expect(strict).toMatchObject({
    additionalProperties: false,
    properties: { age: { type: 'integer', minimum: 0 }, tags: { minItems: 1, maxItems: 5 } },
  });
  expect(strict).not.toHaveProperty('$schema');
  expect(openaiStrictSchema({ ...PERSON, required: ['name'] })).toBeNull();
  expect(openaiStrictSchema({ type: 'array', items: PERSON })).toBeNull();
});

it('turns const into enum for Gemini and keeps open objects open', () => {
  expect(geminiSchema(PERSON)).toMatchObject({ properties: { kind: { anyOf: [{ enum: ['a'] }, { enum: ['b'] }] } } });
  const map = { type: 'object', additionalProperties: { type: 'number', exclusiveMinimum: 0 } };
  expect(geminiSchema(map)).toEqual({
    type: 'object',
    properties: {},
    additionalProperties: { type: 'number', description: '{exclusiveMinimum: 0}' },
  });
});

it.each<[string, JsonObject]>([
  ['a map', { type: 'object', additionalProperties: { type: 'string' } }],
  ['an object of anything', { type: 'object', additionalProperties: true }],
  ['anything', { type: 'object', properties: { a: {} }, required: ['a'] }],
  ['a negation', { type: 'object', properties: { a: { not: { type: 'null' } } }, required: ['a'] }],
  ['a condition', { type: 'object', if: { required: ['a'] } }],
  [
    'recursion',
    {
      $ref: '#/$defs/node',
      $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } }, required: [] } },
    },
  ],
  ['a foreign reference', { type: 'object', properties: { a: { $ref: 'other.json' } }, required: ['a'] }],
])('leaves %s to instructions with Anthropic', (_name, schema) => {
  expect(anthropicSchema(schema)).toBeNull();
});

it('makes a legal name', () => {
  expect(schemaName({ title: 'Größe & Alter' })).toBe('Gr_e_Alter');
  expect(schemaName({ title: '???' })).toBe('answer');
  expect(schemaName({ title: 'x'.repeat(100) })).toHaveLength(64);
});
