import {
  checkBudget,
  checkConcurrency,
  checkDeadline,
  checkInput,
  checkLimits,
  checkModel,
  readAddItems,
} from '../../src/workflows/validate.js';

describe('messages any SDK may send', () => {
  test.each([1, 10_000, 'auto'])('concurrency %p is taken', (value) =>
    expect(() => checkConcurrency(value)).not.toThrow(),
  );
  test.each([0, 10_001, 1.5, '5', null])('concurrency %p is refused', (value) =>
    expect(() => checkConcurrency(value)).toThrow('whole number from 1 to 10000'),
  );
  test.each([0, 2.5, null])('budget %p is taken', (value) => expect(() => checkBudget(value)).not.toThrow());
  test.each([-1, Number.NaN, Infinity, '3'])('budget %p is refused', (value) =>
    expect(() => checkBudget(value)).toThrow('number of dollars'),
  );
  test.each(['anthropic/claude-sonnet-4-6', 'compatible/a/b', null])('model %p is taken', (value) =>
    expect(() => checkModel(value)).not.toThrow(),
  );
  test.each(['gpt', '/x', 'x/', 4])('model %p is refused', (value) =>
    expect(() => checkModel(value)).toThrow('provider/model'),
  );
  test('a model of an unknown provider is refused where the providers are known', () => {
    expect(() => checkModel('anthropic/x', ['anthropic'])).not.toThrow();
    expect(() => checkModel(null, ['anthropic'])).not.toThrow();
    expect(() => checkModel('antropic/x', ['anthropic', 'gemini'])).toThrow('Providers are anthropic, gemini');
  });
  test('a deadline must be an ISO time to come', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    expect(() => checkDeadline('2026-01-02T00:00:00Z', now)).not.toThrow();
    expect(() => checkDeadline(null, now)).not.toThrow();
    expect(() => checkDeadline('2025-12-31T00:00:00Z', now)).toThrow('has passed');
    expect(() => checkDeadline('soon', now)).toThrow('ISO time');
  });
  test('what a batch is started with is checked, whoever starts it', () => {
    const task = 'hash';
    expect(() => checkInput({ task, concurrency: 5, budgetUsd: 0, deadline: '2020-01-01T00:00:00Z' })).not.toThrow();
    expect(() => checkInput({ task, concurrency: 0 })).toThrow("input can't be used: setConcurrency wants");
    expect(() => checkInput({ task, budgetUsd: -1 })).toThrow('number of dollars');
    expect(() => checkInput({ task, deadline: 'soon' })).toThrow('ISO time');
    expect(() => checkInput({ task, onDeadline: 'cancel', itemTimeoutMs: 1 })).not.toThrow();
    expect(() => checkInput({ task, itemTimeoutMs: 0.5 })).toThrow('whole milliseconds');
    expect(() => void Reflect.apply(checkInput, undefined, [{ task, onDeadline: 'now' }])).toThrow('drain, cancel');
  });
  test('limits are known names with positive numbers', () => {
    expect(() => checkLimits({ rpm: 600, tpm: 1, inFlight: 5 })).not.toThrow();
    expect(() => checkLimits({ rpmm: 600 })).toThrow('not rpmm');
    expect(() => checkLimits({ rpm: 0 })).toThrow('positive number for rpm');
    expect(() => checkLimits(null)).toThrow('an object');
  });
  test('addItems needs a key and records or a range; the reason is told', () => {
    expect(readAddItems({ clientKey: 'a', items: [1] })).toEqual({ clientKey: 'a', items: [1] });
    expect(readAddItems({ clientKey: 'a', range: { from: 3, to: 7 } })).toEqual({
      clientKey: 'a',
      range: { from: 3, to: 7 },
    });
    expect(readAddItems({ items: [1] })).toContain('clientKey');
    expect(readAddItems({ clientKey: 'a' })).toContain('items');
    expect(readAddItems({ clientKey: 'a', range: { from: 7, to: 3 } })).toContain('range');
    expect(readAddItems('x')).toContain('clientKey');
  });
});
