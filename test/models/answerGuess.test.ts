import { guessAnswer } from '../../src/models/answerGuess.js';

it('fills every property of a schema', () => {
  const schema = {
    type: 'object',
    properties: {
      kind: { enum: ['a', 'middle', 'the longest of all'] },
      mail: { anyOf: [{ type: 'null' }, { type: 'string', format: 'email' }] },
      year: { type: ['integer', 'null'] },
      tags: { type: 'array', items: { type: 'string', maxLength: 5 }, maxItems: 2 },
      part: { $ref: '#/$defs/part' },
    },
    $defs: { part: { type: 'object', properties: { fixed: { const: 'x' }, yes: { type: 'boolean' } } } },
  };
  expect(guessAnswer(schema)).toEqual({
    kind: 'middle',
    mail: 'someone.else@example.com',
    year: 12,
    tags: ['A sho', 'A sho'],
    part: { fixed: 'x', yes: true },
  });
});

it('ends for a schema that contains itself', () => {
  const schema = { type: 'object', properties: { next: { $ref: '#' } } };
  expect(JSON.stringify(guessAnswer(schema)).length).toBeLessThan(1000);
});

it('makes texts as long as they must be', () => {
  expect(guessAnswer({ type: 'string', minLength: 200 })).toHaveLength(200);
});
