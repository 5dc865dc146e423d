import { modelInfo } from '../../src/models/catalog.js';
import { parseModelRef } from '../../src/models/modelRef.js';
import { variationFor } from '../../src/models/variation.js';
import type { StagePlace } from '../../src/models/variation.js';
import type { Stage } from '../../src/task/spec.js';

function sent(model: string, stage: Partial<Stage>, place?: StagePlace): object {
  const info = modelInfo(parseModelRef(model), new Date('2026-11-21'));
  return variationFor(info, { kind: 'full', ...stage }, place).sent;
}

it.each<[string, number, object]>([
  // Takes a temperature, also 0.
  ['gemini/gemini-2.5-flash', 0, { temperature: 0 }],
  ['openai/gpt-4.1', 0.25, { temperature: 0.25 }],
  ['lmstudio/any', 0.25, { temperature: 0.25 }],
  ['compatible/any', 0, { temperature: 0 }],
  // Takes it through the older API version, up to 1.
  ['anthropic/claude-sonnet-4-6', 0.25, { temperature: 0.25 }],
  ['anthropic/claude-haiku-4-5', 1.5, { temperature: 1 }],
  // Rejects it: nothing for the plain answer, another effort for a varied one.
  ['anthropic/claude-opus-5', 0, {}],
  ['anthropic/claude-opus-5', 0.25, { effort: 'medium' }],
  ['anthropic/claude-haiku-5-5', 0.25, { effort: 'high' }],
  ['openai/gpt-5-mini', 0.25, { effort: 'high' }],
  ['openai/gpt-5.4', 0.25, { effort: 'low' }],
  ['openai/gpt-6.1-sol', 0.25, { effort: 'high' }],
  // Ignores it, or is better left alone.
  ['gemini/gemini-3.8-flash', 0.25, { effort: 'high' }],
  ['gemini/gemini-3.1-pro-preview', 0.25, { effort: 'medium' }],
  ['gemini/gemini-3.5-flash-lite', 0.25, { effort: 'low' }],
  // Unknown: nothing it might reject.
  ['anthropic/claude-unheard-of', 0, {}],
  ['anthropic/claude-unheard-of', 0.25, { reworded: true }],
  ['openai/o9', 0.25, { reworded: true }],
])('%s at temperature %d sends %j', (model, temperature, expected) => {
  expect(sent(model, { temperature })).toEqual(expected);
});

it('sends a temperature to a reasoning model whose reasoning is off', () => {
  const params = { reasoning_effort: 'none' };
  expect(sent('openai/gpt-5.6-luna', { temperature: 0.5 }, { params })).toEqual({ temperature: 0.5 });
  expect(sent('openai/gpt-5.6-luna', { temperature: 0.5, effort: 'none' })).toEqual({
    effort: 'none',
    temperature: 0.5,
  });
  expect(sent('openai/gpt-6.1-sol', { temperature: 0.5 }, { params })).toEqual({ effort: 'high' });
});

it('sends a wanted effort where the model has it', () => {
  expect(sent('anthropic/claude-opus-5', { effort: 'low', temperature: 0.5 })).toEqual({ effort: 'low' });
  expect(sent('anthropic/claude-sonnet-4-6', { effort: 'low', temperature: 0.5 })).toEqual({
    effort: 'low',
    temperature: 0.5,
  });
  expect(sent('openai/gpt-4.1', { effort: 'low' })).toEqual({});
});

it("records the stage's own model", () => {
  const info = modelInfo(parseModelRef('openai/gpt-4.1'), new Date());
  const { variation } = variationFor(info, { kind: 'full', temperature: 0, model: 'openai/gpt-4.1' });
  expect(variation).toEqual({ temperature: 0, model: 'openai/gpt-4.1' });
});
