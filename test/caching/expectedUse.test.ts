import { expectedUse, hourWrites } from '../../src/caching/expectedUse.js';
import { modelInfo } from '../../src/models/catalog.js';
import { parseModelRef } from '../../src/models/modelRef.js';

const SIZE = { prefix: 3000, whole: 3400 };
const use = (model: string, breakpoint: boolean, first: boolean, size = SIZE) =>
  expectedUse(modelInfo(parseModelRef(model), new Date('2026-11-27')), size, { breakpoint, first });

it.each(['anthropic/claude-haiku-5-5', 'openai/gpt-5.6-luna'])(
  '%s is told the prefix: written once, then read',
  (model) => {
    expect(use(model, true, true)).toEqual({ read: 0, written: 3000 });
    expect(use(model, true, false)).toEqual({ read: 3000, written: 0 });
    expect(use(model, true, true, { prefix: 100, whole: 3400 })).toEqual({ read: 0, written: 0 });
  },
);

it.each(['openai/gpt-4.1', 'gemini/gemini-2.5-flash'])('%s caches by itself, and bills no writes', (model) => {
  expect(use(model, false, true)).toEqual({ read: 0, written: 0 });
  expect(use(model, true, false)).toEqual({ read: 2944, written: 0 });
});

it('bills all that is new where writes cost and nobody told the prefix', () => {
  expect(use('openai/gpt-5.6-luna', false, true)).toEqual({ read: 0, written: 3328 });
  expect(use('openai/gpt-5.6-luna', false, false)).toEqual({ read: 2944, written: 384 });
  expect(use('anthropic/claude-haiku-5-5', false, false)).toEqual({ read: 0, written: 0 });
});

it("tells writes that live an hour apart where the bill does, on Anthropic's wire", () => {
  const hours = (model: string, life: '5m' | '1h') => hourWrites({ ref: parseModelRef(model) }, life, 3000);
  expect(hours('anthropic/claude-haiku-5-5', '1h')).toBe(3000);
  expect(hours('gateway/claude-haiku-5-5', '1h')).toBe(3000);
  expect(hours('anthropic/claude-haiku-5-5', '5m')).toBe(0);
  expect(hours('openai/gpt-5.6-luna', '1h')).toBe(0);
});
