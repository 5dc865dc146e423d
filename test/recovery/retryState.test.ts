import fc from 'fast-check';
import { initialState, planOf } from '../../src/recovery/ladder.js';
import { RetryState } from '../../src/recovery/retryState.js';
import type { RetryStateData } from '../../src/recovery/types.js';
import { defineTask } from '../../src/task/defineTask.js';
import { TemperedError } from '../../src/task/errors.js';
import { type Json, type JsonObject, parseJson } from '../../src/task/json.js';

const start = initialState(planOf(defineTask({ name: 't', model: 'compatible/m', prompt: 'x' }).spec));
const json: fc.Arbitrary<Json> = fc.jsonValue().map((value) => parseJson(JSON.stringify(value)));

describe('the retry state', () => {
  it('gets what was set, else the fallback', () => {
    const state = RetryState.fromJSON(start);
    expect(state.get('tries', 0)).toBe(0);
    state.set('tries', 2);
    expect(state.get('tries', 0)).toBe(2);
    expect(state.get('toString', 'none')).toBe('none');
  });

  it('shares nothing: not with what it was made of, nor with what it gives', () => {
    const user = { list: [1] };
    const a = RetryState.fromJSON({ ...start, user });
    const b = RetryState.fromJSON({ ...start, user });
    const value = [2];
    a.set('list', value);
    value.push(3);
    a.get<Json[]>('list', []).push(4);
    expect(a.toJSON().user).toEqual({ list: [2] });
    expect(b.toJSON().user).toEqual({ list: [1] });
    expect(user).toEqual({ list: [1] });
  });

  it('clears the keys with a debug line and leaves the ladder alone', () => {
    const lines: [string, JsonObject][] = [];
    const state = RetryState.fromJSON({ ...start, promptsUsed: 3, user: { a: 1 } }, (message, facts) =>
      lines.push([message, facts]),
    );
    state.clear();
    expect(state.toJSON()).toEqual({ ...start, promptsUsed: 3, user: {} });
    expect(lines).toEqual([['retry state cleared', { keys: ['a'], prompts: 3 }]]);
    RetryState.fromJSON(start).clear();
  });

  it('refuses what is not JSON, and more than history should hold', () => {
    const state = RetryState.fromJSON(start);
    expect(() => {
      Reflect.apply(state.set.bind(state), state, ['f', () => 1]);
    }).toThrow(TemperedError);
    expect(() => {
      Reflect.apply(state.set.bind(state), state, ['u', undefined]);
    }).toThrow(/not JSON/);
    expect(() => {
      state.set('big', 'x'.repeat(20_000));
    }).toThrow(/characters long/);
    expect(state.toJSON().user).toEqual({});
  });

  it('comes back from JSON as it was', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), fc.dictionary(fc.string(), json), (user, kept) => {
        const state = RetryState.fromJSON({ ...start, kept, stage: 2, promptsUsed: 3 });
        for (const [key, value] of Object.entries(user)) state.set(key, value);
        const text = JSON.stringify(state);
        const parse: (text: string) => RetryStateData = JSON.parse;
        const again = RetryState.fromJSON(parse(text));
        expect(JSON.stringify(again)).toBe(text);
        expect(again.toJSON()).toEqual(state.toJSON());
        for (const [key, value] of Object.entries(user)) expect(again.get<Json>(key, 'absent')).toEqual(value);
      }),
    );
  });
});
