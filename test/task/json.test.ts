import fc from 'fast-check';
import { canonicalJson, recordHash } from '../../src/task/identity.js';
import { asJson, parseJson } from '../../src/task/json.js';

describe('asJson', () => {
  it('gives JSON back as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain = parseJson(JSON.stringify(value));
        expect(asJson(plain)).toEqual({ ok: true, value: plain });
      }),
    );
  });

  it('turns what has toJSON, and leaves out what is undefined', () => {
    const value = { at: new Date(0), url: new URL('https://x.org/'), none: undefined, list: [1] };
    expect(asJson(value)).toEqual({
      ok: true,
      value: { at: '1970-01-01T00:00:00.000Z', url: 'https://x.org/', list: [1] },
    });
  });

  it('refuses what would be lost, and tells where it is', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    const cases: (readonly [unknown, string, string])[] = [
      [undefined, '', 'undefined'],
      [{ a: [1, Number.NaN] }, 'a.1', 'NaN'],
      [{ a: 1n }, 'a', 'a bigint'],
      [{ a: () => 1 }, 'a', 'a function'],
      [{ a: Symbol('x') }, 'a', 'a symbol'],
      [{ a: new Map() }, 'a', 'a Map'],
      [[new Set()], '0', 'a Set'],
      [{ a: new Date('x') }, 'a', 'an invalid date'],
      [{ a: { toJSON: () => undefined } }, 'a', 'not JSON'],
    ];
    for (const [value, at, what] of cases) expect(asJson(value)).toEqual({ ok: false, at, what });
    expect(asJson(loop)).toMatchObject({ ok: false, what: 'nested too deep, or contains itself' });
  });
});

describe('canonicalJson', () => {
  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(turned)).toBe(canonicalJson(value));
        expect(parseJson(canonicalJson(value))).toEqual(parseJson(JSON.stringify(value)));
      }),
    );
    expect(canonicalJson({ b: 1, a: [true, null, { d: undefined, c: 'x' }] })).toBe(
      '{"a":[true,null,{"c":"x"}],"b":1}',
    );
  });

  it('sorts as texts are compared, numbers too', () => {
    const value = { 10: 'x', 9: 'y', b: {}, a: [], Z: 1, é: undefined, no: { x: 1, y: undefined, z: null } };
    expect(canonicalJson(value)).toBe('{"10":"x","9":"y","Z":1,"a":[],"b":{},"no":{"x":1,"z":null}}');
  });

  it('gives records the hashes they always had', () => {
    const input = { id: 'r-1', text: 'Über "alles" \u2028', n: [1, { b: 2, a: null }], 10: 'x', 9: 'y', é: '\ud800' };
    const parts = [
      { type: 'text' as const, text: 't' },
      { type: 'image' as const, url: 'u' },
    ];
    const messages = [
      { role: 'user' as const, content: 'Hi\n' },
      { role: 'user' as const, content: parts },
    ];
    expect(recordHash(input, { messages })).toBe('31b628ffc50dcf3740808c6a40b9d22a0372eaab83e6bfcf388e9d525fdff4cf');
  });

  it('hashes what a record is and asks, whatever the order of its keys', () => {
    const ask = (content: string) => ({ messages: [{ content, role: 'user' as const }] });
    const one = recordHash({ id: 1, text: 'Hi' }, ask('Hi'));
    expect(recordHash({ text: 'Hi', id: 1 }, { messages: [{ role: 'user', content: 'Hi' }] })).toBe(one);
    expect(recordHash([{ id: 1, text: 'Hi' }], null)).toBe(recordHash([{ text: 'Hi', id: 1 }], null));
    const others = [
      recordHash({ id: 1, text: 'Ho' }, ask('Hi')),
      recordHash({ id: 1, text: 'Hi' }, ask('Hi!')),
      recordHash({}, null),
    ];
    expect(new Set([one, ...others]).size).toBe(4);
  });
});
