import { modelInfo } from '../../src/models/catalog.js';
import { cacheSavingsNano, costNano, worstCaseNano } from '../../src/models/cost.js';
import { parseModelRef } from '../../src/models/modelRef.js';
import { promptBytes } from '../../src/models/promptBytes.js';
import type { ModelInfo } from '../../src/models/types.js';
import type { Usage } from '../../src/task/usage.js';
import { ZERO_USAGE } from '../../src/task/usage.js';

function info(model: string, at = '2026-11-21'): ModelInfo {
  return modelInfo(parseModelRef(model), new Date(at));
}

function usage(changes: Partial<Usage>): Usage {
  return { ...ZERO_USAGE, ...changes };
}

describe('costNano', () => {
  it('charges plain, cached, written and generated tokens at their own price', () => {
    const used = usage({
      inputTokens: 10_000,
      cachedInputTokens: 6000,
      cacheWriteTokens: 3000,
      cacheWrite1hTokens: 1000,
      outputTokens: 500,
    });
    // 1000 x $3 + 6000 x $0.30 + 2000 x $3.75 + 1000 x $6 + 500 x $15, per million
    expect(costNano(info('anthropic/claude-sonnet-4-6'), used)).toBe(25_800_000);
  });

  it('chooses the band by the whole prompt, cached tokens included, for the output too', () => {
    const haiku = info('anthropic/claude-haiku-5-5');
    const at = (inputTokens: number): number | null =>
      costNano(haiku, usage({ inputTokens, cachedInputTokens: inputTokens, outputTokens: 1000 }));
    expect(at(100_000)).toBe(100_000 * 10 + 1000 * 500);
    expect(at(100_001)).toBe(100_001 * 50 + 1000 * 2500);
  });

  it('rounds once', () => {
    // 1 x $0.05 + 1 x $0.005 + 1 x $0.40 per million are 50 + 5 + 400 nano-dollars.
    const used = usage({ inputTokens: 2, cachedInputTokens: 1, outputTokens: 1 });
    expect(costNano(info('openai/gpt-5-nano'), used)).toBe(455);
    expect(costNano(info('openai/gpt-5.4-nano'), usage({ inputTokens: 1 }))).toBe(200);
  });

  it('does not know what it does not know, and knows that your own machine is free', () => {
    const used = usage({ inputTokens: 10, outputTokens: 10 });
    for (const model of ['anthropic/claude-none', 'compatible/x', 'router/gpt-4.1', 'anthropic/claude-mythos-5']) {
      expect(costNano(info(model), used)).toBeNull();
      expect(worstCaseNano(info(model), 10, 10)).toBeNull();
      expect(cacheSavingsNano(info(model), used)).toBe(0);
    }
    expect(costNano(info('ollama/llama3.2'), used)).toBe(0);
    expect(costNano(info('lmstudio/qwen/qwen3'), used)).toBe(0);
  });

  it('charges what was in force on the day', () => {
    const used = usage({ inputTokens: 1_000_000, outputTokens: 1_000_000 });
    const on = (day: string): number | null => costNano(info('gemini/gemini-3.8-flash', day), used);
    expect(on('2026-12-31')).toBe(4_500_000_000);
    expect(on('2027-01-01')).toBe(9_000_000_000);
    expect(on('2026-09-01')).toBeNull();
    const read = usage({ inputTokens: 1_000_000, cachedInputTokens: 1_000_000 });
    expect(costNano(info('anthropic/claude-sonnet-5-5', '2026-10-06'), read)).toBe(200_000_000);
    expect(costNano(info('anthropic/claude-sonnet-5-5', '2026-10-07'), read)).toBe(100_000_000);
  });
});

it('never costs more than the worst case', () => {
  const sonnet = info('anthropic/claude-sonnet-4-6');
  const worst = worstCaseNano(sonnet, 1000, 100) ?? 0;
  expect(worst).toBe(1000 * 6000 + 100 * 15_000);
  const written = usage({ inputTokens: 1000, cacheWriteTokens: 1000, cacheWrite1hTokens: 1000, outputTokens: 100 });
  expect(costNano(sonnet, written)).toBeLessThanOrEqual(worst);
});

it('counts images and PDFs by reference as what they can become', () => {
  const size = (content: Parameters<typeof promptBytes>[0]['messages'][number]['content']): number =>
    promptBytes({ instructions: undefined, messages: [{ role: 'user', content }], schema: undefined, params: {} });
  const empty = size('');
  expect(size('ü') - empty).toBe(2);
  expect(size([{ type: 'image', url: 'https://a.b/c.png' }]) - empty).toBeGreaterThan(4784);
  expect(size([{ type: 'pdf', url: 'https://a.b/c.pdf' }]) - empty).toBeGreaterThan(100_000);
});

it('counts provider parameters: tools among them are billed as input', () => {
  const prompt = { instructions: undefined, messages: [], schema: undefined };
  const tools = [{ name: 'look', description: 'x'.repeat(5000), input_schema: { type: 'object' } }];
  const added = promptBytes({ ...prompt, params: { tools } }) - promptBytes({ ...prompt, params: {} });
  expect(added).toBeGreaterThanOrEqual(JSON.stringify(tools).length);
});

it('nets cache savings of what writing cost extra', () => {
  const sonnet = info('anthropic/claude-sonnet-4-6');
  const written = usage({ inputTokens: 2000, cacheWriteTokens: 2000 });
  const read = usage({ inputTokens: 2000, cachedInputTokens: 2000 });
  expect(cacheSavingsNano(sonnet, written)).toBe(-2000 * 750);
  expect(cacheSavingsNano(sonnet, read)).toBe(2000 * 2700);
  expect(cacheSavingsNano(info('openai/gpt-4.1'), usage({ inputTokens: 2000, cachedInputTokens: 2000 }))).toBe(
    3_000_000,
  );
});
