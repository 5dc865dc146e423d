import fc from 'fast-check';
import { TemperedError } from '../../src/task/errors.js';
import type { Json } from '../../src/task/json.js';
import { fillTemplate, parseTemplate } from '../../src/task/template.js';

function fill(template: string, input: Json, prepared?: Json): string {
  return fillTemplate(parseTemplate(template), { input, prepared, place: { file: 'data.jsonl', line: 7 } });
}

function explained(template: string, input: Json): string {
  try {
    fill(template, input);
  } catch (error) {
    if (error instanceof TemperedError && error.category === 'input') return error.explanation;
    throw error;
  }
  throw new Error('it was filled in');
}

describe('a template', () => {
  it.each<[string, string, Json, string]>([
    ['a field', 'Hi {{ name }}!', { name: 'Ada' }, 'Hi Ada!'],
    ['a nested field', '{{a.b}}', { a: { b: 'x' } }, 'x'],
    ['an element', '{{list.0}}-{{list.1.n}}', { list: ['a', { n: 2 }] }, 'a-2'],
    ['a field with a dot in its name', '{{a.b}}', { 'a.b': 'whole', a: { b: 'x' } }, 'whole'],
    ['numbers and booleans', '{{n}} {{b}}', { n: 0, b: false }, '0 false'],
    ['objects and lists as JSON', '{{o}}{{l}}', { o: { a: 1 }, l: ['x'] }, '{"a":1}["x"]'],
    ['null as nothing', '[{{x}}]', { x: null }, '[]'],
    ['a record that is a text', '{{value}}', 'hello', 'hello'],
    ['a record that is a list', '{{value.1}}', [1, 2], '2'],
    ['literal braces', 'use {{{{name}} and }} and { }', {}, 'use {{name}} and }} and { }'],
    ['an empty template', '', {}, ''],
    ['a field named prepared', '{{prepared}}', { prepared: 'x' }, 'x'],
  ])('fills in %s', (_, template, input, text) => {
    expect(fill(template, input)).toBe(text);
  });

  it('fills in what prepare() made', () => {
    expect(fill('{{prepared.x}} {{a}}', { a: 1, prepared: 'own' }, { x: 'made' })).toBe('made 1');
  });

  it('takes values for data: nothing in them is filled in', () => {
    expect(fill('{{a}}{{b}}', { a: '{{b}}', b: '{{{{c}}' })).toBe('{{b}}{{{{c}}');
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(fill('<{{a}}|{{b}}>', { a, b })).toBe(`<${a}|${b}>`);
      }),
    );
  });

  it('names the missing field, near ones, file and line', () => {
    const text = explained('{{txt}}', { text: 'x', id: 1 });
    expect(text).toContain('data.jsonl, line 7: ');
    expect(text).toContain('{{txt}}');
    expect(text).toContain('Did you mean text?');
    expect(text).toContain('the record has: text, id.');
    expect(explained('{{a.c}}', { a: { b: 1 } })).toContain('"a" has: a.b.');
    expect(explained('{{a.b.c}}', { a: { b: 1 } })).toContain('{{a.b.c}}');
    expect(explained('{{l.5}}', { l: [1] })).toContain('{{l.5}}');
    expect(explained('{{toString}}', {})).toContain('{{toString}}');
    expect(explained('{{text}}', 'plain')).toContain('value');
    expect(explained('{{x}}', Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`f${i}`, 1])))).toContain(', …');
  });

  it.each(['{{a', '{{}}', '{{ }}', '{{a}', '{{a{b}}', 'x {{a\nb}}'])('refuses %j', (template) => {
    expect(() => parseTemplate(template)).toThrow(/not closed or not named/);
  });
});
