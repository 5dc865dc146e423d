import fc from 'fast-check';
import { extractJson } from '../../src/recovery/extract.js';
import { type Json, parseJson } from '../../src/task/json.js';

const found = (value: Json, cleaned = true) => ({ ok: true, value, cleaned });

describe('extractJson', () => {
  it.each<[string, string, Json]>([
    ['plain', '{"a":1}', { a: 1 }],
    ['a byte order mark and blank lines', '\uFEFF\n {"a":1}\n', { a: 1 }],
    ['a scalar as the whole text', '42', 42],
    ['a text as the whole text', '"bug"', 'bug'],
  ])('reads %s as it is', (_, text, value) => {
    expect(extractJson(text)).toEqual(found(value, false));
  });

  it.each<[string, string, Json]>([
    ['a json fence', '```json\n{"a":1}\n```', { a: 1 }],
    ['a fence without a language', 'Here:\n```\n[1,2]\n```\nDone.', [1, 2]],
    ['a fence that is not closed', '```json\n{"a":1}', { a: 1 }],
    ['a fence after an example in prose', 'For input {"x":1} I say:\n```json\n{"a":1}\n```', { a: 1 }],
    ['the first fence that is JSON', '```\nnot json\n```\n```json\n{"a":1}\n```', { a: 1 }],
    ['prose around', 'Sure! {"a":{"b":[1,"}"]}} Hope it helps.', { a: { b: [1, '}'] } }],
    ['brackets in prose', 'See [note] and {name}: {"a":1}', { a: 1 }],
    ['escaped quotes', 'x {"a":"he said \\"}\\" \\\\"} y', { a: 'he said "}" \\' }],
    ['the first of several values', '{"a":1}\n{"a":2}', { a: 1 }],
    ['what comes after something that only looks like JSON', '{"quoted"} then {"a":1}', { a: 1 }],
  ])('finds %s', (_, text, value) => {
    expect(extractJson(text)).toEqual(found(value));
  });

  it('prefers the kind of value that is wanted', () => {
    expect(extractJson('As shown in [1], {"a":1}', 'object')).toEqual(found({ a: 1 }));
    expect(extractJson('From {"a":1} follows [2]', 'array')).toEqual(found([2]));
    expect(extractJson('From {"a":1} follows nothing', 'array')).toEqual(found({ a: 1 }));
  });

  it.each([
    ['an object', '{"a":1,"b":'],
    ['a text with a brace in it', '{"a":"}'],
    ['an escape', '{"a":"\\'],
    ['nested arrays, with complete parts', '[[{"a":1}],[{"a":2}'],
    ['a fence', 'Here:\n```json\n{"items":[{"a":1},{"a":2}\n```'],
  ])('calls a value that breaks off truncated: %s', (_, text) => {
    expect(extractJson(text)).toMatchObject({ ok: false, reason: 'truncated' });
  });

  it('takes no other value for one that breaks off', () => {
    expect(extractJson('For [1,2] I say {"a":', 'object')).toMatchObject({ ok: false, reason: 'truncated' });
  });

  it.each([
    ['a trailing comma', '{"a":1,}'],
    ['single quotes', "{'a':1} or {\"a\":1,'b':2}"],
    ['a missing comma', '{"a":1 "b":{"c":2}}'],
    ['brackets that do not match, with a complete part after', '{"a":[1}, "b":{"c":2}}'],
  ])('repairs nothing: %s', (_, text) => {
    expect(extractJson(text)).toMatchObject({ ok: false, reason: 'malformed' });
  });

  it.each([
    ['nothing', '  \n', 'empty'],
    ['prose', 'I can not answer that.', 'no JSON'],
  ])('finds none in %s', (_, text, message) => {
    const result = extractJson(text);
    expect(result).toMatchObject({ ok: false, reason: 'none' });
    expect(!result.ok && result.message).toContain(message);
  });

  it('takes nesting without end for garbage, in one pass', () => {
    const depth = 200_000;
    expect(extractJson('['.repeat(depth) + ']'.repeat(depth))).toMatchObject({ ok: false, reason: 'malformed' });
    expect(extractJson('{'.repeat(1_000_000))).toMatchObject({ ok: false });
    expect(extractJson('['.repeat(1_000_000))).toMatchObject({ ok: false, reason: 'truncated' });
    expect(extractJson('{"'.repeat(500_000))).toMatchObject({ ok: false });
    expect(extractJson('[1] '.repeat(250_000) + 'x', 'object')).toMatchObject({ ok: true });
    expect(extractJson('{"a" '.repeat(200_000))).toMatchObject({ ok: false });
    expect(extractJson('```\n'.repeat(200_000))).toMatchObject({ ok: false });
  });

  const json: fc.Arbitrary<Json> = fc.jsonValue({ maxDepth: 4 }).map((value) => parseJson(JSON.stringify(value)));
  const containers = json.filter((value) => typeof value === 'object' && value !== null);
  const prose = fc.stringMatching(/^[A-Za-z ,.:;!?'\n-]{0,40}$/);
  const indent = fc.constantFrom(undefined, 2);

  it('gives back any value from prose and fences exactly', () => {
    fc.assert(
      fc.property(containers, prose, prose, indent, fc.boolean(), (value, before, after, space, fence) => {
        const text = JSON.stringify(value, null, space);
        const wrapped = fence ? `${before}\n\`\`\`json\n${text}\n\`\`\`\n${after}` : `${before}${text}${after}`;
        expect(extractJson(wrapped)).toMatchObject({ ok: true, value });
      }),
    );
  });

  it('never takes a strict prefix of an object or array for complete', () => {
    fc.assert(
      fc.property(containers, prose, indent, fc.nat(), (value, before, space, cut) => {
        const text = JSON.stringify(value, null, space);
        expect(extractJson(before + text.slice(0, cut % text.length))).toMatchObject({ ok: false });
      }),
    );
  });
});
