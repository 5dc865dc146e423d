import fc from 'fast-check';
import type { Json, JsonObject } from '../../src/task/json.js';

/** A JSON Schema and the values that fit it. */
export interface Node {
  readonly schema: JsonObject;
  readonly value: fc.Arbitrary<Json>;
}

const text = { schema: { type: 'string', minLength: 1 }, value: fc.string({ minLength: 1, maxLength: 8 }) };
const whole = { schema: { type: 'integer', minimum: 0 }, value: fc.nat(100) };
const flag = { schema: { type: 'boolean' }, value: fc.boolean() };
const word = { schema: { enum: ['bug', 'billing', 'other'] }, value: fc.constantFrom('bug', 'billing', 'other') };
const maybe = {
  schema: { anyOf: [{ type: 'string', minLength: 1 }, { type: 'null' }] },
  value: fc.option(fc.string({ minLength: 1, maxLength: 5 })),
};
const referred = {
  schema: { $ref: '#/$defs/price' },
  value: fc.record({ amount: fc.nat(9), currency: fc.constant('EUR') }),
};

const leaf: fc.Arbitrary<Node> = fc.constantFrom<Node>(text, whole, flag, word, maybe, referred);
const key = fc.constantFrom('a', 'b', 'name', 'to/from', 'x~y', '0', 'toString', 'total sum');

function objectOf(members: readonly (readonly [string, Node])[]): Node {
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(members.map(([name, node]) => [name, node.schema])),
      required: members.map(([name]) => name),
      additionalProperties: false,
    },
    value: fc
      .tuple(...members.map(([, node]) => node.value))
      .map((values) => Object.fromEntries(members.map(([name], i) => [name, values[i] ?? null]))),
  };
}

function arrayOf(node: Node): Node {
  return {
    schema: { type: 'array', items: node.schema, minItems: 1 },
    value: fc.array(node.value, { minLength: 1, maxLength: 4 }),
  };
}

function recordOf(node: Node): Node {
  return {
    schema: { type: 'object', additionalProperties: node.schema },
    value: fc.dictionary(fc.constantFrom('k1', 'k2', 'k3'), node.value, { minKeys: 1 }),
  };
}

/** Either of two shapes, told apart by a tag. */
function taggedOf(a: Node, b: Node): Node {
  const branch = (kind: string, node: Node): Node =>
    objectOf([
      ['kind', { schema: { const: kind }, value: fc.constant(kind) }],
      ['body', node],
    ]);
  const branches = [branch('one', a), branch('two', b)];
  return {
    schema: { oneOf: branches.map(({ schema }) => schema) },
    value: fc.oneof(...branches.map(({ value }) => value)),
  };
}

const nodes = fc.letrec<{ node: Node; object: Node }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    leaf,
    tie('object'),
    tie('node').map(arrayOf),
    tie('node').map(recordOf),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => taggedOf(a, b)),
  ),
  object: fc
    .uniqueArray(fc.tuple(key, tie('node')), { selector: ([name]) => name, minLength: 1, maxLength: 5 })
    .map(objectOf),
}));

/** A whole answer's schema with an answer that fits it. */
export const answers: fc.Arbitrary<{ readonly schema: JsonObject; readonly value: JsonObject }> = nodes.object.chain(
  ({ schema, value }) => {
    const whole: JsonObject = { ...schema, $defs: { price: PRICE } };
    return value.map((made) => ({ schema: whole, value: plain(made) }));
  },
);

const PRICE: JsonObject = {
  type: 'object',
  properties: { amount: { type: 'integer' }, currency: { const: 'EUR' } },
  required: ['amount', 'currency'],
  additionalProperties: false,
};

/** Without what JSON does not keep (-0, null prototypes). */
function plain(value: Json): JsonObject {
  const parse: (text: string) => JsonObject = JSON.parse;
  return parse(JSON.stringify(value));
}
